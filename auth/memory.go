package auth

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryStore is a CodeStore and a TokenStore for tests and for programs that
// may forget everything when they end.
type MemoryStore struct {
	limit int

	mu     sync.Mutex
	codes  map[string]Code   // by digest
	tokens map[string]Token  // by ID
	ids    map[string]string // ID of a token, by each of its keys
}

var (
	_ CodeStore  = (*MemoryStore)(nil)
	_ TokenStore = (*MemoryStore)(nil)
)

// NewMemoryStore makes a store of at most limit codes and limit tokens. When it
// is full it forgets codes and tokens that are of no more use; if there are
// none, it refuses new ones with ErrFull.
func NewMemoryStore(limit int) *MemoryStore {
	return &MemoryStore{
		limit:  max(limit, 1),
		codes:  make(map[string]Code),
		tokens: make(map[string]Token),
		ids:    make(map[string]string),
	}
}

// String says how many records there are.
func (m *MemoryStore) String() string {
	if m == nil {
		return "<nil>"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("auth.MemoryStore{%d codes, %d tokens}", len(m.codes), len(m.tokens))
}

// FindCode implements CodeStore.
func (m *MemoryStore) FindCode(_ context.Context, digest string) (Code, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.codes[digest]
	if !ok {
		return Code{}, ErrNotFound
	}
	return c.clone(), nil
}

// SaveCode implements CodeStore.
func (m *MemoryStore) SaveCode(_ context.Context, c Code) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.codes[c.Digest].Version != c.Version-1 {
		return ErrConflict
	}
	if c.Version == 1 && len(m.codes) >= m.limit {
		m.deleteCodes(time.Now())
		if len(m.codes) >= m.limit {
			return ErrFull
		}
	}
	m.codes[c.Digest] = c.clone()
	return nil
}

// DeleteCodes implements CodeStore.
func (m *MemoryStore) DeleteCodes(_ context.Context, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleteCodes(now)
	return nil
}

func (m *MemoryStore) deleteCodes(now time.Time) {
	maps.DeleteFunc(m.codes, func(_ string, c Code) bool { return !c.EraseAt.After(now) })
}

// FindToken implements TokenStore.
func (m *MemoryStore) FindToken(_ context.Context, key string) (Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.ids[key]
	if !ok {
		return Token{}, ErrNotFound
	}
	return m.tokens[id].clone(), nil
}

// SaveToken implements TokenStore.
func (m *MemoryStore) SaveToken(_ context.Context, t Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.tokens[t.ID]
	if before.Version != t.Version-1 {
		return ErrConflict
	}
	for _, key := range t.Keys() {
		if id, ok := m.ids[key]; ok && id != t.ID {
			return ErrConflict
		}
	}
	if t.Version == 1 && len(m.tokens) >= m.limit {
		m.deleteTokens(time.Now())
		if len(m.tokens) >= m.limit {
			return ErrFull
		}
	}
	if t.Version > 1 {
		m.unlink(before)
	}
	for _, key := range t.Keys() {
		m.ids[key] = t.ID
	}
	m.tokens[t.ID] = t.clone()
	return nil
}

func (m *MemoryStore) deleteTokens(now time.Time) {
	for id, t := range m.tokens {
		if !t.end().After(now) {
			m.unlink(t)
			delete(m.tokens, id)
		}
	}
}

func (m *MemoryStore) unlink(t Token) {
	for _, key := range t.Keys() {
		delete(m.ids, key)
	}
}

// DueTokens implements TokenStore.
func (m *MemoryStore) DueTokens(_ context.Context, now time.Time, limit int) ([]Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []Token
	for _, t := range m.tokens {
		if at := t.Due(); !at.IsZero() && !at.After(now) {
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b Token) int {
		return cmp.Or(a.Due().Compare(b.Due()), cmp.Compare(a.ID, b.ID))
	})
	due = due[:min(len(due), max(limit, 0))]
	for i := range due {
		due[i] = due[i].clone()
	}
	return due, nil
}

// clone shares no memory with c.
func (c Code) clone() Code {
	c.Grant.Scopes = slices.Clone(c.Grant.Scopes)
	c.Repeat.Sealed = bytes.Clone(c.Repeat.Sealed)
	return c
}

// clone shares no memory with t.
func (t Token) clone() Token {
	t.Grant.Scopes = slices.Clone(t.Grant.Scopes)
	t.Repeat.Sealed = bytes.Clone(t.Repeat.Sealed)
	t.Notice.Sealed = bytes.Clone(t.Notice.Sealed)
	t.Access = bytes.Clone(t.Access)
	return t
}
