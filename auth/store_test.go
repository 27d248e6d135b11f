package auth_test

import (
	"errors"
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
