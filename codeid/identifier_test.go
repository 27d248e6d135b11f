package codeid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// world is an Identifier and the Alipay+ that it asks.
type world struct {
	t                  *testing.T
	gateway            *alipayplustest.Gateway
	*codeid.Identifier // after open
	cfg                codeid.Config
	log                bytes.Buffer // of the Identifier, in JSON
	answer             atomic.Pointer[answer]
	calls              atomic.Int32
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
	client, err := alipayplus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	w.cfg = codeid.Config{Client: client}
	w.cfg.Logger = slog.New(slog.NewJSONHandler(&w.log, nil))
	if change != nil {
		change(&w.cfg)
	}
	return w
}

func (w *world) open() (err error) {
	w.Identifier, err = codeid.Open(w.t.Context(), w.cfg)
	return err
}

// line is what the Identifier logs.
type line struct {
	Level, Msg, Source, InUse, Version string
	Rules, Skipped                     int
	Error                              any
}

// logged returns what the Identifier has logged since the last call.
func (w *world) logged() (lines []line) {
	w.t.Helper()
	for d := json.NewDecoder(&w.log); ; {
		var l line
		switch err := d.Decode(&l); {
		case errors.Is(err, io.EOF):
			return lines
		case err != nil:
			w.t.Fatal(err)
		}
		lines = append(lines, l)
	}
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

func TestOpenRefuses(t *testing.T) {
	client, err := alipayplus.NewClient(alipayplustest.New(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule string
		cfg  codeid.Config
		says string
	}{
		{"a client", codeid.Config{}, "no Client"},
		{"at least once a day", codeid.Config{Client: client, Interval: 25 * time.Hour}, "Interval is not"},
		{"no negative interval", codeid.Config{Client: client, Interval: -1}, "Interval is not"},
		{"retry before the next refresh", codeid.Config{Client: client, Interval: time.Hour, RetryInterval: 2 * time.Hour}, "RetryInterval is not"},
		{"a minimum that can be achieved", codeid.Config{Client: client, Minimum: codeid.SourceRemote + 1}, "Minimum is no"},
		{"a directory for the file", codeid.Config{Client: client, File: filepath.Join(t.TempDir(), "gone", "rules.json")}, "File cannot be kept"},
		{"a directory that is one", codeid.Config{Client: client, File: filepath.Join(file, "rules.json")}, "File cannot be kept"},
	} {
		if _, err := codeid.Open(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

func TestOpenSources(t *testing.T) {
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
					cfg.Preset = []byte("?")
				}
			})
			w.refuses(alipayplus.CodeAccessDenied)
			if c.remote == "good" {
				w.serves("v_remote", prefix("REMOTE-"))
			}
			err := w.open()
			if (err == nil) != (c.want != codeid.SourceNone) {
				t.Fatal(err)
			}
			switch c.want {
			case codeid.SourceNone:
				if !errors.Is(err, alipayplus.CodeAccessDenied) || w.Identifier != nil {
					t.Errorf("the error does not say why: %v", err)
				}
				// It says it of every source that was tried, and of no other.
				for text, tried := range map[string]bool{
					"from Alipay+":    true,
					"from the file":   c.file != "" && c.minimum <= codeid.SourceFile,
					"Config.Preset":   c.preset == "" && c.minimum <= codeid.SourcePreset,
					"from the preset": c.preset != "" && c.minimum <= codeid.SourcePreset,
				} {
					if strings.Contains(err.Error(), text) != tried {
						t.Errorf("%q is missing, or wrong, in: %v", text, err)
					}
				}
			default:
				s := w.Status()
				if s.Source != c.want {
					t.Errorf("from %v, want %v", s.Source, c.want)
				}
				if (s.Age == math.MaxInt64) != (c.want == codeid.SourcePreset) {
					t.Errorf("age %v", s.Age)
				}
				if s.Version != "v_"+c.want.String() || !w.takes(strings.ToUpper(c.want.String())+"-1") {
					t.Errorf("version %q", s.Version)
				}
			}
			// The log says the same, of each source that was tried.
			var logged, tried []string
			for _, l := range w.logged() {
				logged = append(logged, l.Level+" "+l.Source)
				if (l.Level == "WARN") != (l.Error != nil) || l.Level == "INFO" && (l.Version != "v_"+l.Source || l.Rules != 1) {
					t.Errorf("logged %+v", l)
				}
			}
			for _, source := range []codeid.Source{codeid.SourceRemote, codeid.SourceFile, codeid.SourcePreset} {
				configured := source == codeid.SourceRemote || source == codeid.SourceFile && c.file != "" || source == codeid.SourcePreset && c.preset != ""
				if configured && source >= c.minimum && source > c.want {
					tried = append(tried, "WARN "+source.String())
				}
			}
			if c.want != codeid.SourceNone {
				tried = append(tried, "INFO "+c.want.String())
			}
			if !slices.Equal(logged, tried) {
				t.Errorf("logged %q, want %q", logged, tried)
			}
		})
	}
}

// An Identifier that Open did not make has no rules and says so.
func TestIdentifierWithoutRules(t *testing.T) {
	i := new(codeid.Identifier)
	if _, err := i.Identify(t.Context(), "FILE-1"); statusOf(err) != alipayplus.StatusUnknown {
		t.Errorf("without rules: %v", err)
	}
	if s := i.Status(); s.Source != codeid.SourceNone || s.Age != math.MaxInt64 {
		t.Errorf("status %+v", s)
	}
}

func write(t testing.TB, file string, body []byte) {
	t.Helper()
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// statusOf returns the status of the Result that err carries.
func statusOf(err error) alipayplus.ResultStatus {
	var r alipayplus.Result
	errors.As(err, &r)
	return r.Status
}
