package codeid_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func TestIdentificationEqualAndJSON(t *testing.T) {
	open := rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://a.example/")
	set := parse(t, ruleset(t, "v", open, prefix("A")), codeid.RuleOptions{})
	identify := func(code string) codeid.Identification {
		id, err := set.Identify(strings.Clone(code))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	one, same, other := identify("https://a.example/1"), identify("https://a.example/1"), identify("https://a.example/2")
	if !one.Equal(same) || one.Equal(other) || one.Equal(identify("A")) || !cmp.Equal(one, same) || cmp.Equal(one, other) {
		t.Error("Equal does not compare by value")
	}
	if body, err := json.Marshal(map[string]any{"id": one}); err == nil || !strings.Contains(err.Error(), "RedirectURL") {
		t.Errorf("JSON with a URL: %s, %v", body, err)
	}
	body, err := json.Marshal(identify("A"))
	var back codeid.Identification
	if err == nil {
		err = json.Unmarshal(body, &back)
	}
	if err != nil || !back.Equal(identify("A")) {
		t.Errorf("JSON without a URL: %s, %v", body, err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "id", one)
	if strings.Contains(log.String(), "a.example") || !strings.Contains(log.String(), `"Action":"OPEN_URL"`) {
		t.Errorf("logged %s", log.String())
	}
}
