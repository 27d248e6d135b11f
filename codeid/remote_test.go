package codeid_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

type remote func(code string) (codeid.RemoteAnswer, error)

func (r remote) IdentifyCode(_ context.Context, code alipayplus.Secret) (codeid.RemoteAnswer, error) {
	return r(code.Reveal())
}

func TestRemote(t *testing.T) {
	untrusted := prefix("TRUST-")
	untrusted["extendInfo"] = object{"matchResult": object{"trust": "N"}}
	rules := []object{prefix("LOCAL-"), rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "TEXT-"), untrusted, regex("R+")}
	var asked []string
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.Remote = remote(func(code string) (codeid.RemoteAnswer, error) {
			asked = append(asked, code)
			return map[string]codeid.RemoteAnswer{
				"TEXT-decode":  {Supported: true, Action: codeid.ActionDecode},
				"TEXT-open":    {Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a.example/"), ACDecodeConfig: "config"},
				"TEXT-agent":   {Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a.example/"), UserAgent: "Agent"},
				"TEXT-unsafe":  {Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a@evil.test/")},
				"TEXT-script":  {Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("javascript:1")},
				"TEXT-header":  {Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a.example/"), UserAgent: "A\r\nB"},
				"TEXT-strange": {Supported: true, Action: "CALL"},
				"TEXT-no":      {Action: codeid.ActionDecode},
				"TRUST-yes":    {Supported: true, Action: codeid.ActionDecode},
				"TRUST-no":     {},
			}[code], map[string]error{"TEXT-error": errors.New("no TEXT-error today"), "TRUST-error": errors.New("no")}[code]
		})
	})
	w.serves("v", rules...)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule, code string
		asked      bool
		status     alipayplus.ResultStatus // "" for an answer
		action     codeid.Action
		url, agent string
	}{
		{rule: "the rules decide", code: "LOCAL-1", action: codeid.ActionDecode},
		{rule: "no rule matches", code: "OTHER-1"},
		{rule: "no code", code: "", status: "F"},
		{rule: "decode", code: "TEXT-decode", asked: true, action: codeid.ActionDecode},
		{rule: "open", code: "TEXT-open", asked: true, action: codeid.ActionOpenURL, url: "https://a.example/", agent: "AlipayConnect"},
		{rule: "open with an agent", code: "TEXT-agent", asked: true, action: codeid.ActionOpenURL, url: "https://a.example/", agent: "Agent"},
		{rule: "unsafe URL", code: "TEXT-unsafe", asked: true, status: "U"},
		{rule: "no URL", code: "TEXT-script", asked: true, status: "U"},
		{rule: "agent with a line break", code: "TEXT-header", asked: true, status: "U"},
		{rule: "unknown action", code: "TEXT-strange", asked: true, status: "U"},
		{rule: "not supported", code: "TEXT-no", asked: true},
		{rule: "no answer", code: "TEXT-error", asked: true, status: "U"},
		{rule: "untrusted, confirmed", code: "TRUST-yes", asked: true, action: codeid.ActionDecode},
		{rule: "untrusted, denied", code: "TRUST-no", asked: true},
		{rule: "untrusted, no answer", code: "TRUST-error", asked: true, status: "U"},
		{rule: "too long for the patterns", code: strings.Repeat("R", 513), asked: true},
	} {
		asked = nil
		id, err := w.Identify(t.Context(), c.code)
		if statusOf(err) != c.status || (err != nil) != (c.status != "") {
			t.Errorf("%s: %v", c.rule, err)
		}
		if (len(asked) == 1) != c.asked || c.asked && asked[0] != c.code {
			t.Errorf("%s: asked for %q", c.rule, asked)
		}
		if id.Action != c.action || id.Supported != (c.action != "") || id.RedirectURL() != c.url || id.UserAgent != c.agent {
			t.Errorf("%s: %+v %q", c.rule, id, id.RedirectURL())
		}
		if id.NeedsRemote != (c.asked && c.status == "U") || id.Untrusted {
			t.Errorf("%s: %+v", c.rule, id)
		}
		if (id.ACDecodeConfig == "config") != (c.code == "TEXT-open") {
			t.Errorf("%s: config %q", c.rule, id.ACDecodeConfig)
		}
	}
}

// Codes are secrets: no error, no log line, no print of an answer shows one.
func TestCodesStaySecret(t *testing.T) {
	const secret = "28100104CANARY"
	cause := errors.New("cannot reach " + secret)
	var seen []any
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.Remote = remote(func(code string) (codeid.RemoteAnswer, error) { return codeid.RemoteAnswer{}, cause })
	})
	w.serves("v", prefix("28"), rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://o.example/"),
		rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "TEXT-"), regex("(?:.*)x"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{secret, "https://o.example/" + secret, "https://u@o.example/" + secret, "TEXT-" + secret, secret + "\xff",
		"none " + secret, secret + strings.Repeat("y", 9000)} {
		id, err := w.Identify(t.Context(), code)
		seen = append(seen, id, &id, err, struct{ inner codeid.Identification }{id})
		if strings.HasPrefix(code, "TEXT-") && !errors.Is(err, cause) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
	f := codeid.NewFilter(codeid.Lists{Allow: list(t, "exact "+secret)})
	entry := codeid.Entry{Kind: codeid.KindExact, Value: secret}
	if got, prefix := fmt.Sprint(entry), fmt.Sprint(codeid.Entry{Kind: codeid.KindPrefix, Value: "281"}); got != "exact [redacted]" || prefix != "prefix 281" {
		t.Errorf("entries print as %q and %q", got, prefix)
	}
	seen = append(seen, f.Check(secret), w.Status(), entry, &entry, w.log.String())
	for _, v := range seen {
		var logged strings.Builder
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", v)
		for _, text := range []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s", v),
			fmt.Sprintf("%q", v), logged.String()} {
			if strings.Contains(text, "CANARY") {
				t.Errorf("%T shows the code: %s", v, text)
			}
		}
	}
}

// A Remote gets the code without what the scanner added.
func TestRemoteGetsTheCleanCode(t *testing.T) {
	var asked []string
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.Remote = remote(func(code string) (codeid.RemoteAnswer, error) {
			asked = append(asked, code)
			return codeid.RemoteAnswer{Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a.example/")}, nil
		})
	})
	w.serves("v", rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "TEXT-"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	if id, err := w.Identify(t.Context(), "TEXT-1\r\n"); err != nil || id.RedirectURL() != "https://a.example/" {
		t.Errorf("%+v, %v", id, err)
	}
	if !slices.Equal(asked, []string{"TEXT-1"}) {
		t.Errorf("asked for %q", asked)
	}
}
