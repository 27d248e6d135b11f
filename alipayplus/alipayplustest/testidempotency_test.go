package alipayplustest_test

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// sound is a store like alipayplus.MemoryIdempotencyStore, with a place for
// each mistake.
type sound struct {
	mu      sync.Mutex
	records map[string]*soundRecord
	mistake string
}

type soundRecord struct {
	fingerprint [32]byte
	owner       string
	until       time.Time
	answered    bool
	answer      []byte
}

// mistakes are what an author of a store gets wrong, each once.
// TestIdempotencyStore must fail for every one of them.
var mistakes = []string{
	"forgets the fingerprint of an open record",
	"forgets the fingerprint of an answered record",
	"forgets the fingerprint of a crashed record",
	"compares fingerprints only in part",
	"lets a new record run twice, when claims meet",
	"lets run an open record twice, when claims meet",
	"lets run a crashed record twice, when claims meet",
	"lets run again what runs",
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
	"calls the retry of an open record the first",
	"calls the retry of a crashed record the first",
	"calls a new record a retry",
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

func (s *sound) Begin(_ context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
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
		look("lets a new record run twice, when claims meet")
		s.records[s.key(c)] = &soundRecord{fingerprint: c.Fingerprint, owner: c.Owner, until: now.Add(lease)}
		if s.is("calls a new record a retry") {
			return alipayplus.ClaimRetry, nil, nil
		}
		return alipayplus.ClaimFirst, nil, nil
	}
	running := r.owner != "" && now.Before(r.until)
	crashed := r.owner != "" && !running
	open := r.owner == "" && !r.answered
	same := r.fingerprint == c.Fingerprint
	switch {
	case s.is("forgets the fingerprint of an open record") && open,
		s.is("forgets the fingerprint of an answered record") && r.answered,
		s.is("forgets the fingerprint of a crashed record") && crashed:
		same = true
	case s.is("compares fingerprints only in part"):
		same = bytes.Equal(r.fingerprint[:31], c.Fingerprint[:31])
	}
	switch {
	case !same:
		return alipayplus.ClaimConflict, nil, nil
	case r.answered && !s.is("forgets the answer"):
		if s.is("gives its own slice away") {
			return alipayplus.ClaimAnswered, r.answer, nil
		}
		return alipayplus.ClaimAnswered, bytes.Clone(r.answer), nil
	case running && s.is("prolongs the lease with every claim"):
		r.until = now.Add(lease)
		return alipayplus.ClaimRunning, nil, nil
	case running && s.is("answers before it has an answer"):
		return alipayplus.ClaimAnswered, nil, nil
	case running && !s.is("lets run again what runs"):
		return alipayplus.ClaimRunning, nil, nil
	}
	if open {
		look("lets run an open record twice, when claims meet")
	}
	if crashed {
		look("lets run a crashed record twice, when claims meet")
	}
	r.fingerprint, r.owner, r.until = c.Fingerprint, c.Owner, now.Add(lease)
	lies := open && s.is("calls the retry of an open record the first") || crashed && s.is("calls the retry of a crashed record the first")
	if lies {
		return alipayplus.ClaimFirst, nil, nil
	}
	return alipayplus.ClaimRetry, nil, nil
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

func TestIdempotencyStoreFindsMistakes(t *testing.T) {
	t.Parallel()
	testkit.FindsMistakes(t, mistakes, func(t *testing.T, mistake string) {
		alipayplustest.TestIdempotencyStore(t, open(mistake))
	})
}
