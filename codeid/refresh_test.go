package codeid_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// A refresh that fails at any step leaves the last good set, and the file, as
// they are.
func TestRefreshFailures(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "rules.json")
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.File = file
		cfg.Rules.MaxRules = 5
	})
	w.serves("v1", prefix("GOOD-"))
	if err := w.open(); err != nil {
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
			w.logged()
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
			if l := w.logged(); len(l) != 1 || l[0].Level != "WARN" || l[0].Error == nil || l[0].Version != "v1" {
				t.Errorf("logged %+v", l)
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
	if l := w.logged(); len(l) != 1 || l[0].Level != "WARN" || l[0].Version != "v2" || l[0].Rules != 3 || l[0].Skipped != 1 {
		t.Errorf("logged %+v", l)
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
	const notWritten = "codeid: the rule set cannot be written to Config.File"
	last := func() line {
		lines := w.logged()
		return append([]line{{}}, lines...)[len(lines)]
	}
	refresh := func() {
		t.Helper()
		if err := w.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	makeFolder := func() {
		t.Helper()
		if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	// A file that cannot be written any more is reported; the set is in use all the
	// same.
	makeFolder()
	w.serves("v0", prefix("ZERO-"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	w.serves("v1", prefix("ONE-"))
	refresh()
	if l := last(); l.Msg != notWritten || l.Level != "WARN" || l.Error == nil || !w.takes("ONE-1") {
		t.Errorf("no folder: %+v", l)
	}
	// It is written later, although the version is the same.
	makeFolder()
	refresh()
	if l := w.logged(); len(l) != 0 {
		t.Errorf("with a folder: %+v", l)
	}
	old := fileOf(t, file)
	if set := parse(t, old, codeid.RuleOptions{}); set.Version() != "v1" {
		t.Errorf("version %q in the file", set.Version())
	}
	calls := w.gateway.Calls(codeid.InquiryCodeRules)
	if string(old) != string(calls[len(calls)-1].Answer) {
		t.Error("the file does not hold the bytes of the answer")
	}

	// Only a change is written: a new file would have another time and another
	// identity.
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
	if err := again.open(); err != nil {
		t.Fatal(err)
	}
	if s := again.Status(); s.Source != codeid.SourceFile || !s.Confirmed.Equal(past) || s.Age < time.Hour || s.Age > 2*time.Hour {
		t.Errorf("from the file: %+v", s)
	}
	// A clock that was set back since then makes no negative age.
	future := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := os.Chtimes(file, future, future); err != nil {
		t.Fatal(err)
	}
	if err := again.open(); err != nil {
		t.Fatal(err)
	}
	if s := again.Status(); !s.Confirmed.Equal(future) || s.Age != 0 {
		t.Errorf("from a file of tomorrow: %+v", s)
	}
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
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

	// A file over the limit is not used.
	for _, limit := range []int{len(old), len(old) - 1} {
		small := newWorld(t, func(cfg *codeid.Config) { cfg.File, cfg.Rules.MaxBytes = file, limit })
		small.refuses(alipayplus.CodeUnknownException)
		if err := small.open(); (err == nil) != (limit == len(old)) {
			t.Errorf("a file of %d bytes, limit %d: %v", len(old), limit, err)
		}
	}

	// Another version replaces the file; nothing else is left in the folder. Who
	// has the old file open, or another name of it, still has the whole of it.
	link := filepath.Join(folder, "link")
	if err := os.Link(file, link); err != nil {
		t.Fatal(err)
	}
	w.serves("v2", prefix("TWO-"))
	refresh()
	if string(fileOf(t, link)) != string(old) {
		t.Error("the file was written in place")
	}
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
	if l := last(); l.Msg != notWritten || !w.takes("THREE-1") {
		t.Errorf("a folder in the file's place: %+v", l)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A set that was refused never gets into the file, whatever comes after it.
func TestRefusedSetIsNotKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.json")
	w := newWorld(t, func(cfg *codeid.Config) { cfg.File = file })
	w.serves("v1", prefix("ONE-"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	kept := fileOf(t, file)
	for range 2 {
		w.serves("v2", prefix("TWO-"), regex("("))
		if err := w.Refresh(t.Context()); !errors.Is(err, codeid.ErrRuleset) || !w.takes("ONE-1") || w.takes("TWO-1") {
			t.Errorf("half of the rules: %v", err)
		}
		w.serves("v1", prefix("ONE-"))
		if err := w.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if string(fileOf(t, file)) != string(kept) {
			t.Fatalf("the file has the refused set: %s", fileOf(t, file))
		}
	}
}

func TestSameVersionKeepsTheSet(t *testing.T) {
	w := newWorld(t, nil)
	w.serves("v1", prefix("ONE-"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	w.serves("v1", prefix("OTHER-"))
	w.logged()
	if err := w.Refresh(t.Context()); err != nil || !w.takes("ONE-1") || w.takes("OTHER-1") {
		t.Errorf("the same version replaced the set: %v", err)
	}
	if l := w.logged(); len(l) != 0 {
		t.Errorf("logged %+v", l)
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
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	w.serves("v1", prefix("ONE-"))
	if err := w.Refresh(t.Context()); err != nil || !w.takes("ONE-1") || w.takes("PRESET-1") {
		t.Errorf("the preset stayed: %v", err)
	}
}

// Each refresh confirms the set, also if its version is the same.
func TestRefreshConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			time.Sleep(24 * time.Hour)
			if s := w.Status(); s.Age != 24*time.Hour {
				t.Errorf("before: %+v", s)
			}
			if err := w.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := w.Status(); s.Age != 0 || !s.Confirmed.Equal(time.Now()) {
				t.Errorf("after: %+v", s)
			}
		}
	})
}

func TestRefreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
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
		if n := w.calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// When the caller whose call all others share gives up, one of them takes over:
// any of many, because which one is up to the scheduler.
func TestRefreshIsTakenOver(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			w.serves("v1", prefix("ONE-"))
			if err := w.open(); err != nil {
				t.Fatal(err)
			}
			w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.Delay(4*time.Second))
			first, cancel := context.WithCancel(t.Context())
			var done sync.WaitGroup
			done.Go(func() {
				if err := w.Refresh(first); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
			synctest.Wait()
			for range 100 {
				done.Go(func() {
					if err := w.Refresh(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
			cancel()
			done.Wait()
			if n := w.calls.Load(); n != 3 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// A refresh that panics, in a function of the application, does not stop the
// others.
func TestRefreshAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		w.cfg.Rules.Compile = func(string) (func(string) bool, error) { panic("an engine for regular expressions") }
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		w.serves("v2", regex(`(a)\1`))
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it does not panic")
				}
			}()
			_ = w.Refresh(t.Context())
		}()
		w.serves("v2", prefix("TWO-"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := w.Refresh(ctx); err != nil || !w.takes("TWO-1") {
			t.Error(err)
		}
	})
}

// A failure is an alarm once the rules are over two days old, and none if the
// caller gave up.
func TestOldRulesAreAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		w.refuses(alipayplus.CodeUnknownException)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for _, c := range []struct {
			after time.Duration
			ctx   context.Context
			want  string
		}{
			{47 * time.Hour, t.Context(), "WARN"},
			{2 * time.Hour, gone, ""},
			{0, t.Context(), "ERROR"},
		} {
			time.Sleep(c.after)
			w.logged()
			if err := w.Refresh(c.ctx); err == nil {
				t.Error("accepted")
			}
			level := ""
			for _, l := range w.logged() {
				level += l.Level
			}
			if level != c.want {
				t.Errorf("after %v more: level %q, want %q", c.after, level, c.want)
			}
		}
	})
}

// No Logger is the default one.
func TestNoLogger(t *testing.T) {
	log := testkit.DefaultLog(t)
	w := newWorld(t, func(cfg *codeid.Config) { cfg.Logger = nil })
	w.serves("v1", prefix("ONE-"))
	if err := w.open(); err != nil || !strings.Contains(log.String(), "codeid: another rule set is in use") {
		t.Errorf("%v, logged %q", err, log)
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.serves("v1", prefix("ONE-"))
		if err := w.open(); err != nil {
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
		for _, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			limit := time.Duration(minutes) * time.Minute
			within("retry", limit/2, limit)
		}
		if s := w.Status(); s.Version != "v1" || s.Age < 23*time.Hour {
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

// With a set that did not come from Alipay+, Run asks soon.
func TestRunStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := newWorld(t, func(cfg *codeid.Config) {
			cfg.Preset = ruleset(t, "v", prefix("P-"))
			cfg.Interval, cfg.RetryInterval = time.Hour, 10*time.Minute
		})
		w.refuses(alipayplus.CodeUnknownException)
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = w.Run(ctx) }()
		synctest.Wait()
		if n := w.calls.Load(); n != 1 {
			t.Errorf("%d calls at once", n)
		}
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if n := w.calls.Load(); n < 2 {
			t.Errorf("%d calls after ten minutes", n)
		}
		cancel()
	})
}

// 1,000 sets (30 without ALIPAYPLUS_LONG=1) come into use while others
// identify: no call fails, and no set is seen in parts.
func TestSwapsUnderIdentification(t *testing.T) {
	w := newWorld(t, nil)
	w.serves("v0", prefix("A-"), prefix("B-"))
	if err := w.open(); err != nil {
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
