package auth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// throughTransport calls see with the body of every request that is sent.
func (w *world) throughTransport(see func(body []byte)) {
	w.Helper()
	w.connect(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		see(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return w.gateway.RoundTrip(r)
	})
}

// refuseFirst makes Alipay+ answer the first request F with code, signed.
func (w *world) refuseFirst(code alipayplus.ResultCode) {
	w.Helper()
	refusing := alipayplustest.New(w)
	alipayplustest.Answer(refusing, auth.AuthNotify,
		func(context.Context, *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) { return nil, code })
	first := true
	w.connect(func(r *http.Request) (*http.Response, error) {
		if first {
			first = false
			return refusing.RoundTrip(r)
		}
		return w.gateway.RoundTrip(r)
	})
}

// connect makes the client send through rt.
func (w *world) connect(rt transport) {
	w.Helper()
	cfg := w.gateway.Config()
	cfg.Retry = alipayplus.NoRetry
	cfg.Transport = rt
	var err error
	if w.client, err = alipayplus.NewClient(cfg); err != nil {
		w.Fatal(err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// spyStore notes every record that is saved and every message that is put.
type spyStore struct {
	*auth.MemoryStores
	outbox alipayplus.Outbox

	mu    sync.Mutex
	saved [][]byte
}

func (s *spyStore) note(record any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = append(s.saved, dump(record))
}

func (s *spyStore) SaveCode(ctx context.Context, c auth.Code) error {
	s.note(c)
	return s.MemoryStores.SaveCode(ctx, c)
}

func (s *spyStore) SaveToken(ctx context.Context, t auth.Token) error {
	s.note(t)
	return s.MemoryStores.SaveToken(ctx, t)
}

func (s *spyStore) Put(ctx context.Context, m alipayplus.Message) error {
	data, err := m.MarshalBinary()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.saved = append(s.saved, data)
	s.mu.Unlock()
	return s.outbox.Put(ctx, m)
}

func (s *spyStore) Withdraw(ctx context.Context, operation, key string) error {
	return s.outbox.Withdraw(ctx, operation, key)
}

var errBroken = errors.New("the store is down")

// errCrash is what brokenStore panics with.
var errCrash = errors.New("the process is killed")

// brokenStore is Stores and an Outbox that fail at their call number failAt,
// from 1: with an error or by a crash, before or after the call took effect.
type brokenStore struct {
	*auth.MemoryStores
	memory *alipayplus.Memory
	failAt int
	after  bool // the call takes effect, but nobody learns of it
	crash  bool

	mu    sync.Mutex
	calls int
}

func (s *brokenStore) call(effect func() error) error {
	s.mu.Lock()
	s.calls++
	fail := s.calls == s.failAt
	s.mu.Unlock()
	if !fail {
		return effect()
	}
	if s.after {
		_ = effect()
	}
	if s.crash {
		panic(errCrash)
	}
	return errBroken
}

func (s *brokenStore) reached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls >= s.failAt
}

// InTx fails at its commit.
func (s *brokenStore) InTx(ctx context.Context, fn func(context.Context) error) (err error) {
	if s.memory.Joined(ctx) {
		return s.MemoryStores.InTx(ctx, fn)
	}
	var refused error
	err = s.MemoryStores.InTx(ctx, func(ctx context.Context) error {
		if refused = fn(ctx); refused != nil || s.after {
			return refused
		}
		return s.call(func() error { return nil })
	})
	if err == nil && refused == nil && s.after {
		err = s.call(func() error { return nil })
	}
	return err
}

func (s *brokenStore) FindCode(ctx context.Context, digest string) (c auth.Code, err error) {
	err = s.call(func() error { c, err = s.MemoryStores.FindCode(ctx, digest); return err })
	return c, err
}

func (s *brokenStore) SaveCode(ctx context.Context, c auth.Code) error {
	return s.call(func() error { return s.MemoryStores.SaveCode(ctx, c) })
}

func (s *brokenStore) FindToken(ctx context.Context, key string) (t auth.Token, err error) {
	err = s.call(func() error { t, err = s.MemoryStores.FindToken(ctx, key); return err })
	return t, err
}

func (s *brokenStore) SaveToken(ctx context.Context, t auth.Token) error {
	return s.call(func() error { return s.MemoryStores.SaveToken(ctx, t) })
}

func (s *brokenStore) DeleteCodes(ctx context.Context, now time.Time, n int) (deleted int, err error) {
	err = s.call(func() error { deleted, err = s.MemoryStores.DeleteCodes(ctx, now, n); return err })
	return deleted, err
}

func (s *brokenStore) TokensToErase(ctx context.Context, now time.Time, n int) (ids []string, err error) {
	err = s.call(func() error { ids, err = s.MemoryStores.TokensToErase(ctx, now, n); return err })
	return ids, err
}

func (s *brokenStore) Put(ctx context.Context, m alipayplus.Message) error {
	return s.call(func() error { return s.memory.Put(ctx, m) })
}

func (s *brokenStore) Withdraw(ctx context.Context, operation, key string) error {
	return s.call(func() error { return s.memory.Withdraw(ctx, operation, key) })
}

// survive runs f and reports whether it ended without a crash.
func survive(f func()) (alive bool) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); !ok || !errors.Is(err, errCrash) {
				panic(v)
			}
		}
	}()
	f()
	return true
}
