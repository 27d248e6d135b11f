package alipayplus_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// These are edges that changes of the code crossed without a test that saw it:
// see internal/cmd/mutate.

// Each code has the status that the documents give it; one that they do not
// know is U.
func TestStatusOfCodes(t *testing.T) {
	want := map[alipayplus.ResultStatus]string{
		alipayplus.StatusSucceeded: "SUCCESS",
		alipayplus.StatusUnknown:   "UNKNOWN_EXCEPTION REQUEST_TRAFFIC_EXCEED_LIMIT PAYMENT_IN_PROCESS A_CODE_OF_TOMORROW success",
		alipayplus.StatusFailed: `ACCESS_DENIED INVALID_API INVALID_CLIENT INVALID_SIGNATURE KEY_NOT_FOUND MEDIA_TYPE_NOT_ACCEPTABLE
			METHOD_NOT_SUPPORTED NO_INTERFACE_DEF PARAM_ILLEGAL PROCESS_FAIL REPEAT_REQ_INCONSISTENT BUSINESS_NOT_SUPPORT CURRENCY_NOT_SUPPORT
			INVALID_CONTRACT REGULATION_RESTRICTION INVALID_CODE EXPIRED_CODE ORDER_IS_CLOSED USER_BALANCE_NOT_ENOUGH USER_NOT_EXIST
			USER_STATUS_ABNORMAL USER_KYC_NOT_QUALIFIED USER_AMOUNT_EXCEED_LIMIT USER_PAYMENT_VERIFICATION_FAILED
			PAYMENT_AMOUNT_EXCEED_LIMIT PAYMENT_COUNT_EXCEED_LIMIT RISK_REJECT UNAVAILABLE_PAYMENT_METHOD MERCHANT_NOT_REGISTERED
			ORDER_NOT_EXIST CANCEL_WINDOW_EXCEED REFUND_WINDOW_EXCEED REFUND_AMOUNT_EXCEED INVALID_TOKEN EXPIRED_ACCESS_TOKEN
			INVALID_REFRESH_TOKEN EXPIRED_REFRESH_TOKEN`,
	}
	for status, codes := range want {
		for _, code := range strings.Fields(codes) {
			if r := alipayplus.ResultCode(code).Result(); r.Status != status || string(r.Code) != code || r.Message != "" {
				t.Errorf("%s is %+v, want %s", code, r, status)
			}
		}
	}
}

// Texts that operators read.
func TestTextsOfStates(t *testing.T) {
	for state, want := range map[alipayplus.ClaimState]string{
		alipayplus.ClaimUndecided: "undecided", alipayplus.ClaimFirst: "first", alipayplus.ClaimRetry: "retry",
		alipayplus.ClaimRunning: "running", alipayplus.ClaimAnswered: "answered", alipayplus.ClaimConflict: "conflict", 99: "ClaimState(99)",
	} {
		if got := state.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (alipayplus.Result{}).Error(); got != "no result" {
		t.Errorf("%q", got)
	}
	if got := (alipayplus.Result{Code: "A B", Status: "F"}).Error(); got != "F A?B" {
		t.Errorf("%q", got)
	}
	// Of what is no status and no code, a line of a log shows the beginning.
	long := alipayplus.Result{Code: alipayplus.ResultCode(strings.Repeat("C", 100)), Status: alipayplus.ResultStatus(strings.Repeat("S", 100))}
	if got, want := long.Error(), strings.Repeat("S", 8)+" "+strings.Repeat("C", 64); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A negative MaxSkew reports what is more than 15 minutes away, and refuses
// nothing.
func TestSkewThatIsOnlyReported(t *testing.T) {
	for age, want := range map[time.Duration]int{
		15*time.Minute - time.Second: 0, 15*time.Minute + time.Second: 1, -15*time.Minute + time.Second: 0, -15*time.Minute - time.Second: 1,
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &journal{}
			gateway := transport(func(r *http.Request) (*http.Response, error) {
				return response(200, signedHeader(r.URL.RequestURI(), stamp(time.Now().Add(-age)), bodyS), bodyS), nil
			})
			c := newClient(t, gateway, func(cfg *alipayplus.ClientConfig) { cfg.MaxSkew, cfg.Logger = -1, slog.New(log) })
			if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); err != nil || log.count("stale") != want {
				t.Errorf("%v: %v, reported %d times", age, err, log.count("stale"))
			}
		})
	}
}

// brokenKey is a key whose HSM fails.
type brokenKey struct{ *rsa.PrivateKey }

var errHSM = errors.New("the HSM is away")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errHSM }

// A signer passes the error of its key on and shows the public key.
func TestSignerOverABrokenKey(t *testing.T) {
	s, err := alipayplus.NewSigner("1", brokenKey{testkit.Keys().Wallet})
	if err != nil {
		t.Fatal(err)
	}
	if _, signature, err := s.SignDigest(context.Background(), [32]byte{}); !errors.Is(err, errHSM) || signature != nil {
		t.Errorf("%x, %v", signature, err)
	}
	if public := s.(interface{ Public() crypto.PublicKey }).Public(); !testkit.Keys().Wallet.PublicKey.Equal(public) {
		t.Errorf("public key %v", public)
	}
}

// A method is letters, from the first to the last.
func TestMethodsOfContent(t *testing.T) {
	for method, want := range map[string]bool{"POST": true, "AZaz": true, "": false, "PO ST": false, "POST1": false, "A[": false, "a{": false, "@": false, "`": false} {
		c := alipayplus.Content{Method: method, Target: "/", ClientID: clientID, Time: "2025-02-20T08:51:49Z", Body: []byte("{}")}
		if _, err := c.Sign(t.Context(), walletSigner()); (err == nil) != want {
			t.Errorf("%q: %v", method, err)
		}
	}
}

// A pipe that breaks is named like a reset.
func TestBrokenPipeIsNamed(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.EPIPE: "connection reset", syscall.ECONNRESET: "connection reset", io.ErrUnexpectedEOF: "closed before the answer",
	} {
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return nil, cause }), func(cfg *alipayplus.ClientConfig) {
			cfg.Retry = alipayplus.NoRetry
		})
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", cause, err, want)
		}
	}
}

// One byte of the body that somebody read is enough: it may have been sent.
func TestOneByteMayHaveBeenSent(t *testing.T) {
	for n, want := range map[int]alipayplus.Outcome{0: alipayplus.OutcomeNotSent, 1: alipayplus.OutcomeUnknown, 2: alipayplus.OutcomeUnknown} {
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			if n > 0 {
				if _, err := io.ReadFull(r.Body, make([]byte, n)); err != nil {
					return nil, err
				}
			}
			return nil, dialError(r)
		}), func(cfg *alipayplus.ClientConfig) { cfg.Retry = alipayplus.NoRetry })
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); alipayplus.OutcomeOf(err) != want {
			t.Errorf("%d bytes read: %v, want %v", n, err, want)
		}
	}
}

// No money at all is an amount that can be sent.
func TestAmountOfNothing(t *testing.T) {
	for minor, want := range map[int64]int{0: 0, 1: 0, 9_999_999_999_999_999: 0, -1: 1, 10_000_000_000_000_000: 1} {
		if got := (alipayplus.Amount{Currency: "JPY", Minor: minor}).WireRules(); len(got) != want {
			t.Errorf("%d: %v", minor, got)
		}
	}
}

// A stored message whose body is no JSON object was not made by Prepare: it is
// not sent.
func TestDeliverWhatIsNoObject(t *testing.T) {
	wire := &tap{next: answers(bodyS)}
	c := newClient(t, wire)
	for _, body := range []string{"", "[]", "null", `"{}"`, "x"} {
		err := c.Deliver(t.Context(), alipayplus.Message{Operation: "decodeOrder", Key: "P1", Path: decodePath, Body: alipayplus.Conceal(body)})
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || len(wire.requests()) != 0 {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// A year is the longest Retry-After; one of a year is just that.
func TestLongestRetryAfter(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for text, want := range map[string]time.Duration{"31535999": year - time.Second, "31536000": year, "31536001": year} {
		var seen time.Duration
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
			return response(503, http.Header{"Retry-After": {text}}, ""), nil
		}), func(cfg *alipayplus.ClientConfig) {
			cfg.Retry = alipayplus.NoRetry
			cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) { seen = a.RetryAfter }
		})
		_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		if seen != want {
			t.Errorf("%s: %v", text, seen)
		}
	}
}

// A transport that reads on when the attempt is over gets nothing.
func TestBodyOfAnAttemptThatIsOver(t *testing.T) {
	var body io.ReadCloser
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		body = r.Body
		return nil, dialError(r)
	}), func(cfg *alipayplus.ClientConfig) { cfg.Retry = alipayplus.NoRetry })
	if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
		t.Fatal(err)
	}
	if n, err := body.Read(make([]byte, 100)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}
