package alipayplus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// IdempotencyStore remembers what inbound requests were answered, so that a
// repeated request gets the same answer and changes nothing. It is shared by
// all processes that serve the same APIs: a table in the wallet's database, one
// row for each Operation and Key. alipayplustest.TestIdempotencyStore
// tests one against this contract.
//
// A record is running, open or answered:
//
//	absent ──Begin──▶ running ──Finish(answer)──▶ answered, for good
//	                    │  ▲
//	        Finish(nil) │  │ Begin, or Begin after the lease of a crashed run
//	                    ▼  │
//	                    open
//
// The fingerprint of the first claim is kept for good: a claim with another one
// is ClaimConflict in every state and changes nothing.
//
// Any error of an IdempotencyStore makes the answer U, never S or F. Its text
// is logged, so that it must not quote an answer.
type IdempotencyStore interface {
	// Begin asks to run. It is atomic: of many concurrent claims for one record
	// exactly one gets ClaimFirst or ClaimRetry. answer is what Finish got, for
	// ClaimAnswered alone. A store that cannot ask or write says so with an
	// error: nothing runs without a record.
	Begin(ctx context.Context, c Claim) (state ClaimState, answer []byte, err error)
	// Finish ends the run of c.Owner with the body of the answer; nil leaves the
	// record open, so that it may run again. It is atomic, too. If c.Owner does
	// not hold the record (any more) it is ErrSuperseded and nothing changes,
	// also if the record is open or has an answer.
	Finish(ctx context.Context, c Claim, answer []byte) error
}

// Claim asks a store whether the function of a request may run.
type Claim struct {
	Operation   string            // name of the API, at most 64 characters
	Key         string            // the idempotency key, never a secret: 1 to 256 bytes of UTF-8 without control characters, all of which count
	Owner       string            // this run, 26 random letters and digits
	Fingerprint [sha256.Size]byte // of what must not differ between two requests of one key
	// Lease is how long the run may take, on the store's clock. After it a run
	// that did not finish counts as crashed and another one may begin.
	Lease time.Duration
}

// ClaimState says whether a claim may run. The zero value says nothing, so that
// a store that forgets to set it lets nothing run.
type ClaimState uint8

// The states of a claim.
const (
	ClaimUndecided ClaimState = iota // not an answer
	ClaimFirst                       // the record is new: run, and then Finish
	ClaimRetry                       // an earlier run began and left no answer: run, and then Finish
	ClaimRunning                     // another run holds the record
	ClaimAnswered                    // the record has an answer
	ClaimConflict                    // the record has another fingerprint
)

// String returns the state as one word, for logs and tests.
func (s ClaimState) String() string {
	switch s {
	case ClaimUndecided:
		return "undecided"
	case ClaimFirst:
		return "first"
	case ClaimRetry:
		return "retry"
	case ClaimRunning:
		return "running"
	case ClaimAnswered:
		return "answered"
	case ClaimConflict:
		return "conflict"
	}
	return "ClaimState(" + strconv.Itoa(int(s)) + ")"
}

// ErrSuperseded is the error of IdempotencyStore.Finish for a run that lost its
// record: its lease ended and another run took over.
var ErrSuperseded = errors.New("alipayplus: another run took the record over")

// MemoryIdempotencyStore is an [IdempotencyStore] in memory, for tests and for
// a wallet that runs as one process and may forget everything with it. Make one
// with [NewMemoryIdempotencyStore].
type MemoryIdempotencyStore struct {
	mu      sync.Mutex
	max     int
	records map[recordKey]*record
}

type recordKey struct{ operation, key string }

type record struct {
	fingerprint [sha256.Size]byte
	owner       string // "" unless running
	until       time.Time
	answered    bool
	answer      Secret
}

var errStoreFull = errors.New("alipayplus: the memory store is full")

// NewMemoryIdempotencyStore returns a [MemoryIdempotencyStore] of at most
// maxRecords records. When it is full, new requests are refused with U: it
// never forgets an answer to make room, because a forgotten one is a payment
// made twice.
func NewMemoryIdempotencyStore(maxRecords int) *MemoryIdempotencyStore {
	return &MemoryIdempotencyStore{max: maxRecords, records: make(map[recordKey]*record)}
}

// String returns how many records there are, so that no log shows one.
func (m *MemoryIdempotencyStore) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("MemoryIdempotencyStore{%d of %d records}", len(m.records), m.max)
}

// Begin implements [IdempotencyStore].
func (m *MemoryIdempotencyStore) Begin(_ context.Context, c Claim) (state ClaimState, answer []byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	r := m.records[recordKey{c.Operation, c.Key}]
	switch {
	case r == nil:
		if len(m.records) >= m.max {
			return ClaimUndecided, nil, errStoreFull
		}
		m.records[recordKey{c.Operation, c.Key}] = &record{fingerprint: c.Fingerprint, owner: c.Owner, until: now.Add(c.Lease)}
		return ClaimFirst, nil, nil
	case r.fingerprint != c.Fingerprint:
		return ClaimConflict, nil, nil
	case r.answered:
		return ClaimAnswered, []byte(r.answer.Reveal()), nil
	case r.owner != "" && now.Before(r.until):
		return ClaimRunning, nil, nil
	}
	r.owner, r.until = c.Owner, now.Add(c.Lease)
	return ClaimRetry, nil, nil
}

// Finish implements [IdempotencyStore].
func (m *MemoryIdempotencyStore) Finish(_ context.Context, c Claim, answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.records[recordKey{c.Operation, c.Key}]
	if r == nil || r.answered || r.owner == "" || r.owner != c.Owner {
		return ErrSuperseded
	}
	r.owner = ""
	if answer != nil {
		r.answered, r.answer = true, Conceal(string(answer))
	}
	return nil
}

// maxKey is the longest idempotency key. A store that cut it would mix two
// payments.
const maxKey = 256

// brokenKeyRule returns the rule that an idempotency key breaks, "" if none. A
// database cannot keep every text: PostgreSQL refuses U+0000 and what is no
// UTF-8.
func brokenKeyRule(key string) string {
	switch {
	case key == "":
		return "is empty"
	case len(key) > maxKey:
		return "is longer than 256 bytes"
	case !utf8.ValidString(key):
		return "is not UTF-8"
	case strings.ContainsFunc(key, unicode.IsControl):
		return "has a control character"
	}
	return ""
}
