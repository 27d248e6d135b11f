package auth

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/undo"
)

// MemoryStores are [Stores] in an [alipayplus.Memory], for tests, examples and
// programs that may forget everything when they end. Make them with
// NewMemoryStores.
type MemoryStores struct {
	memory *alipayplus.Memory
	codes  map[string]Code   // by digest
	tokens map[string]Token  // by ID
	ids    map[string]string // ID of a token, by each of its keys
}

var _ Stores = (*MemoryStores)(nil)

// NewMemoryStores keeps codes and tokens in m, together with its outbox.
func NewMemoryStores(m *alipayplus.Memory) *MemoryStores {
	return &MemoryStores{m, map[string]Code{}, map[string]Token{}, map[string]string{}}
}

// InTx implements Stores.
func (m *MemoryStores) InTx(ctx context.Context, fn func(context.Context) error) error {
	return m.memory.InTx(ctx, fn)
}

// in runs fn in a transaction. Its error is an answer and undoes nothing: fn
// changes nothing if it fails.
func (m *MemoryStores) in(ctx context.Context, fn func(context.Context) error) (answer error) {
	if err := m.memory.InTx(ctx, func(ctx context.Context) error { answer = fn(ctx); return nil }); err != nil {
		return err
	}
	return answer
}

// FindCode implements Stores.
func (m *MemoryStores) FindCode(ctx context.Context, digest string) (c Code, err error) {
	err = m.in(ctx, func(context.Context) error {
		there, ok := m.codes[digest]
		if !ok {
			return ErrNotFound
		}
		c = there.clone()
		return nil
	})
	return c, err
}

// SaveCode implements Stores.
func (m *MemoryStores) SaveCode(ctx context.Context, c Code) error {
	return m.in(ctx, func(ctx context.Context) error {
		if m.codes[c.Digest].Version != c.Version-1 {
			return ErrConflict
		}
		undo.Set(ctx, m.memory, m.codes, c.Digest, c.clone())
		return nil
	})
}

// DeleteCodes implements Stores.
func (m *MemoryStores) DeleteCodes(ctx context.Context, now time.Time, n int) (deleted int, err error) {
	err = m.in(ctx, func(ctx context.Context) error {
		for digest, c := range m.codes {
			if deleted < n && !c.EraseAt.After(now) {
				undo.Delete(ctx, m.memory, m.codes, digest)
				deleted++
			}
		}
		return nil
	})
	return deleted, err
}

// FindToken implements Stores.
func (m *MemoryStores) FindToken(ctx context.Context, key string) (t Token, err error) {
	err = m.in(ctx, func(context.Context) error {
		id, ok := m.ids[key]
		if !ok {
			return ErrNotFound
		}
		t = m.tokens[id].clone()
		return nil
	})
	return t, err
}

// SaveToken implements Stores.
func (m *MemoryStores) SaveToken(ctx context.Context, t Token) error {
	return m.in(ctx, func(ctx context.Context) error {
		before := m.tokens[t.ID]
		if before.Version != t.Version-1 {
			return ErrConflict
		}
		for _, key := range t.Keys() {
			if id, ok := m.ids[key]; ok && id != t.ID {
				return ErrConflict
			}
		}
		if before.Version > 0 {
			for _, key := range before.Keys() {
				undo.Delete(ctx, m.memory, m.ids, key)
			}
		}
		for _, key := range t.Keys() {
			undo.Set(ctx, m.memory, m.ids, key, t.ID)
		}
		undo.Set(ctx, m.memory, m.tokens, t.ID, t.clone())
		return nil
	})
}

// TokensToErase implements Stores.
func (m *MemoryStores) TokensToErase(ctx context.Context, now time.Time, n int) (ids []string, err error) {
	err = m.in(ctx, func(context.Context) error {
		for id, t := range m.tokens {
			if at := t.EraseAt(); !at.IsZero() && !at.After(now) {
				ids = append(ids, id)
			}
		}
		slices.SortFunc(ids, func(a, b string) int {
			return cmp.Or(m.tokens[a].EraseAt().Compare(m.tokens[b].EraseAt()), cmp.Compare(a, b))
		})
		ids = ids[:min(len(ids), max(n, 0))]
		return nil
	})
	return ids, err
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
	t.Access = bytes.Clone(t.Access)
	return t
}
