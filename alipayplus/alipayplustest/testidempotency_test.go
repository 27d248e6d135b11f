package alipayplustest_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

// sound is a store like alipayplus.MemoryStore, with a place for each mistake.
type sound struct {
	mu      sync.Mutex
	records map[string]*soundRecord
	mistake string
}

type soundRecord struct {
	print    [32]byte
	owner    string
	until    time.Time
	answered bool
	answer   []byte
}

// mistakes are what an author of a store gets wrong, each once. TestStore must
// fail for every one of them.
var mistakes = []string{
	"forgets the print of an open record",
	"forgets the print of an answered record",
	"forgets the print of a crashed record",
	"compares prints only in part",
	"grants twice, when claims meet",
	"grants an open record twice, when claims meet",
	"grants a crashed record twice, when claims meet",
	"grants what runs",
	"forgets the answer",
	"cuts the answer",
	"answers before it has an answer",
	"accepts a superseded Finish",
	"accepts a superseded Finish without answer",
	"accepts the Finish of a stranger",
	"accepts a second Finish",
	"refuses the Finish of a run that only overran its lease",
	"never ends a lease",
	"ends every lease at once",
	"prolongs the lease with every claim",
	"has a lease of its own",
	"does not say Again for an open record",
	"does not say Again for a crashed record",
	"says Again for a new record",
	"keeps the caller's slice",
	"gives its own slice away",
	"ignores the operation",
	"joins operation and key",
	"ignores the case of keys",
	"trims keys",
	"cuts keys",
	"stores text",
}

func (s *sound) is(mistake string) bool { return s.mistake == mistake }

func (s *sound) key(c alipayplus.Claim) string {
	switch s.mistake {
	case "ignores the operation":
		return c.Key
	case "joins operation and key":
		return c.Operation + c.Key
	case "ignores the case of keys":
		return c.Operation + " " + strings.ToLower(c.Key)
	case "trims keys":
		return c.Operation + " " + strings.TrimSpace(c.Key)
	case "cuts keys":
		return c.Operation + " " + c.Key[:min(len(c.Key), 255)]
	}
	return c.Operation + " " + c.Key
}

func (s *sound) Begin(_ context.Context, c alipayplus.Claim) (alipayplus.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, lease := time.Now(), c.Lease
	switch s.mistake {
	case "never ends a lease":
		lease = time.Hour
	case "ends every lease at once":
		lease = 0
	case "has a lease of its own":
		lease = 100 * time.Millisecond
	}
	// look makes the moment between reading and writing long enough to be met.
	look := func(mistake string) {
		if s.is(mistake) {
			s.mu.Unlock()
			runtime.Gosched()
			time.Sleep(time.Millisecond)
			s.mu.Lock()
		}
	}
	r := s.records[s.key(c)]
	if r == nil {
		look("grants twice, when claims meet")
		s.records[s.key(c)] = &soundRecord{print: c.Fingerprint, owner: c.Owner, until: now.Add(lease)}
		return alipayplus.Standing{State: alipayplus.ClaimGranted, Again: s.is("says Again for a new record")}, nil
	}
	running := r.owner != "" && now.Before(r.until)
	crashed := r.owner != "" && !running
	open := r.owner == "" && !r.answered
	same := r.print == c.Fingerprint
	switch {
	case s.is("forgets the print of an open record") && open,
		s.is("forgets the print of an answered record") && r.answered,
		s.is("forgets the print of a crashed record") && crashed:
		same = true
	case s.is("compares prints only in part"):
		same = bytes.Equal(r.print[:31], c.Fingerprint[:31])
	}
	switch {
	case !same:
		return alipayplus.Standing{State: alipayplus.ClaimConflict}, nil
	case r.answered && !s.is("forgets the answer"):
		if s.is("gives its own slice away") {
			return alipayplus.Standing{State: alipayplus.ClaimAnswered, Answer: r.answer}, nil
		}
		return alipayplus.Standing{State: alipayplus.ClaimAnswered, Answer: bytes.Clone(r.answer)}, nil
	case running && s.is("prolongs the lease with every claim"):
		r.until = now.Add(lease)
		return alipayplus.Standing{State: alipayplus.ClaimRunning}, nil
	case running && s.is("answers before it has an answer"):
		return alipayplus.Standing{State: alipayplus.ClaimAnswered}, nil
	case running && !s.is("grants what runs"):
		return alipayplus.Standing{State: alipayplus.ClaimRunning}, nil
	}
	if open {
		look("grants an open record twice, when claims meet")
	}
	if crashed {
		look("grants a crashed record twice, when claims meet")
	}
	r.print, r.owner, r.until = c.Fingerprint, c.Owner, now.Add(lease)
	silent := open && s.is("does not say Again for an open record") || crashed && s.is("does not say Again for a crashed record")
	return alipayplus.Standing{State: alipayplus.ClaimGranted, Again: !silent}, nil
}

func (s *sound) Finish(_ context.Context, c alipayplus.Claim, answer []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[s.key(c)]
	if r == nil {
		return alipayplus.ErrSuperseded
	}
	mine := r.owner != "" && r.owner == c.Owner && !r.answered
	stranger := r.owner != c.Owner && r.owner != "" && !r.answered
	switch {
	case s.is("accepts a superseded Finish") && stranger && r.owner == "o2" && answer != nil,
		s.is("accepts a superseded Finish without answer") && stranger && r.owner == "o2" && answer == nil,
		s.is("accepts the Finish of a stranger") && stranger,
		s.is("accepts a second Finish") && r.answered:
		mine = true
	case s.is("refuses the Finish of a run that only overran its lease") && !time.Now().Before(r.until):
		mine = false
	}
	if !mine {
		return alipayplus.ErrSuperseded
	}
	r.owner = ""
	if answer != nil {
		r.answered, r.answer = true, bytes.Clone(answer)
		switch s.mistake {
		case "keeps the caller's slice":
			r.answer = answer
		case "cuts the answer":
			r.answer = r.answer[:min(len(r.answer), 1<<16)]
		case "stores text":
			r.answer = []byte(strings.ToValidUTF8(string(r.answer), "?"))
		}
	}
	return nil
}

func open(mistake string) func(*testing.T) alipayplus.IdempotencyStore {
	return func(*testing.T) alipayplus.IdempotencyStore {
		return &sound{records: map[string]*soundRecord{}, mistake: mistake}
	}
}

func TestStoreOnSoundStore(t *testing.T) {
	t.Parallel()
	alipayplustest.TestIdempotencyStore(t, open(""))
}

const control = "ALIPAYPLUS_TESTSTORE_CONTROL"

// TestStore finds every mistake: it runs on the broken stores in a process of
// its own, where it must fail.
func TestStoreFindsMistakes(t *testing.T) {
	t.Parallel()
	if os.Getenv(control) != "" {
		for _, mistake := range mistakes {
			t.Run(mistake, func(t *testing.T) {
				t.Parallel()
				alipayplustest.TestIdempotencyStore(t, open(mistake))
			})
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStoreFindsMistakes$", "-test.v", "-test.parallel=64", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), control+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("TestStore passed on broken stores")
	}
	failed := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ *--- FAIL: TestStoreFindsMistakes/([^/\n]*)/(.*) \(`).FindAllStringSubmatch(string(out), -1) {
		failed[m[1]] = m[2]
	}
	for _, mistake := range mistakes {
		by := failed[strings.ReplaceAll(mistake, " ", "_")]
		if by == "" {
			t.Errorf("TestStore passes on a store that %s", mistake)
		}
		t.Logf("%s: %s", mistake, by)
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
