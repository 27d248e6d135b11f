package alipayplustest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"path"
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
	first       time.Duration // the first lease
	answered    bool
	answer      []byte
	last        string // who finished
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
	"lets run when it cannot ask",
	"says that an answer is kept when it is not",
	"takes an error for a run that took over",
	"forgets an open record after its lease",
	"does not renew the lease of an open record",
	"keeps the length of the first lease",
	"prolongs the lease at a conflict",
	"accepts the Finish of an open record",
	"accepts a superseded Finish after the answer",
	"finishes in two steps",
	"finishes twice, when calls meet",
	"folds accents in keys",
	"composes the characters of keys",
	"has no characters beyond the first plane",
	"drops invisible characters of keys",
	"reads keys as patterns",
	"cuts operations",
	"stores fingerprints as text",
	"cuts fingerprints at NUL",
	"ignores the case of fingerprints in base64",
	"trims fingerprints",
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
	case "folds accents in keys":
		return c.Operation + " " + strings.NewReplacer("ä", "a", "á", "a", "a\u0301", "a").Replace(c.Key)
	case "composes the characters of keys":
		return c.Operation + " " + strings.ReplaceAll(c.Key, "a\u0301", "á")
	case "has no characters beyond the first plane":
		return c.Operation + " " + strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '?'
			}
			return r
		}, c.Key)
	case "drops invisible characters of keys":
		return c.Operation + " " + strings.ReplaceAll(c.Key, "\u200b", "")
	case "reads keys as patterns":
		for known := range s.records {
			if pattern, err := path.Match(strings.NewReplacer("_", "?", "%", "*", "/", "|").Replace(c.Operation+" "+c.Key), strings.ReplaceAll(known, "/", "|")); err == nil && pattern {
				return known
			}
		}
	case "cuts operations":
		return c.Operation[:min(len(c.Operation), 63)] + " " + c.Key
	}
	return c.Operation + " " + c.Key
}

// same compares two fingerprints.
func (s *sound) same(a, b [32]byte) bool {
	column := func(f [32]byte) string { return string(f[:]) }
	switch s.mistake {
	case "compares fingerprints only in part":
		column = func(f [32]byte) string { return string(f[:31]) }
	case "stores fingerprints as text":
		column = func(f [32]byte) string { return strings.ToValidUTF8(string(f[:]), "?") }
	case "cuts fingerprints at NUL":
		column = func(f [32]byte) string { text, _, _ := strings.Cut(string(f[:]), "\x00"); return text }
	case "ignores the case of fingerprints in base64":
		column = func(f [32]byte) string { return strings.ToLower(base64.StdEncoding.EncodeToString(f[:])) }
	case "trims fingerprints":
		column = func(f [32]byte) string { return strings.TrimRight(string(f[:]), " \x00") }
	}
	return column(a) == column(b)
}

// look makes the moment between reading and writing long enough to be met.
func (s *sound) look(mistake string) {
	if s.is(mistake) {
		s.mu.Unlock()
		runtime.Gosched()
		time.Sleep(10 * time.Millisecond)
		s.mu.Lock()
	}
}

func (s *sound) Begin(ctx context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	if err := ctx.Err(); err != nil {
		if s.is("lets run when it cannot ask") {
			return alipayplus.ClaimFirst, nil, nil
		}
		return alipayplus.ClaimUndecided, nil, err
	}
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
	r := s.records[s.key(c)]
	if r != nil && r.owner == "" && !r.answered && now.After(r.until) && s.is("forgets an open record after its lease") {
		r = nil
	}
	if r == nil {
		s.look("lets a new record run twice, when claims meet")
		s.records[s.key(c)] = &soundRecord{fingerprint: c.Fingerprint, owner: c.Owner, until: now.Add(lease), first: lease}
		if s.is("calls a new record a retry") {
			return alipayplus.ClaimRetry, nil, nil
		}
		return alipayplus.ClaimFirst, nil, nil
	}
	running := r.owner != "" && now.Before(r.until)
	crashed := r.owner != "" && !running
	open := r.owner == "" && !r.answered
	same := s.same(r.fingerprint, c.Fingerprint)
	switch {
	case s.is("forgets the fingerprint of an open record") && open,
		s.is("forgets the fingerprint of an answered record") && r.answered,
		s.is("forgets the fingerprint of a crashed record") && crashed:
		same = true
	}
	switch {
	case !same && running && s.is("prolongs the lease at a conflict"):
		r.until = now.Add(lease)
		return alipayplus.ClaimConflict, nil, nil
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
		s.look("lets run an open record twice, when claims meet")
	}
	if crashed {
		s.look("lets run a crashed record twice, when claims meet")
	}
	switch {
	case s.is("keeps the length of the first lease"):
		lease = r.first
	case open && s.is("does not renew the lease of an open record"):
		lease = r.until.Sub(now)
	}
	r.fingerprint, r.owner, r.until = c.Fingerprint, c.Owner, now.Add(lease)
	lies := open && s.is("calls the retry of an open record the first") || crashed && s.is("calls the retry of a crashed record the first")
	if lies {
		return alipayplus.ClaimFirst, nil, nil
	}
	return alipayplus.ClaimRetry, nil, nil
}

func (s *sound) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	if err := ctx.Err(); err != nil {
		switch s.mistake {
		case "says that an answer is kept when it is not":
			return nil
		case "takes an error for a run that took over":
			return alipayplus.ErrSuperseded
		}
		return err
	}
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
		s.is("accepts a second Finish") && r.answered,
		s.is("accepts the Finish of an open record") && r.owner == "" && !r.answered:
		mine = true
	case s.is("accepts a superseded Finish after the answer") && r.answered && r.last != c.Owner:
		return nil
	case s.is("refuses the Finish of a run that only overran its lease") && !time.Now().Before(r.until):
		mine = false
	}
	if !mine {
		return alipayplus.ErrSuperseded
	}
	s.look("finishes in two steps")
	s.look("finishes twice, when calls meet")
	r.owner, r.last = "", c.Owner
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
