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

// slow processes a request only after d.
func slow(d time.Duration) alipayplustest.Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		time.Sleep(d)
		return serve(r), nil
	}
}

// spyStore notes every record that is saved.
type spyStore struct {
	*auth.MemoryStore
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
	return s.MemoryStore.SaveCode(ctx, c)
}

func (s *spyStore) SaveToken(ctx context.Context, t auth.Token) error {
	s.note(t)
	return s.MemoryStore.SaveToken(ctx, t)
}

var errBroken = errors.New("the store is down")

// errCrash is what brokenStore panics with.
var errCrash = errors.New("the process is killed")

// brokenStore fails at its call number failAt, from 1: with an error or by a
// crash, before or after the call took effect.
type brokenStore struct {
	*auth.MemoryStore
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

func (s *brokenStore) FindCode(ctx context.Context, digest string) (c auth.Code, err error) {
	err = s.call(func() error { c, err = s.MemoryStore.FindCode(ctx, digest); return err })
	return c, err
}

func (s *brokenStore) SaveCode(ctx context.Context, c auth.Code) error {
	return s.call(func() error { return s.MemoryStore.SaveCode(ctx, c) })
}

func (s *brokenStore) DeleteCodes(ctx context.Context, now time.Time) error {
	return s.call(func() error { return s.MemoryStore.DeleteCodes(ctx, now) })
}

func (s *brokenStore) FindToken(ctx context.Context, key string) (t auth.Token, err error) {
	err = s.call(func() error { t, err = s.MemoryStore.FindToken(ctx, key); return err })
	return t, err
}

func (s *brokenStore) SaveToken(ctx context.Context, t auth.Token) error {
	return s.call(func() error { return s.MemoryStore.SaveToken(ctx, t) })
}

func (s *brokenStore) DueTokens(ctx context.Context, now time.Time, limit int) (due []auth.Token, err error) {
	err = s.call(func() error { due, err = s.MemoryStore.DueTokens(ctx, now, limit); return err })
	return due, err
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
