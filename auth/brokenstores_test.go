package auth_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// lastWins stores whatever comes last.
type lastWins struct {
	*auth.MemoryStore
	mu     sync.Mutex
	codes  map[string]auth.Code
	tokens map[string]auth.Token
}

func (s *lastWins) SaveCode(ctx context.Context, c auth.Code) error {
	if there, err := s.FindCode(ctx, c.Digest); err == nil {
		there.Version++
		there.Grant, there.Consumed, there.Repeat = c.Grant, c.Consumed, c.Repeat
		c = there
	}
	return s.MemoryStore.SaveCode(ctx, c)
}

func (s *lastWins) SaveToken(ctx context.Context, t auth.Token) error {
	if there, err := s.FindToken(ctx, t.ID); err == nil {
		t.Version = there.Version + 1
	}
	return s.MemoryStore.SaveToken(ctx, t)
}

// checkThenWrite compares versions, but not in one step with the writing.
type checkThenWrite lastWins

func (s *checkThenWrite) SaveCode(ctx context.Context, c auth.Code) error {
	s.mu.Lock()
	if s.codes == nil {
		s.codes = map[string]auth.Code{}
	}
	version := s.codes[c.Digest].Version
	s.mu.Unlock()
	if version != c.Version-1 {
		return auth.ErrConflict
	}
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[c.Digest] = c
	return nil
}

func (s *checkThenWrite) FindCode(_ context.Context, digest string) (auth.Code, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.codes[digest]; ok {
		return c, nil
	}
	return auth.Code{}, auth.ErrNotFound
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
type otherError struct{ *auth.MemoryStore }

func (s otherError) SaveCode(ctx context.Context, c auth.Code) error {
	return foreign(s.MemoryStore.SaveCode(ctx, c))
}

func (s otherError) SaveToken(ctx context.Context, t auth.Token) error {
	return foreign(s.MemoryStore.SaveToken(ctx, t))
}

func foreign(err error) error {
	if err != nil {
		return fmt.Errorf("duplicate key value violates unique constraint")
	}
	return nil
}

type dropsSealed struct{ *auth.MemoryStore }

func (s dropsSealed) SaveCode(ctx context.Context, c auth.Code) error {
	c.Repeat.Sealed = nil
	return s.MemoryStore.SaveCode(ctx, c)
}

func (s dropsSealed) SaveToken(ctx context.Context, t auth.Token) error {
	t.Repeat.Sealed = nil
	return s.MemoryStore.SaveToken(ctx, t)
}

type neverDeletes struct{ *auth.MemoryStore }

func (neverDeletes) DeleteCodes(context.Context, time.Time) error { return nil }

type deletesEarly struct{ *auth.MemoryStore }

func (s deletesEarly) DeleteCodes(ctx context.Context, now time.Time) error {
	return s.MemoryStore.DeleteCodes(ctx, now.Add(25*time.Hour))
}

// aliased keeps what it gets as it gets it, and checks nothing but versions.
type aliased lastWins

func (s *aliased) SaveCode(_ context.Context, c auth.Code) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes = map[string]auth.Code{}
	}
	if s.codes[c.Digest].Version != c.Version-1 {
		return auth.ErrConflict
	}
	s.codes[c.Digest] = c
	return nil
}

func (s *aliased) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	return (*checkThenWrite)(s).FindCode(ctx, digest)
}

func (s *aliased) SaveToken(_ context.Context, t auth.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[string]auth.Token{}
	}
	if s.tokens[t.ID].Version != t.Version-1 {
		return auth.ErrConflict
	}
	s.tokens[t.ID] = t
	return nil
}

func (s *aliased) FindToken(ctx context.Context, key string) (auth.Token, error) {
	return (*checkThenWrite)(s).FindToken(ctx, key)
}

// prefixed compares keys loosely and never forgets one.
type prefixed struct {
	*auth.MemoryStore
	mu   sync.Mutex
	keys map[string]string
}

func (s *prefixed) note(key, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]string{}
	}
	s.keys[key] = id
}

func (s *prefixed) find(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, id := range s.keys {
		if strings.HasPrefix(k, key) {
			return id
		}
	}
	return key
}

func (s *prefixed) SaveCode(ctx context.Context, c auth.Code) error {
	s.note(c.Digest, c.Digest)
	return s.MemoryStore.SaveCode(ctx, c)
}

func (s *prefixed) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	return s.MemoryStore.FindCode(ctx, s.find(digest))
}

func (s *prefixed) SaveToken(ctx context.Context, t auth.Token) error {
	err := s.MemoryStore.SaveToken(ctx, t)
	if err == nil {
		for _, key := range t.Keys() {
			s.note(key, t.ID)
		}
	}
	return err
}

func (s *prefixed) FindToken(ctx context.Context, key string) (auth.Token, error) {
	return s.MemoryStore.FindToken(ctx, s.find(key))
}

type allDue struct{ *auth.MemoryStore }

func (s allDue) DueTokens(ctx context.Context, now time.Time, limit int) ([]auth.Token, error) {
	return s.MemoryStore.DueTokens(ctx, now.Add(time.Hour), limit)
}

type noLimit struct{ *auth.MemoryStore }

func (s noLimit) DueTokens(ctx context.Context, now time.Time, _ int) ([]auth.Token, error) {
	return s.MemoryStore.DueTokens(ctx, now, 1<<30)
}

type reversed struct{ *auth.MemoryStore }

func (s reversed) DueTokens(ctx context.Context, now time.Time, limit int) ([]auth.Token, error) {
	due, err := s.MemoryStore.DueTokens(ctx, now, limit)
	slices.Reverse(due)
	return due, err
}
