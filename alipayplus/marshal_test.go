package alipayplus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

type purchase struct {
	ID    string                      `json:"id" wire:"required"`
	Code  alipayplus.Secret           `json:"code,omitzero" wire:"required"`
	Owner alipayplus.Personal[person] `json:"owner,omitzero"`
	Codes []alipayplus.Secret         `json:"codes,omitzero"`
	Price alipayplus.Amount           `json:"price,omitzero"`
	At    time.Time                   `json:"at,omitzero"`
	Next  *purchase                   `json:"next,omitzero"`
}

// What Marshal writes, Unmarshal reads; it is the JSON of the wire,
// unvalidated.
func TestMarshal(t *testing.T) {
	p := purchase{
		ID: "<1>", Code: alipayplus.Conceal(`a"b`), Owner: alipayplus.PersonalOf(person{Name: "longer than eight", Code: alipayplus.Conceal("2")}),
		Codes: []alipayplus.Secret{alipayplus.Conceal("3"), alipayplus.Conceal("4")}, Price: alipayplus.Amount{Currency: "JPY", Minor: 5},
		At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Next: &purchase{ID: "2"},
	}
	want := `{"id":"<1>","code":"a\"b","owner":{"name":"longer than eight","code":"2"},"codes":["3","4"],` +
		`"price":{"currency":"JPY","value":"5"},"at":"2025-01-02T03:04:05Z","next":{"id":"2"}}`
	for _, v := range []any{p, &p} {
		if text, err := alipayplus.Marshal(v); err != nil || string(text) != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, text, want)
		}
	}
	var got purchase
	if err := alipayplus.Unmarshal([]byte(want), &got); err != nil || !cmp.Equal(p, got) {
		t.Errorf("%v %s", err, cmp.Diff(p, got))
	}
	if text, err := alipayplus.Marshal(map[string]any{"b": p.Code, "a": []purchase{{}}}); err != nil || string(text) != `{"a":[{"id":""}],"b":"a\"b"}` {
		t.Errorf("%v %s", err, text)
	}
}

func TestMarshalErrors(t *testing.T) {
	for _, v := range []any{alipayplus.Conceal(canary + "\xff"), purchase{ID: canary + "\xff"}, func() {}, nil} {
		var invalid *alipayplus.ValidationError
		if text, err := alipayplus.Marshal(v); !errors.As(err, &invalid) || strings.Contains(err.Error(), canary) {
			t.Errorf("%T: %s, %v", v, text, err)
		}
	}
	for _, text := range []string{``, `[]`, `{"id":1,"id":2}`, `{"price":"` + canary + `"}`, `{"next":{"at":"` + canary + `"}}`, `{"codes":"` + canary + `"}`} {
		if err := alipayplus.Unmarshal([]byte(text), new(purchase)); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLoggable(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, nil))
	p := purchase{ID: "1", Code: alipayplus.Conceal(canary), Owner: alipayplus.PersonalOf(person{Name: canary}), Next: &purchase{ID: "2"}}
	log.Info("paid", "purchase", alipayplus.Loggable(p))
	var got struct{ Purchase json.RawMessage }
	want := `{"id":"1","code":"[redacted]","owner":"[redacted]","next":{"id":"2"}}`
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || string(got.Purchase) != want {
		t.Errorf("%s, %v", &text, err)
	}
	// Without it the log says what to use, and nothing else.
	text.Reset()
	log.Info("paid", "purchase", p)
	if !strings.Contains(text.String(), "alipayplus.Loggable") || strings.Contains(text.String(), canary) {
		t.Error(text.String())
	}
}
