package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// alipay is an Alipay+ that knows the public keys of the token. It is strict: a
// signature must be of the key whose version the header names.
type alipay struct {
	*alipayplustest.Gateway
	keys *alipayplus.KeyRing
	own  alipayplus.Signer // what the Gateway takes for the wallet

	mu    sync.Mutex
	calls map[string]int // by key version
	wrong error
}

func newAlipay(keys map[string]*rsa.PublicKey) (*alipay, error) {
	a := &alipay{calls: make(map[string]int)}
	a.Gateway = alipayplustest.New(a)
	a.own = a.Credentials().Signer
	alipayplustest.Answer(a.Gateway, mpm.UserInitiatedPay,
		func(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return &mpm.UserInitiatedPayResponse{PaymentRequestID: "P1"}, nil
		})
	var err error
	a.keys, err = alipayplus.NewStrictKeyRing(keys)
	return a, err
}

var versionItem = regexp.MustCompile(`keyVersion=(\d+)`)

// RoundTrip verifies what the token signed, and has the Gateway answer it.
func (a *alipay) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	content := alipayplus.Content{
		Method: r.Method, Target: r.URL.RequestURI(), ClientID: r.Header.Get("Client-Id"), Time: r.Header.Get("Request-Time"), Body: body,
	}
	header := r.Header.Get("Signature")
	if err := content.Verify(header, a.keys); err != nil {
		a.Errorf("a request does not verify: %w", err)
	} else if version := versionItem.FindStringSubmatch(header); version != nil {
		a.mu.Lock()
		a.calls[version[1]]++
		a.mu.Unlock()
	}
	known := r.Clone(r.Context())
	known.Body = io.NopCloser(bytes.NewReader(body))
	signature, err := content.Sign(r.Context(), a.own)
	if err != nil {
		return nil, err
	}
	known.Header.Set("Signature", signature)
	return a.Gateway.RoundTrip(known)
}

func (a *alipay) signedWith(version string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[version]
}

// Errorf, Helper and Cleanup let the Gateway complain.
func (a *alipay) Errorf(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrong == nil {
		a.wrong = fmt.Errorf(format, args...)
	}
}
func (*alipay) Helper()        {}
func (*alipay) Cleanup(func()) {}
