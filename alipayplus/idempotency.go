package alipayplus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// IdempotencyStore remembers what inbound requests were answered, so that a repeated
// request gets the same answer and changes nothing. It is shared by all
// processes that serve the same APIs: a table in the wallet's database, one row
// for each Operation and Key. alipayplustest.TestStore is the contract as a
// test.
//
// A record is running, open or answered:
//
//	absent ──Begin──▶ running ──Finish(answer)──▶ answered, for good
//	                    │  ▲
//	        Finish(nil) │  │ Begin, or Begin after the lease of a crashed run
//	                    ▼  │
//	                    open
//
// The Print of the first claim is kept for good: a claim with another Print is
// ClaimConflict in every state and changes nothing.
//
// Any error of a IdempotencyStore makes the answer U, never S or F. Its text is logged, so
// that it must not quote an answer.
type IdempotencyStore interface {
	// Begin asks to run. It is atomic: of many concurrent claims for one record
	// exactly one is granted.
	Begin(ctx context.Context, c Claim) (Standing, error)
	// Finish ends the run of c.Owner with the body of the answer; nil leaves the
	// record open, so that it may run again. If c.Owner does not hold the
	// record (any more) it is ErrSuperseded and nothing changes.
	Finish(ctx context.Context, c Claim, answer []byte) error
}

// Claim is a request's wish to run.
type Claim struct {
	Operation   string            // name of the API, at most 64 characters
	Key         string            // the idempotency key, never a secret: 1 to 256 bytes, all of which count
	Owner       string            // this run, 26 random letters and digits
	Fingerprint [sha256.Size]byte // of what must not differ between two requests of one key
	// Lease is how long the run may take, on the store's clock. After it a run
	// that did not finish counts as crashed and another one may begin.
	Lease time.Duration
}

// Standing is the answer to a Claim.
type Standing struct {
	State  ClaimState
	Again  bool   // ClaimGranted: an earlier run began and left no answer
	Answer []byte // ClaimAnswered: as Finish got it
}

// String is all but the answer.
func (s Standing) String() string {
	return fmt.Sprintf("Standing{state %d, again %t, %d bytes}", s.State, s.Again, len(s.Answer))
}

// Format prints String for every verb.
func (s Standing) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String for log/slog.
func (s Standing) LogValue() slog.Value { return slog.StringValue(s.String()) }

// ClaimState says whether a claim may run. The zero value says nothing, so that
// a Store that forgets to set it grants nothing.
type ClaimState uint8

// The states of a claim.
const (
	ClaimUndecided ClaimState = iota // not an answer
	ClaimGranted                     // run, and then Finish
	ClaimRunning                     // another run holds the record
	ClaimAnswered                    // the record has an answer
	ClaimConflict                    // the record has another Print
)

// ErrSuperseded is the error of Store.Finish for a run that lost its record:
// its lease ended and another run took over.
var ErrSuperseded = errors.New("alipayplus: another run took the record over")

// MemoryIdempotencyStore is a Store in memory, for tests and for a wallet that runs as one
// process and may forget everything with it. Make one with NewMemoryStore.
type MemoryIdempotencyStore struct {
	mu      sync.Mutex
	max     int
	records map[recordKey]*record
}

type recordKey struct{ operation, key string }

type record struct {
	print    [sha256.Size]byte
	owner    string // "" unless running
	until    time.Time
	answered bool
	answer   Secret
}

var errStoreFull = errors.New("alipayplus: the memory store is full")

// NewMemoryIdempotencyStore is a MemoryStore of at most maxRecords records. When it is
// full, new requests are refused with U: it never forgets an answer to make
// room, because a forgotten one is a payment made twice.
func NewMemoryIdempotencyStore(maxRecords int) *MemoryIdempotencyStore {
	return &MemoryIdempotencyStore{max: maxRecords, records: make(map[recordKey]*record)}
}

// String is how many records there are, so that no log shows one.
func (m *MemoryIdempotencyStore) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("MemoryStore{%d of %d records}", len(m.records), m.max)
}

// Begin implements Store.
func (m *MemoryIdempotencyStore) Begin(_ context.Context, c Claim) (Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	r := m.records[recordKey{c.Operation, c.Key}]
	switch {
	case r == nil:
		if len(m.records) >= m.max {
			return Standing{}, errStoreFull
		}
		m.records[recordKey{c.Operation, c.Key}] = &record{print: c.Fingerprint, owner: c.Owner, until: now.Add(c.Lease)}
		return Standing{State: ClaimGranted}, nil
	case r.print != c.Fingerprint:
		return Standing{State: ClaimConflict}, nil
	case r.answered:
		return Standing{State: ClaimAnswered, Answer: []byte(r.answer.Reveal())}, nil
	case r.owner != "" && now.Before(r.until):
		return Standing{State: ClaimRunning}, nil
	}
	r.owner, r.until = c.Owner, now.Add(c.Lease)
	return Standing{State: ClaimGranted, Again: true}, nil
}

// Finish implements Store.
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
