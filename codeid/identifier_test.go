package codeid_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// world is an Identifier and the Alipay+ that it asks.
type world struct {
	t       *testing.T
	gateway *alipayplustest.Gateway
	*codeid.Identifier
	loaded []codeid.Loading
	answer atomic.Pointer[answer]
	calls  atomic.Int32
}

type answer struct {
	version string
	rules   string // a JSON array
	err     error
}

func (w *world) serves(version string, rules ...object) {
	w.answer.Store(&answer{version: version, rules: string(encode(w.t, rules))})
}

func (w *world) refuses(code alipayplus.ResultCode) { w.answer.Store(&answer{err: code.Result()}) }

func newWorld(t *testing.T, change func(*codeid.Config)) *world {
	t.Helper()
	w := &world{t: t, gateway: alipayplustest.New(t)}
	alipayplustest.Answer(w.gateway, codeid.InquiryCodeRules,
		func(context.Context, *codeid.InquiryCodeRulesRequest) (*codeid.InquiryCodeRulesResponse, error) {
			w.calls.Add(1)
			a := w.answer.Load()
			if a.err != nil {
				return nil, a.err
			}
			return &codeid.InquiryCodeRulesResponse{Version: a.version, CodeRules: json.RawMessage(a.rules)}, nil
		})
	config := w.gateway.Config()
	config.Retry = alipayplus.NoRetry
	client, err := alipayplus.New(config)
	if err != nil {
		t.Fatal(err)
	}
	cfg := codeid.Config{Client: client}
	cfg.Hooks.Loaded = func(_ context.Context, l codeid.Loading) { w.loaded = append(w.loaded, l) }
	if change != nil {
		change(&cfg)
	}
	if w.Identifier, err = codeid.New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// takes reports whether code is supported.
func (w *world) takes(code string) bool {
	w.t.Helper()
	id, err := w.Identify(w.t.Context(), code)
	if err != nil {
		w.t.Fatal(err)
	}
	return id.Supported
}

func TestNewRefuses(t *testing.T) {
	client, err := alipayplus.New(alipayplustest.New(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	for rule, cfg := range map[string]codeid.Config{
		"a client":                       {},
		"at least once a day":            {Client: client, Interval: 25 * time.Hour},
		"no negative interval":           {Client: client, Interval: -1},
		"retry before the next refresh":  {Client: client, Interval: time.Hour, RetryInterval: 2 * time.Hour},
		"a minimum that can be achieved": {Client: client, Minimum: codeid.SourceRemote + 1},
	} {
		if _, err := codeid.New(cfg); err == nil {
			t.Errorf("%s: accepted", rule)
		}
	}
}

func TestInitSources(t *testing.T) {
	good := ruleset(t, "v_file", prefix("FILE-"))
	for _, c := range []struct {
		rule                 string
		remote, file, preset string // good, bad or ""
		minimum              codeid.Source
		want                 codeid.Source
	}{
		{rule: "Alipay+ first", remote: "good", file: "good", preset: "good", want: codeid.SourceRemote},
		{rule: "then the file", remote: "bad", file: "good", preset: "good", want: codeid.SourceFile},
		{rule: "then the preset", remote: "bad", file: "bad", preset: "good", want: codeid.SourcePreset},
		{rule: "no file configured", remote: "bad", preset: "good", want: codeid.SourcePreset},
		{rule: "nothing works", remote: "bad", file: "bad", preset: "bad"},
		{rule: "nothing configured", remote: "bad"},
		{rule: "minimum file, file", remote: "bad", file: "good", preset: "good", minimum: codeid.SourceFile, want: codeid.SourceFile},
		{rule: "minimum file, preset", remote: "bad", file: "bad", preset: "good", minimum: codeid.SourceFile},
		{rule: "minimum Alipay+", remote: "bad", file: "good", preset: "good", minimum: codeid.SourceRemote},
		{rule: "minimum Alipay+, works", remote: "good", minimum: codeid.SourceRemote, want: codeid.SourceRemote},
	} {
		t.Run(c.rule, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rules.json")
			w := newWorld(t, func(cfg *codeid.Config) {
				cfg.Minimum = c.minimum
				if c.file != "" {
					cfg.File = file
				}
				if c.file == "good" {
					write(t, file, good)
				}
				switch c.preset {
				case "good":
					cfg.Preset = ruleset(t, "v_preset", prefix("PRESET-"))
				case "bad":
					cfg.Preset = []byte("{}")
				}
			})
			w.refuses(alipayplus.CodeAccessDenied)
			if c.remote == "good" {
				w.serves("v_remote", prefix("REMOTE-"))
			}
			err := w.Init(t.Context())
			if (err == nil) != (c.want != codeid.SourceNone) {
				t.Fatal(err)
			}
			s := w.Status()
			if s.Source != c.want {
				t.Errorf("from %v, want %v", s.Source, c.want)
			}
			switch c.want {
			case codeid.SourceNone:
				if !errors.Is(err, alipayplus.CodeAccessDenied) {
					t.Errorf("the error does not say why: %v", err)
				}
				if _, err := w.Identify(t.Context(), "FILE-1"); statusOf(err) != alipayplus.StatusUnknown {
					t.Errorf("without rules: %v", err)
				}
				if s.Age != math.MaxInt64 {
					t.Errorf("age %v", s.Age)
				}
			default:
				if s.Version != "v_"+c.want.String() || !w.takes(strings.ToUpper(c.want.String())+"-1") {
					t.Errorf("version %q", s.Version)
				}
			}
			// The last event tells the same.
			if last := w.loaded[len(w.loaded)-1]; (last.Err == nil) != (err == nil) || err == nil && (last.Source != c.want || !last.Changed) {
				t.Errorf("last event %+v", last)
			}
		})
	}
}

func write(t testing.TB, file string, body []byte) {
	t.Helper()
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// statusOf is the status of the Result that err carries.
func statusOf(err error) alipayplus.ResultStatus {
	var r alipayplus.Result
	errors.As(err, &r)
	return r.Status
}

// A refresh that fails at any step leaves the last good set, and the file, as they are.
func TestRefreshFailures(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "rules.json")
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.File = file
		cfg.Rules.MaxRules = 5
	})
	w.serves("v1", prefix("GOOD-"))
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	saved := fileOf(t, file)
	half := []object{prefix("NEW-"), {}, prefix("NEW2-"), rule(decode, "FUZZY")}
	for rule, spoil := range map[string]func(){
		"not sent":        func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.RefuseConnection()) },
		"request lost":    func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.LoseRequest()) },
		"answer lost":     func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.LoseAnswer()) },
		"answer cut off":  func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Truncate(100)) },
		"answer tampered": func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Tamper()) },
		"answer half":     func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.HalfSigned()) },
		"answer stale":    func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Stale(time.Hour)) },
		"bad gateway":     func() { w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.BadGateway()) },
		"answer unsigned": func() {
			w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Unsigned(alipayplus.CodeSuccess.Result()))
		},
		"answer U":         func() { w.refuses(alipayplus.CodeUnknownException) },
		"answer F":         func() { w.refuses(alipayplus.CodeProcessFail) },
		"no rules":         func() { w.answer.Store(&answer{version: "v2"}) },
		"empty rules":      func() { w.serves("v2") },
		"rules no array":   func() { w.answer.Store(&answer{version: "v2", rules: `{"a":1}`}) },
		"half of it bad":   func() { w.serves("v2", half...) },
		"all of it bad":    func() { w.serves("v2", object{}, object{}) },
		"too many rules":   func() { w.serves("v2", make([]object, 6)...) },
		"version too long": func() { w.serves(strings.Repeat("v", 65), prefix("NEW-")) },
	} {
		t.Run(rule, func(t *testing.T) {
			w.serves("v2", prefix("NEW-"))
			spoil()
			before := w.Status()
			if err := w.Refresh(t.Context()); err == nil {
				t.Fatal("accepted")
			}
			if !w.takes("GOOD-1") || w.takes("NEW-1") {
				t.Error("the good set is gone")
			}
			if s := w.Status(); s.Version != "v1" || s.Confirmed != before.Confirmed {
				t.Errorf("status %+v", s)
			}
			if string(fileOf(t, file)) != string(saved) {
				t.Error("the file changed")
			}
			if last := w.loaded[len(w.loaded)-1]; last.Err == nil || last.Changed {
				t.Errorf("event %+v", last)
			}
		})
	}
	// Less than half of it bad is used.
	w.serves("v2", append(half[:3:3], prefix("NEW3-"))...)
	if err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.Status(); s.Rules != 3 || len(s.Skipped) != 1 || s.Skipped[0].Index != 1 || !w.takes("NEW-1") || w.takes("GOOD-1") {
		t.Errorf("status %+v", s)
	}
}

func fileOf(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "cache", "rules.json")
	w := newWorld(t, func(cfg *codeid.Config) { cfg.File = file })
	last := func() codeid.Loading { return w.loaded[len(w.loaded)-1] }
	refresh := func() {
		t.Helper()
		if err := w.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	// A file that cannot be written is reported; the set is in use all the same.
	w.serves("v1", prefix("ONE-"))
	refresh()
	if last().FileErr == nil || !w.takes("ONE-1") {
		t.Errorf("no folder: %+v", last())
	}
	// It is written later, although the version is the same.
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	refresh()
	if last().FileErr != nil || last().Changed {
		t.Errorf("with a folder: %+v", last())
	}
	old := fileOf(t, file)
	if set := parse(t, old, codeid.RuleOptions{}); set.Version() != "v1" {
		t.Errorf("version %q in the file", set.Version())
	}
	calls := w.gateway.Calls(codeid.InquiryCodeRules)
	if string(old) != string(calls[0].Answer) {
		t.Error("the file does not hold the bytes of the answer")
	}

	// Only a change is written: a new file would have another time and another identity.
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
	}
	refresh()
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(past) {
		t.Error("the same version was written again")
	}
	// Also across a restart.
	again := newWorld(t, func(cfg *codeid.Config) { cfg.File = file })
	again.refuses(alipayplus.CodeUnknownException)
	if err := again.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := again.Status(); s.Source != codeid.SourceFile || !s.Confirmed.Equal(past) || s.Age < time.Hour || s.Age > 2*time.Hour {
		t.Errorf("from the file: %+v", s)
	}
	again.serves("v1", prefix("ONE-"))
	if err := again.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := again.Status(); s.Source != codeid.SourceRemote || s.Age > time.Minute {
		t.Errorf("confirmed: %+v", s)
	}
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(past) {
		t.Error("the same body was written again")
	}

	// Another version replaces the file; nothing else is left in the folder.
	w.serves("v2", prefix("TWO-"))
	refresh()
	if set := parse(t, fileOf(t, file), codeid.RuleOptions{}); set.Version() != "v2" {
		t.Errorf("version %q in the file", set.Version())
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	// A failure in the middle of writing leaves the folder as it was.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	w.serves("v3", prefix("THREE-"))
	refresh()
	if last().FileErr == nil || !w.takes("THREE-1") {
		t.Errorf("a folder in the file's place: %+v", last())
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSameVersionKeepsTheSet(t *testing.T) {
	w := newWorld(t, nil)
	w.serves("v1", prefix("ONE-"))
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.serves("v1", prefix("OTHER-"))
	if err := w.Refresh(t.Context()); err != nil || !w.takes("ONE-1") || w.takes("OTHER-1") {
		t.Errorf("the same version replaced the set: %v", err)
	}
	if last := w.loaded[len(w.loaded)-1]; last.Changed || last.Version != "v1" || last.Rules != 1 {
		t.Errorf("event %+v", last)
	}
	// Versions are not ordered, and none is never the same.
	for _, version := range []string{"v0", "", ""} {
		w.serves(version, prefix("N"+fmt.Sprint(w.calls.Load())+"-"))
		calls := w.calls.Load()
		if err := w.Refresh(t.Context()); err != nil || !w.takes(fmt.Sprintf("N%d-", calls)) {
			t.Errorf("version %q did not replace the set: %v", version, err)
		}
	}
	// A set from the preset gives way to what Alipay+ calls by the same name.
	w = newWorld(t, func(cfg *codeid.Config) { cfg.Preset = ruleset(t, "v1", prefix("PRESET-")) })
	w.refuses(alipayplus.CodeUnknownException)
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.serves("v1", prefix("ONE-"))
	if err := w.Refresh(t.Context()); err != nil || !w.takes("ONE-1") || w.takes("PRESET-1") {
		t.Errorf("the preset stayed: %v", err)
	}
}

func TestRefreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Delay(time.Second))
		var done sync.WaitGroup
		for range 50 {
			done.Go(func() {
				if err := w.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		// One of them loses patience: it alone returns.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		done.Go(func() {
			synctest.Wait()
			if err := w.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		done.Wait()
		if n := w.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// When the caller whose call all others share gives up, one of them takes over.
func TestRefreshIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Delay(4*time.Second))
		first, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			if err := w.Refresh(first); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 10 {
			done.Go(func() {
				if err := w.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		cancel()
		done.Wait()
		if n := w.calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		if err := w.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		// after waits for the next attempt and returns how long that took.
		after := func() time.Duration {
			began, calls := time.Now(), w.calls.Load()
			for w.calls.Load() == calls {
				time.Sleep(time.Second)
				synctest.Wait()
			}
			return time.Since(began)
		}
		within := func(what string, low, high time.Duration) {
			t.Helper()
			if got := after(); got < low-time.Second || got > high+time.Second {
				t.Errorf("%s after %v, want %v to %v", what, got, low, high)
			}
		}
		within("a day", 21*time.Hour+36*time.Minute, 24*time.Hour)
		w.refuses(alipayplus.CodeUnknownException)
		within("the next day", 21*time.Hour+36*time.Minute, 24*time.Hour)
		for _, limit := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			within("retry", limit*time.Minute/2, limit*time.Minute)
		}
		if s := w.Status(); s.Version != "v1" || s.Age < 24*time.Hour {
			t.Errorf("status %+v", s)
		}
		w.serves("v2", prefix("TWO-"))
		within("retry", 30*time.Minute, time.Hour)
		if !w.takes("TWO-1") {
			t.Error("v2 is not in use")
		}
		within("a day", 21*time.Hour+36*time.Minute, 24*time.Hour)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestRunStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		// Without a set it asks at once.
		w := newWorld(t, func(cfg *codeid.Config) { cfg.Interval, cfg.RetryInterval = time.Hour, 10*time.Minute })
		w.refuses(alipayplus.CodeUnknownException)
		go func() { _ = w.Run(ctx) }()
		synctest.Wait()
		if n := w.calls.Load(); n != 1 {
			t.Errorf("%d calls at once", n)
		}
		// With a set that did not come from Alipay+ it asks soon.
		other := newWorld(t, func(cfg *codeid.Config) {
			cfg.Preset = ruleset(t, "v", prefix("P-"))
			cfg.Interval, cfg.RetryInterval = time.Hour, 10*time.Minute
		})
		other.refuses(alipayplus.CodeUnknownException)
		if err := other.Init(ctx); err != nil {
			t.Fatal(err)
		}
		go func() { _ = other.Run(ctx) }()
		synctest.Wait()
		if n := other.calls.Load(); n != 1 {
			t.Errorf("%d calls at once, with a preset", n)
		}
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if n, m := w.calls.Load(), other.calls.Load(); n < 2 || m < 2 {
			t.Errorf("%d and %d calls after ten minutes", n, m)
		}
		cancel()
	})
}

// 1,000 sets come into use while others identify: no call fails, and no set is seen in parts.
func TestSwapsUnderIdentification(t *testing.T) {
	w := newWorld(t, nil)
	w.Identifier.Status()
	w.serves("v0", prefix("A-"), prefix("B-"))
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var done sync.WaitGroup
	var calls atomic.Int64
	for range 4 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, code := range []string{"A-1", "B-1"} {
					id, err := w.Identify(t.Context(), code)
					// In even versions A- is rule 0, in odd ones B- is.
					even := len(id.Version) > 0 && (id.Version[len(id.Version)-1]-'0')%2 == 0
					if err != nil || !id.Supported || (id.Rule == 0) != (even == (code == "A-1")) {
						t.Errorf("%+v, %v", id, err)
						return
					}
				}
				calls.Add(2)
			}
		})
	}
	swaps := 30
	if os.Getenv("ALIPAYPLUS_LONG") != "" {
		swaps = 1000
	}
	for i := 1; i <= swaps; i++ {
		rules := []object{prefix("A-"), prefix("B-")}
		w.serves(fmt.Sprintf("v%d", i), rules[i%2], rules[1-i%2])
		if err := w.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	done.Wait()
	t.Logf("%d identifications during %d swaps", calls.Load(), swaps)
}

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
	if err := w.Init(t.Context()); err != nil {
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

// Codes are secrets: no error, no event, no print of an answer shows one.
func TestCodesStaySecret(t *testing.T) {
	const secret = "28100104CANARY"
	cause := errors.New("cannot reach " + secret)
	var seen []any
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.Remote = remote(func(code string) (codeid.RemoteAnswer, error) { return codeid.RemoteAnswer{}, cause })
		cfg.Hooks.Identified = func(_ context.Context, id codeid.Identification, err error) {
			seen = append(seen, id, err, id.RedirectURL())
		}
	})
	w.serves("v", prefix("28"), rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://o.example/"),
		rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "TEXT-"), regex("(?:.*)x"))
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range w.loaded {
		seen = append(seen, l)
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
	seen = append(seen, f.Check(secret), w.Status())
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
