package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// needSoftHSM skips a test where SoftHSM is missing; with CI=true that fails.
func needSoftHSM(t *testing.T) {
	t.Helper()
	if _, err := findSoftHSM(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// open makes a wallet with a token that signs with key 1, and a key 2.
func open(t *testing.T) *wallet {
	t.Helper()
	needSoftHSM(t)
	w, err := newWallet(t.Context(), t.TempDir(), alipayplus.NoRetry)
	if err != nil {
		t.Fatal(err)
	}
	w.signer.pause = 0
	t.Cleanup(func() {
		if err := w.signer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if w.alipay.wrong != nil {
			t.Error(w.alipay.wrong)
		}
	})
	return w
}

func TestDemonstration(t *testing.T) {
	needSoftHSM(t)
	var out strings.Builder
	if err := run(t.Context(), &out, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"as version 2: MII", ", 0 failed.", "A call: not sent.", "A call: succeeded."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// The token gives no half of a private key to anybody.
func TestKeyIsNotVisible(t *testing.T) {
	w := open(t)
	pair, err := w.signer.token.FindKeyPair(nil, []byte("key-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []crypto11.AttributeType{crypto11.CkaPrivateExponent, crypto11.CkaPrime1, crypto11.CkaPrime2, crypto11.CkaCoefficient} {
		if got, err := w.signer.token.GetAttribute(pair, secret); err == nil {
			t.Errorf("attribute %v is readable: %d bytes", secret, len(got.Value))
		}
	}
	for attribute, want := range map[crypto11.AttributeType]byte{crypto11.CkaSensitive: 1, crypto11.CkaExtractable: 0} {
		got, err := w.signer.token.GetAttribute(pair, attribute)
		if err != nil || !bytes.Equal(got.Value, []byte{want}) {
			t.Errorf("attribute %v: %v, %v, want %d", attribute, got, err, want)
		}
	}
}

// What is not there is an error that leaves the key that signs, and no text of
// the signer has the PIN.
func TestWhatIsNotThere(t *testing.T) {
	w := open(t)
	if err := w.signer.Use(t.Context(), "2", "key-3"); err == nil || !strings.Contains(err.Error(), `"key-3" cannot be looked up`) {
		t.Error(err)
	}
	if err := w.signer.Use(t.Context(), "v2", "key-2"); err == nil {
		t.Error("a key version of letters is used")
	}
	if err := w.call(t.Context()); err != nil || w.alipay.signedWith("1") != 1 {
		t.Errorf("%v, %d calls with key 1", err, w.alipay.signedWith("1"))
	}
	if shown := fmt.Sprintf("%v %+v %#v", w.signer, w.signer, w.signer); strings.Contains(shown, w.hsm.config.Pin) {
		t.Error("the PIN is shown")
	}
}

// Keys rotate while calls run: none fails, and each is signed with the key that
// it names, which alipay checks.
func TestRotation(t *testing.T) {
	w := open(t)
	var callers sync.WaitGroup
	var done atomic.Int64
	var rotated atomic.Bool
	for range 8 {
		callers.Go(func() {
			for !rotated.Load() {
				if err := w.call(t.Context()); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}
		})
	}
	for i := range 20 {
		version := fmt.Sprint(i%2 + 1)
		if err := w.signer.Use(t.Context(), version, "key-"+version); err != nil {
			t.Error(err)
		}
		for goal := done.Load() + 16; done.Load() < goal; { // the last of them began after the rotation
			runtime.Gosched()
		}
	}
	rotated.Store(true)
	callers.Wait()
	if one, two := w.alipay.signedWith("1"), w.alipay.signedWith("2"); one == 0 || two == 0 || int64(one+two) != done.Load() {
		t.Errorf("%d calls with key 1, %d with key 2, want %d in all", one, two, done.Load())
	}
	if err := w.signer.Use(t.Context(), "2", "key-2"); err != nil {
		t.Fatal(err)
	}
	before := w.alipay.signedWith("1")
	if err := w.call(t.Context()); err != nil || w.alipay.signedWith("1") != before {
		t.Errorf("%v: the first key signs after the rotation", err)
	}
}

// While the token is away no call is sent, and an answer is an unsigned 500,
// which decides nothing. When it is back, calls succeed, and a repeated request
// gets the answer that was kept: what it asked for is not done twice.
func TestTokenGoesAway(t *testing.T) {
	w := open(t)
	cancelled := 0
	credentials := w.alipay.Credentials()
	credentials.Signer = w.signer
	handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: credentials, Idempotency: alipayplus.NewMemoryIdempotencyStore(1 << 20),
	}, payment.CancelPayment.Handle("/cancelPayment", func(context.Context, *payment.CancelPaymentRequest) (*payment.CancelPaymentResponse, error) {
		cancelled++
		return &payment.CancelPaymentResponse{}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	cancel := func() *http.Response {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, w.alipay.NewRequest(t.Context(), "/cancelPayment", []byte(`{"paymentRequestId":"P1"}`)))
		return recorder.Result()
	}

	if err := w.hsm.leave(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := w.call(t.Context())
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
			t.Errorf("a call without the token: %v", err)
		}
	}
	if n := len(w.alipay.Calls(mpm.UserInitiatedPay)); n > 0 {
		t.Errorf("%d calls arrived without the token", n)
	}
	if r := cancel(); r.StatusCode != http.StatusInternalServerError || r.Header.Get("Signature") != "" || cancelled != 1 {
		t.Errorf("an answer without the token: HTTP %d, signature %q, cancelled %d times", r.StatusCode, r.Header.Get("Signature"), cancelled)
	}

	if err := w.hsm.comeBack(); err != nil {
		t.Fatal(err)
	}
	if err := w.call(t.Context()); err != nil {
		t.Errorf("a call with the token that is back: %v", err)
	}
	r := cancel()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	content := alipayplus.Content{
		Method: http.MethodPost, Target: "/cancelPayment", ClientID: credentials.ClientID, Time: r.Header.Get("Response-Time"), Body: body,
	}
	if err := content.Verify(r.Header.Get("Signature"), w.alipay.keys); err != nil {
		t.Errorf("the repeated answer: HTTP %d, %v", r.StatusCode, err)
	}
	if !strings.Contains(string(body), `"resultStatus":"S"`) || cancelled != 1 {
		t.Errorf("the repeated answer is %s, cancelled %d times", body, cancelled)
	}
}

// A token that leaves and comes back under load: every call succeeds or was not
// sent.
func TestTokenGoesAwayUnderLoad(t *testing.T) {
	w := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var succeeded, notSent atomic.Int64
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				err := w.call(t.Context())
				switch outcome := alipayplus.OutcomeOf(err); outcome {
				case alipayplus.OutcomeSucceeded:
					succeeded.Add(1)
				case alipayplus.OutcomeNotSent:
					notSent.Add(1)
				default:
					t.Errorf("%v: %v", outcome, err)
				}
			}
		})
	}
	waitFor := func(counter *atomic.Int64) {
		t.Helper()
		goal := counter.Load() + 20
		for range 5000 {
			if counter.Load() >= goal {
				return
			}
			if outcome := alipayplus.OutcomeOf(w.call(t.Context())); outcome != alipayplus.OutcomeSucceeded && outcome != alipayplus.OutcomeNotSent {
				t.Error(outcome)
			}
		}
		t.Error("the calls do not change with the token")
	}
	for range 3 {
		waitFor(&succeeded)
		if err := w.hsm.leave(); err != nil {
			t.Fatal(err)
		}
		waitFor(&notSent)
		if err := w.hsm.comeBack(); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(&succeeded)
	stop()
	callers.Wait()
}
