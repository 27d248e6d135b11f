package auth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// brokenStores are the mistakes that stores are made with, and the part of the
// contract that finds each.
var brokenStores = map[string]struct {
	part string
	open func(*auth.MemoryStores) auth.Stores
}{
	"forgets the version":              {"only the next version", func(m *auth.MemoryStores) auth.Stores { return lastWins{m} }},
	"checks, then writes":              {"of many concurrent inserts", func(m *auth.MemoryStores) auth.Stores { return &checkThenWrite{MemoryStores: m} }},
	"another error":                    {"a digest is taken once", func(m *auth.MemoryStores) auth.Stores { return otherError{m} }},
	"an error for nothing found":       {"tokens/an unknown key is not found", func(m *auth.MemoryStores) auth.Stores { return otherMissing{m} }},
	"drops the sealed answer":          {"codes/a record comes back whole", func(m *auth.MemoryStores) auth.Stores { return dropsSealed{m} }},
	"drops the kept token":             {"tokens/a record comes back whole", func(m *auth.MemoryStores) auth.Stores { return dropsAccess{m} }},
	"never deletes":                    {"what is old enough is deleted", func(m *auth.MemoryStores) auth.Stores { return neverDeletes{m} }},
	"deletes by expiry":                {"what is old enough is deleted", func(m *auth.MemoryStores) auth.Stores { return deletesEarly{m} }},
	"deletes without limit":            {"what is old enough is deleted", func(m *auth.MemoryStores) auth.Stores { return deletesAll{m} }},
	"keeps the caller's slices":        {"codes/records share no memory", func(m *auth.MemoryStores) auth.Stores { return &aliased{MemoryStores: m} }},
	"finds by the start of a key":      {"digests are compared exactly", func(m *auth.MemoryStores) auth.Stores { return &prefixed{MemoryStores: m} }},
	"finds former keys":                {"keys that a token lost", func(m *auth.MemoryStores) auth.Stores { return &formerKeys{MemoryStores: m} }},
	"lists all":                        {"what is to be erased", func(m *auth.MemoryStores) auth.Stores { return listsAll{m} }},
	"lists without limit":              {"what is to be erased", func(m *auth.MemoryStores) auth.Stores { return listsWithoutLimit{m} }},
	"lists in any order":               {"what is to be erased", func(m *auth.MemoryStores) auth.Stores { return reversed{m} }},
	"has no transactions":              {"an error or a panic undoes everything", func(m *auth.MemoryStores) auth.Stores { return noTransactions{m} }},
	"forgives a joined failure":        {"a transaction is joined", func(m *auth.MemoryStores) auth.Stores { return forgives{m} }},
	"a conflict ends it":               {"a conflict does not end", func(m *auth.MemoryStores) auth.Stores { return conflictEnds{m} }},
	"nothing found ends it":            {"a conflict does not end", func(m *auth.MemoryStores) auth.Stores { return missingEnds{m} }},
	"reads a snapshot":                 {"concurrent ones that read again", func(m *auth.MemoryStores) auth.Stores { return snapshot{m} }},
	"wraps the error of InTx":          {"an error or a panic undoes everything", func(m *auth.MemoryStores) auth.Stores { return hidesError{m} }},
	"takes an error for nothing found": {"what cannot be asked", func(m *auth.MemoryStores) auth.Stores { return errorIsMissing{m} }},
	"takes an error for a conflict":    {"what cannot be asked", func(m *auth.MemoryStores) auth.Stores { return errorIsConflict{m} }},
	"says that a code is stored":       {"what cannot be asked", func(m *auth.MemoryStores) auth.Stores { return storesNoCode{m} }},
	"says that a token is stored":      {"what cannot be asked", func(m *auth.MemoryStores) auth.Stores { return storesNoToken{m} }},
	"ignores the error of the commit":  {"an error or a panic undoes", func(m *auth.MemoryStores) auth.Stores { return ignoresCommit{m} }},
	"keeps the first time to delete":   {"what is old enough is deleted", func(m *auth.MemoryStores) auth.Stores { return &firstErase{MemoryStores: m} }},
	"deletes what is consumed":         {"what is old enough is deleted", func(m *auth.MemoryStores) auth.Stores { return &deletesConsumed{MemoryStores: m} }},
	"drops the agreement of a code":    {"codes/a record comes back whole", func(m *auth.MemoryStores) auth.Stores { return dropsAgreement{m} }},
	"keeps one scope of a token":       {"tokens/a record comes back whole", func(m *auth.MemoryStores) auth.Stores { return oneScope{m} }},
	"finds tokens by the start":        {"tokens/keys are compared exactly", func(m *auth.MemoryStores) auth.Stores { return &prefixedTokens{MemoryStores: m} }},
	"forgives a joined panic":          {"a transaction is joined", func(m *auth.MemoryStores) auth.Stores { return forgivesPanic{m} }},
	"forgets codes that expired":       {"codes/what expired is there", func(m *auth.MemoryStores) auth.Stores { return forgetsExpired{m} }},
	"forgets tokens that expired":      {"tokens/what expired is there", func(m *auth.MemoryStores) auth.Stores { return forgetsExpired{m} }},
	"hides cancelled tokens":           {"tokens/a record comes back whole", func(m *auth.MemoryStores) auth.Stores { return hidesCancelled{m} }},
}

type lastWins struct{ *auth.MemoryStores }

func (s lastWins) SaveCode(ctx context.Context, c auth.Code) error {
	if there, err := s.FindCode(ctx, c.Digest); err == nil {
		c.Version = there.Version + 1
	}
	return s.MemoryStores.SaveCode(ctx, c)
}

func (s lastWins) SaveToken(ctx context.Context, t auth.Token) error {
	if there, err := s.FindToken(ctx, t.ID); err == nil {
		t.Version = there.Version + 1
	}
	return s.MemoryStores.SaveToken(ctx, t)
}

// checkThenWrite compares versions, but not in one step with the writing.
type checkThenWrite struct {
	*auth.MemoryStores
	mu     sync.Mutex
	tokens map[string]auth.Token
}

func (s *checkThenWrite) SaveToken(_ context.Context, t auth.Token) error {
	s.mu.Lock()
	if s.tokens == nil {
		s.tokens = map[string]auth.Token{}
	}
	version := s.tokens[t.ID].Version
	s.mu.Unlock()
	if version != t.Version-1 {
		return auth.ErrConflict
	}
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.ID] = t
	return nil
}

func (s *checkThenWrite) FindToken(_ context.Context, key string) (auth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if slices.Contains(t.Keys(), key) {
			return t, nil
		}
	}
	return auth.Token{}, auth.ErrNotFound
}

// otherError says what happened in words of its own.
type otherError struct{ *auth.MemoryStores }

func (s otherError) SaveCode(ctx context.Context, c auth.Code) error {
	return foreign(s.MemoryStores.SaveCode(ctx, c))
}

func (s otherError) SaveToken(ctx context.Context, t auth.Token) error {
	return foreign(s.MemoryStores.SaveToken(ctx, t))
}

func foreign(err error) error {
	if err != nil {
		return fmt.Errorf("duplicate key value violates unique constraint")
	}
	return nil
}

type otherMissing struct{ *auth.MemoryStores }

func (s otherMissing) FindToken(ctx context.Context, key string) (auth.Token, error) {
	t, err := s.MemoryStores.FindToken(ctx, key)
	if err != nil {
		err = errors.New("no rows in result set")
	}
	return t, err
}

type dropsSealed struct{ *auth.MemoryStores }

func (s dropsSealed) SaveCode(ctx context.Context, c auth.Code) error {
	c.Repeat.Sealed = nil
	return s.MemoryStores.SaveCode(ctx, c)
}

type dropsAccess struct{ *auth.MemoryStores }

func (s dropsAccess) SaveToken(ctx context.Context, t auth.Token) error {
	t.Access = nil
	return s.MemoryStores.SaveToken(ctx, t)
}

type neverDeletes struct{ *auth.MemoryStores }

func (neverDeletes) DeleteCodes(context.Context, time.Time, int) (int, error) { return 0, nil }

type deletesEarly struct{ *auth.MemoryStores }

func (s deletesEarly) DeleteCodes(ctx context.Context, now time.Time, n int) (int, error) {
	return s.MemoryStores.DeleteCodes(ctx, now.Add(25*time.Hour), n)
}

type deletesAll struct{ *auth.MemoryStores }

func (s deletesAll) DeleteCodes(ctx context.Context, now time.Time, _ int) (int, error) {
	return s.MemoryStores.DeleteCodes(ctx, now, 1<<30)
}

// aliased keeps what it gets as it gets it.
type aliased struct {
	*auth.MemoryStores
	mu    sync.Mutex
	codes map[string]auth.Code
}

func (s *aliased) SaveCode(ctx context.Context, c auth.Code) error {
	err := s.MemoryStores.SaveCode(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes = map[string]auth.Code{}
	}
	if err == nil {
		s.codes[c.Digest] = c
	}
	return err
}

func (s *aliased) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	c, err := s.MemoryStores.FindCode(ctx, digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.codes[digest]; ok && err == nil && kept.Version == c.Version {
		return kept, nil
	}
	return c, err
}

// prefixed compares digests loosely.
type prefixed struct {
	*auth.MemoryStores
	mu   sync.Mutex
	keys []string
}

func (s *prefixed) SaveCode(ctx context.Context, c auth.Code) error {
	s.mu.Lock()
	s.keys = append(s.keys, c.Digest)
	s.mu.Unlock()
	return s.MemoryStores.SaveCode(ctx, c)
}

func (s *prefixed) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.keys {
		if strings.HasPrefix(key, strings.TrimRight(digest, " %")) {
			digest = key
		}
	}
	return s.MemoryStores.FindCode(ctx, digest)
}

// formerKeys never forgets a key.
type formerKeys struct {
	*auth.MemoryStores
	mu  sync.Mutex
	ids map[string]string
}

func (s *formerKeys) SaveToken(ctx context.Context, t auth.Token) error {
	err := s.MemoryStores.SaveToken(ctx, t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]string{}
	}
	if err == nil {
		for _, key := range t.Keys() {
			s.ids[key] = t.ID
		}
	}
	return err
}

func (s *formerKeys) FindToken(ctx context.Context, key string) (auth.Token, error) {
	s.mu.Lock()
	if id, ok := s.ids[key]; ok {
		key = id
	}
	s.mu.Unlock()
	return s.MemoryStores.FindToken(ctx, key)
}

type listsAll struct{ *auth.MemoryStores }

func (s listsAll) TokensToErase(ctx context.Context, now time.Time, n int) ([]string, error) {
	return s.MemoryStores.TokensToErase(ctx, now.Add(time.Hour), n)
}

type listsWithoutLimit struct{ *auth.MemoryStores }

func (s listsWithoutLimit) TokensToErase(ctx context.Context, now time.Time, _ int) ([]string, error) {
	return s.MemoryStores.TokensToErase(ctx, now, 1<<30)
}

type reversed struct{ *auth.MemoryStores }

func (s reversed) TokensToErase(ctx context.Context, now time.Time, n int) ([]string, error) {
	ids, err := s.MemoryStores.TokensToErase(ctx, now, n)
	slices.Reverse(ids)
	return ids, err
}

// noTransactions commits every step.
type noTransactions struct{ *auth.MemoryStores }

func (noTransactions) InTx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

// forgives lets an outer transaction commit after a joined function failed.
type forgives struct{ *auth.MemoryStores }

func (s forgives) InTx(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(forgivesKey{}) != nil {
		return fn(ctx)
	}
	return s.MemoryStores.InTx(context.WithValue(ctx, forgivesKey{}, true), fn)
}

type forgivesKey struct{}

// conflictEnds is a database that aborts a transaction after a conflict.
type conflictEnds struct{ *auth.MemoryStores }

func (s conflictEnds) SaveToken(ctx context.Context, t auth.Token) error {
	return s.InTx(ctx, func(ctx context.Context) error { return s.MemoryStores.SaveToken(ctx, t) })
}

type missingEnds struct{ *auth.MemoryStores }

func (s missingEnds) FindToken(ctx context.Context, key string) (t auth.Token, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error { t, err = s.MemoryStores.FindToken(ctx, key); return err })
	return t, err
}

// snapshot is REPEATABLE READ: a transaction always reads what was there at its
// first look, and writes only over that.
type snapshot struct{ *auth.MemoryStores }

type snapshotKey struct{}

func (s snapshot) InTx(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(snapshotKey{}) != nil {
		return s.MemoryStores.InTx(ctx, fn)
	}
	return fn(context.WithValue(ctx, snapshotKey{}, &sync.Map{}))
}

func (s snapshot) FindToken(ctx context.Context, key string) (auth.Token, error) {
	seen, ok := ctx.Value(snapshotKey{}).(*sync.Map)
	if !ok {
		return s.MemoryStores.FindToken(ctx, key)
	}
	if t, ok := seen.Load(key); ok {
		return t.(auth.Token), nil
	}
	t, err := s.MemoryStores.FindToken(ctx, key)
	if err == nil {
		seen.Store(key, t)
		time.Sleep(time.Millisecond)
	}
	return t, err
}

type hidesError struct{ *auth.MemoryStores }

func (s hidesError) InTx(ctx context.Context, fn func(context.Context) error) error {
	if err := s.MemoryStores.InTx(ctx, fn); err != nil {
		return errors.New("the transaction failed")
	}
	return nil
}

// errorIsMissing takes every error of the database for no row.
type errorIsMissing struct{ *auth.MemoryStores }

func (s errorIsMissing) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	if ctx.Err() != nil {
		return auth.Code{}, auth.ErrNotFound
	}
	return s.MemoryStores.FindCode(ctx, digest)
}

func (s errorIsMissing) FindToken(ctx context.Context, key string) (auth.Token, error) {
	if ctx.Err() != nil {
		return auth.Token{}, auth.ErrNotFound
	}
	return s.MemoryStores.FindToken(ctx, key)
}

// errorIsConflict takes every error of the database for a row that is there.
type errorIsConflict struct{ *auth.MemoryStores }

func (s errorIsConflict) SaveCode(ctx context.Context, c auth.Code) error {
	if ctx.Err() != nil {
		return auth.ErrConflict
	}
	return s.MemoryStores.SaveCode(ctx, c)
}

type storesNoCode struct{ *auth.MemoryStores }

func (s storesNoCode) SaveCode(ctx context.Context, c auth.Code) error {
	if ctx.Err() != nil {
		return nil
	}
	return s.MemoryStores.SaveCode(ctx, c)
}

type storesNoToken struct{ *auth.MemoryStores }

func (s storesNoToken) SaveToken(ctx context.Context, t auth.Token) error {
	if ctx.Err() != nil {
		return nil
	}
	return s.MemoryStores.SaveToken(ctx, t)
}

// ignoresCommit is a database that refuses to commit when the context ended, and
// a store that does not look.
type ignoresCommit struct{ *auth.MemoryStores }

func (s ignoresCommit) InTx(ctx context.Context, fn func(context.Context) error) error {
	err := s.MemoryStores.InTx(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), ctx.Err()) })
	if ctx.Err() != nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // of the line above
		return joined.Unwrap()[0]
	}
	return err
}

// firstErase writes the column for the time to delete with a new code only.
type firstErase struct {
	*auth.MemoryStores
	mu    sync.Mutex
	after map[string]time.Duration // what the record says too early
}

func (s *firstErase) SaveCode(ctx context.Context, c auth.Code) error {
	there, err := s.MemoryStores.FindCode(ctx, c.Digest)
	s.mu.Lock()
	if s.after == nil {
		s.after = map[string]time.Duration{}
	}
	if err == nil {
		s.after[c.Digest] = c.EraseAt.Sub(there.EraseAt)
		c.EraseAt = there.EraseAt
	}
	s.mu.Unlock()
	return s.MemoryStores.SaveCode(ctx, c)
}

func (s *firstErase) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	c, err := s.MemoryStores.FindCode(ctx, digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.EraseAt = c.EraseAt.Add(s.after[digest])
	return c, err
}

// deletesConsumed takes a code that was redeemed for one of no more use.
type deletesConsumed struct {
	*auth.MemoryStores
	mu       sync.Mutex
	consumed map[string]bool // false if it was not
	deleted  map[string]bool
}

func (s *deletesConsumed) SaveCode(ctx context.Context, c auth.Code) error {
	s.mu.Lock()
	if s.consumed == nil {
		s.consumed = map[string]bool{}
	}
	s.consumed[c.Digest] = !c.Consumed.IsZero()
	s.mu.Unlock()
	return s.MemoryStores.SaveCode(ctx, c)
}

func (s *deletesConsumed) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	s.mu.Lock()
	gone := s.deleted[digest]
	s.mu.Unlock()
	if gone {
		return auth.Code{}, auth.ErrNotFound
	}
	return s.MemoryStores.FindCode(ctx, digest)
}

func (s *deletesConsumed) DeleteCodes(ctx context.Context, now time.Time, n int) (int, error) {
	s.mu.Lock()
	s.deleted = maps.Clone(s.consumed)
	s.mu.Unlock()
	return s.MemoryStores.DeleteCodes(ctx, now, n)
}

type dropsAgreement struct{ *auth.MemoryStores }

func (s dropsAgreement) SaveCode(ctx context.Context, c auth.Code) error {
	c.Grant.ReferenceAgreementID, c.Grant.ReferenceMerchantID = "", ""
	return s.MemoryStores.SaveCode(ctx, c)
}

type oneScope struct{ *auth.MemoryStores }

func (s oneScope) SaveToken(ctx context.Context, t auth.Token) error {
	t.Grant.Scopes = t.Grant.Scopes[:min(len(t.Grant.Scopes), 1)]
	return s.MemoryStores.SaveToken(ctx, t)
}

// prefixedTokens compares keys loosely.
type prefixedTokens struct {
	*auth.MemoryStores
	mu   sync.Mutex
	keys []string
}

func (s *prefixedTokens) SaveToken(ctx context.Context, t auth.Token) error {
	s.mu.Lock()
	s.keys = append(s.keys, t.ID)
	s.mu.Unlock()
	return s.MemoryStores.SaveToken(ctx, t)
}

func (s *prefixedTokens) FindToken(ctx context.Context, key string) (auth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.keys {
		if prefix := strings.TrimRight(key, " %"); key != "" && strings.HasPrefix(id, prefix) {
			key = id
		}
	}
	return s.MemoryStores.FindToken(ctx, key)
}

// forgivesPanic commits what a joined function did that panicked, if somebody
// recovers.
type forgivesPanic struct{ *auth.MemoryStores }

func (s forgivesPanic) InTx(ctx context.Context, fn func(context.Context) error) error {
	var panicked any
	joined := ctx.Value(forgivesKey{}) != nil
	err := s.MemoryStores.InTx(context.WithValue(ctx, forgivesKey{}, true), func(ctx context.Context) error {
		if joined {
			defer func() { panicked = recover() }()
		}
		return fn(ctx)
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// forgetsExpired is a database that deletes by itself what expired.
type forgetsExpired struct{ *auth.MemoryStores }

func (s forgetsExpired) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	c, err := s.MemoryStores.FindCode(ctx, digest)
	if err == nil && c.Expiry.Before(time.Now()) {
		return auth.Code{}, auth.ErrNotFound
	}
	return c, err
}

func (s forgetsExpired) FindToken(ctx context.Context, key string) (auth.Token, error) {
	t, err := s.MemoryStores.FindToken(ctx, key)
	if err == nil && t.AccessExpiry.Before(time.Now()) {
		return auth.Token{}, auth.ErrNotFound
	}
	return t, err
}

type hidesCancelled struct{ *auth.MemoryStores }

func (s hidesCancelled) FindToken(ctx context.Context, key string) (auth.Token, error) {
	t, err := s.MemoryStores.FindToken(ctx, key)
	if err == nil && !t.Cancelled.IsZero() {
		return auth.Token{}, auth.ErrNotFound
	}
	return t, err
}

func newMemoryStores() *auth.MemoryStores { return auth.NewMemoryStores(alipayplus.NewMemory()) }
