package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// long reports whether figures are to be shown in full.
func long() bool { return os.Getenv("ALIPAYPLUS_LONG") != "" }

// world is a wallet with its stores, and Alipay+.
type world struct {
	*testing.T
	memory  *alipayplus.Memory
	stores  *auth.MemoryStores
	gateway *alipayplustest.Gateway
	client  *alipayplus.Client
	service *auth.Service
	config  auth.Config
	log     *bytes.Buffer

	unbinding alipayplus.Bool // what consultUnbinding answers, set before a call

	mu       sync.Mutex
	notified []auth.Notification // that Alipay+ processed
}

// newWorld makes a world whose configuration change has changed.
func newWorld(t *testing.T, change ...func(*auth.Config)) *world {
	t.Helper()
	w := &world{T: t, memory: alipayplus.NewMemory(), gateway: alipayplustest.New(t), log: new(bytes.Buffer)}
	w.stores = auth.NewMemoryStores(w.memory)
	alipayplustest.Answer(w.gateway, auth.AuthNotify,
		func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.notified = append(w.notified, r.Notification)
			return &auth.AuthNotifyResponse{}, nil
		})
	alipayplustest.Answer(w.gateway, auth.ConsultUnbinding,
		func(context.Context, *auth.ConsultUnbindingRequest) (*auth.ConsultUnbindingResponse, error) {
			return &auth.ConsultUnbindingResponse{AllowUnbinding: w.unbinding}, nil
		})
	gateway := w.gateway.Config()
	gateway.Retry = alipayplus.NoRetry
	var err error
	if w.client, err = alipayplus.NewClient(gateway); err != nil {
		t.Fatal(err)
	}
	w.config = auth.Config{
		Stores: w.stores, Outbox: w.memory, Sealer: newSealer(t), RoutingNumber: "666",
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for _, c := range change {
		c(&w.config)
	}
	w.service = newService(t, w.config)
	return w
}

func newService(t *testing.T, cfg auth.Config) *auth.Service {
	t.Helper()
	s, err := auth.NewService(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSealer(t testing.TB) *alipayplus.Sealer {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	s, err := alipayplus.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agreement is what a user agrees to together with a payment.
var agreement = auth.Grant{
	CustomerID: "customer-1", AuthClientID: "merchant-1", ReferenceAgreementID: "agreement-1",
	ReferenceMerchantID: "shop-1", AcquirerID: "acquirer-1", PSPID: "psp-1",
	UserLoginID: alipayplus.Conceal("62-857****6473"),
}

// login is a user who agrees that a client may know who they are.
var login = auth.Grant{CustomerID: "customer-1", AuthClientID: "merchant-1", Scopes: []string{"BASE"}}

func (w *world) issueCode() alipayplus.Secret {
	w.Helper()
	answer, err := w.service.IssueCode(w.Context(), login, []string{"BASE"})
	if err != nil {
		w.Fatalf("IssueCode: %v", err)
	}
	return answer.Code
}

func applyCode(code alipayplus.Secret) *auth.ApplyTokenRequest {
	return &auth.ApplyTokenRequest{
		AcquirerID: "acquirer-1", PSPID: "psp-1", AuthClientID: "merchant-1",
		GrantType: auth.GrantAuthorizationCode, AuthCode: code,
	}
}

func applyRefresh(token alipayplus.Secret) *auth.ApplyTokenRequest {
	return &auth.ApplyTokenRequest{
		AcquirerID: "acquirer-1", PSPID: "psp-1", GrantType: auth.GrantRefreshToken, RefreshToken: token,
	}
}

// apply makes an applyToken that must succeed.
func (w *world) apply(r *auth.ApplyTokenRequest) *auth.ApplyTokenResponse {
	w.Helper()
	answer, err := w.service.ApplyToken(w.Context(), r)
	if err != nil {
		w.Fatalf("ApplyToken: %v", err)
	}
	return answer
}

// refused makes an applyToken that must be refused with code.
func (w *world) refused(r *auth.ApplyTokenRequest, code alipayplus.ResultCode) {
	w.Helper()
	answer, err := w.service.ApplyToken(w.Context(), r)
	if answer != nil || !errors.Is(err, code) {
		w.Fatalf("ApplyToken: %v, %v; want %s", answer, err, code)
	}
}

// check returns what Check says of a token with ScopeAgreementPay.
func (w *world) check(token alipayplus.Secret) error {
	_, err := w.service.Check(w.Context(), token, "")
	return err
}

func (w *world) alive(token alipayplus.Secret) {
	w.Helper()
	if err := w.check(token); err != nil {
		w.Fatalf("Check of a live token: %v", err)
	}
}

func (w *world) dead(token alipayplus.Secret, code alipayplus.ResultCode) {
	w.Helper()
	if err := w.check(token); !errors.Is(err, code) {
		w.Fatalf("Check of a dead token: %v, want %s", err, code)
	}
}

func (w *world) issue(g auth.Grant) auth.Token {
	w.Helper()
	token, err := w.service.Issue(w.Context(), g)
	if err != nil {
		w.Fatalf("Issue: %v", err)
	}
	return token
}

func (w *world) find(key string) auth.Token {
	w.Helper()
	token, err := w.stores.FindToken(w.Context(), key)
	if err != nil {
		w.Fatalf("FindToken: %v", err)
	}
	return token
}

// work lets Service.Run and a Relay look once at what is due, in a bubble of
// synctest.
func (w *world) work() {
	w.Helper()
	w.workFor(time.Microsecond)
}

// workFor lets Service.Run and a Relay work for d, in a bubble of synctest.
func (w *world) workFor(d time.Duration) {
	w.Helper()
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: w.client, Queue: w.memory, Sealer: w.config.Sealer, Logger: w.config.Logger,
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	var wait sync.WaitGroup
	for _, run := range []func(context.Context) error{w.service.Run, relay.Run} {
		wait.Go(func() {
			if err := run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("Run ended: %v", err)
			}
		})
	}
	wait.Wait()
}

// waiting returns the messages that a Relay would deliver in an hour at the
// latest, in a bubble of synctest.
func (w *world) waiting() (keys []string) {
	w.Helper()
	time.Sleep(time.Hour)
	leased, err := w.memory.Lease(w.Context(), 1000, 0)
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range leased {
		keys = append(keys, d.Message.Key)
		if err := w.memory.Finish(w.Context(), d, alipayplus.End{}); err != nil {
			w.Fatal(err)
		}
	}
	return keys
}

// created returns the one TOKEN_CREATED that Alipay+ processed.
func (w *world) created() auth.TokenCreated {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []auth.TokenCreated
	for _, n := range w.notified {
		if created, ok := n.(auth.TokenCreated); ok {
			found = append(found, created)
		}
	}
	if len(found) != 1 {
		w.Fatalf("Alipay+ processed %d notifications TOKEN_CREATED, want 1", len(found))
	}
	return found[0]
}

// arrived returns how many notifications Alipay+ processed.
func (w *world) arrived() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.notified)
}

// canceled returns the TOKEN_CANCELED that Alipay+ processed.
func (w *world) canceled() []auth.TokenCanceled {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []auth.TokenCanceled
	for _, n := range w.notified {
		if canceled, ok := n.(auth.TokenCanceled); ok {
			found = append(found, canceled)
		}
	}
	return found
}

// dump returns a record as a database holds it, with sealed texts as bytes.
func dump(record any) []byte {
	data, err := alipayplus.Marshal(record)
	if err != nil {
		panic(err)
	}
	switch r := record.(type) {
	case auth.Code:
		data = append(data, r.Repeat.Sealed...)
	case auth.Token:
		data = append(append(data, r.Repeat.Sealed...), r.Access...)
	}
	return data
}
