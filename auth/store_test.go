package auth_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authtest"
)

func TestMemoryStore(t *testing.T) {
	authtest.TestCodeStore(t, func(*testing.T) auth.CodeStore { return auth.NewMemoryStore(1000) })
	authtest.TestTokenStore(t, func(*testing.T) auth.TokenStore { return auth.NewMemoryStore(1000) })
}

// It is bounded, and forgets nothing that is still of use.
func TestMemoryStoreIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := auth.NewMemoryStore(2)
		w := newWorld(t, func(c *auth.Config) {
			c.Codes, c.Tokens = store, store
			c.AccessTokenTTL, c.RefreshTokenTTL = 48*time.Hour, 72*time.Hour
		})
		w.store = store
		first := w.issueCode()
		w.issueCode()
		if _, err := w.service.IssueCode(t.Context(), login, nil); !errors.Is(err, auth.ErrFull) {
			t.Errorf("a third code: %v, want ErrFull", err)
		}
		answer := w.apply(applyCode(first)) // a change is no new record
		w.issue(agreement)
		other := agreement
		other.ReferenceAgreementID = "agreement-2"
		if _, err := w.service.Issue(t.Context(), other); !errors.Is(err, auth.ErrFull) {
			t.Errorf("a third token: %v, want ErrFull", err)
		}
		time.Sleep(auth.RepeatWindow)
		w.issueCode() // in the place of the spent one
		w.alive(answer.AccessToken)
		time.Sleep(72 * time.Hour)
		w.issue(other) // in the place of an expired one
		w.issueCode()
	})
}

// The contract suites find the mistakes that stores are made with.
func TestSuitesFindBrokenStores(t *testing.T) {
	codes := map[string]func(*auth.MemoryStore) auth.CodeStore{
		"forgets the version":         func(m *auth.MemoryStore) auth.CodeStore { return &lastWins{MemoryStore: m} },
		"checks, then writes":         func(m *auth.MemoryStore) auth.CodeStore { return &checkThenWrite{MemoryStore: m} },
		"another error":               func(m *auth.MemoryStore) auth.CodeStore { return otherError{m} },
		"drops the sealed answer":     func(m *auth.MemoryStore) auth.CodeStore { return dropsSealed{m} },
		"never deletes":               func(m *auth.MemoryStore) auth.CodeStore { return neverDeletes{m} },
		"deletes by expiry":           func(m *auth.MemoryStore) auth.CodeStore { return deletesEarly{m} },
		"keeps the caller's slices":   func(m *auth.MemoryStore) auth.CodeStore { return &aliased{MemoryStore: m} },
		"finds by the start of a key": func(m *auth.MemoryStore) auth.CodeStore { return &prefixed{MemoryStore: m} },
	}
	tokens := map[string]func(*auth.MemoryStore) auth.TokenStore{
		"forgets the version":     func(m *auth.MemoryStore) auth.TokenStore { return &lastWins{MemoryStore: m} },
		"checks, then writes":     func(m *auth.MemoryStore) auth.TokenStore { return &checkThenWrite{MemoryStore: m} },
		"another error":           func(m *auth.MemoryStore) auth.TokenStore { return otherError{m} },
		"drops the sealed answer": func(m *auth.MemoryStore) auth.TokenStore { return dropsSealed{m} },
		"finds former keys":       func(m *auth.MemoryStore) auth.TokenStore { return &prefixed{MemoryStore: m} },
		"lists all as due":        func(m *auth.MemoryStore) auth.TokenStore { return allDue{m} },
		"lists without limit":     func(m *auth.MemoryStore) auth.TokenStore { return noLimit{m} },
		"lists in any order":      func(m *auth.MemoryStore) auth.TokenStore { return reversed{m} },
		"digests are not unique":  func(m *auth.MemoryStore) auth.TokenStore { return &aliased{MemoryStore: m} },
	}
	const variable = "AUTH_TEST_BROKEN_STORE"
	kind, name, inside := strings.Cut(os.Getenv(variable), ":")
	switch {
	case inside && kind == "code":
		authtest.TestCodeStore(t, func(*testing.T) auth.CodeStore { return codes[name](auth.NewMemoryStore(1000)) })
		return
	case inside:
		authtest.TestTokenStore(t, func(*testing.T) auth.TokenStore { return tokens[name](auth.NewMemoryStore(1000)) })
		return
	}
	var names []string
	for name := range codes {
		names = append(names, "code:"+name)
	}
	for name := range tokens {
		names = append(names, "token:"+name)
	}
	slices.Sort(names)
	var wait sync.WaitGroup
	turns := make(chan bool, 4)
	for _, name := range names {
		wait.Go(func() {
			turns <- true
			defer func() { <-turns }()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuitesFindBrokenStores$")
			cmd.Env = append(os.Environ(), variable+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL") || strings.Contains(string(out), "panic") {
				t.Errorf("%s passes: %v\n%s", name, err, out)
			}
		})
	}
	wait.Wait()
}

// lastWins stores whatever comes last.
type lastWins struct {
	*auth.MemoryStore
	mu     sync.Mutex
	codes  map[string]auth.Code
	tokens map[string]auth.Token
}

func (s *lastWins) SaveCode(ctx context.Context, c auth.Code) error {
	if there, err := s.MemoryStore.FindCode(ctx, c.Digest); err == nil {
		there.Version++
		there.Grant, there.Consumed, there.Repeat = c.Grant, c.Consumed, c.Repeat
		c = there
	}
	return s.MemoryStore.SaveCode(ctx, c)
}

func (s *lastWins) SaveToken(ctx context.Context, t auth.Token) error {
	if there, err := s.MemoryStore.FindToken(ctx, t.ID); err == nil {
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
