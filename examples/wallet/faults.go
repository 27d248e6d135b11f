package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

// api is one that can be disturbed.
type api struct {
	Name    string
	What    string
	Inbound bool // Alipay+ calls it
}

var apis = []api{
	{"userInitiatedPay", "decode a scanned code", false},
	{"notifyPayment", "report a payment’s result", false},
	{"authNotify", "report a new token", false},
	{"consultUnbinding", "ask whether to unbind", false},
	{"pay", "Easy Pay and one-click", true},
	{"inquiryPayment", "ask how a payment is", true},
	{"cancelPayment", "take a payment back", true},
	{"refund", "give money back", true},
}

// faultKind is a way in which an exchange goes wrong.
type faultKind struct {
	ID, Name string
	Outbound bool // only Alipay+ as a server can do it
}

var faultKinds = []faultKind{
	{"request", "Request gets lost", false},
	{"answer", "Answer gets lost", false},
	{"unknown", "Answer says U, unknown", true},
	{"refused", "Answer says F, refused", true},
	{"duplicate", "Arrives twice", false},
	{"tamper", "Is changed on its way", false},
	{"slow", "Takes 6 seconds", false},
	{"down", "Nobody is there", false},
}

// armed is a fault that waits for its exchange.
type armed struct {
	Kind string
	Left int // how many exchanges; negative: all
}

// faults are what is to go wrong.
type faults struct {
	changed notifier
	mu      sync.Mutex
	armed   map[string]armed // by API
}

func newFaults() *faults { return &faults{armed: make(map[string]armed)} }

// set arms a fault; an empty kind or a zero count disarms the API.
func (f *faults) set(name, kind string, count int) error {
	defer f.changed.tell() // other windows show the switches, too
	for _, a := range apis {
		if a.Name != name {
			continue
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if kind == "" || count == 0 {
			delete(f.armed, name)
			return nil
		}
		for _, k := range faultKinds {
			if k.ID == kind && (!k.Outbound || !a.Inbound) {
				f.armed[name] = armed{kind, count}
				return nil
			}
		}
	}
	return errors.New("no such API or fault")
}

func (f *faults) get(name string) armed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.armed[name]
}

// take is the fault of the next exchange.
func (f *faults) take(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.armed[name]
	if a.Left > 0 {
		if a.Left--; a.Left == 0 {
			delete(f.armed, name)
		} else {
			f.armed[name] = a
		}
		defer f.changed.tell()
	}
	return a.Kind
}

const slowness = 6 * time.Second

// before disturbs what the wallet asks Alipay+.
func (f *faults) before(g *alipayplustest.Gateway) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if fault := outboundFault(f.take(name)); fault != nil {
			g.Fail(operation(name), fault)
		}
		g.ServeHTTP(w, r)
	})
}

type operation string

func (o operation) Name() string { return string(o) }

func outboundFault(kind string) alipayplustest.Fault {
	switch kind {
	case "request":
		return alipayplustest.LoseRequest()
	case "answer":
		return alipayplustest.LoseAnswer()
	case "unknown":
		return alipayplustest.Unknown(alipayplus.CodeUnknownException)
	case "refused":
		return alipayplustest.Refused(alipayplus.CodeProcessFail)
	case "duplicate":
		return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
			_ = serve(r).Body.Close()
			return serve(r), nil
		}
	case "tamper":
		return alipayplustest.Tamper()
	case "slow":
		return alipayplustest.Delay(slowness)
	case "down":
		return alipayplustest.BadGateway()
	}
	return nil
}

// between disturbs what Alipay+ asks the wallet.
// note gets what the wallet does not see.
func (f *faults) between(next http.RoundTripper, note func(message)) http.RoundTripper {
	return disturbed{f, next, note}
}

type disturbed struct {
	faults *faults
	next   http.RoundTripper
	note   func(message)
}

var errLost = errors.New("the connection was closed")

func (d disturbed) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	send := func(body []byte) (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return d.next.RoundTrip(again)
	}
	operation := path.Base(r.URL.Path)
	switch d.faults.take(operation) {
	case "request", "down":
		d.note(message{Operation: operation, Lost: "A request did not reach the wallet."})
		return nil, errLost
	case "answer":
		if response, err := send(body); err == nil {
			_ = response.Body.Close()
		}
		d.note(message{Operation: operation, FromUs: true, Answer: true, Lost: "This answer did not reach Alipay+."})
		return nil, errLost
	case "duplicate":
		if response, err := send(body); err == nil {
			_ = response.Body.Close()
		}
	case "tamper":
		body = bytes.Clone(body)
		body[len(body)/2] ^= 1
	case "slow":
		if err := pause(r.Context(), slowness); err != nil {
			return nil, err
		}
	}
	return send(body)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
