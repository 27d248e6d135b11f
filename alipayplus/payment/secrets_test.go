package payment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/canary"
)

func members(t *testing.T, body []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// structs has the zero value of every exported struct of the package.
var structs = []any{
	payment.ActionForm{}, payment.Address{}, payment.AuthorizationInfo{}, payment.Buyer{},
	payment.CancelPaymentRequest{}, payment.CancelPaymentResponse{}, payment.Env{}, payment.Factor{}, payment.Goods{},
	payment.InquiryPaymentRequest{}, payment.InquiryPaymentResponse{}, payment.Merchant{}, payment.Method{},
	payment.MethodMetaData{}, payment.NotifyPaymentRequest{}, payment.NotifyPaymentResponse{}, payment.Order{},
	payment.PayRequest{}, payment.PayResponse{}, payment.PromoDetail{}, payment.PromoInfo{}, payment.Quote{},
	payment.RefundPromoDetail{}, payment.RefundPromoInfo{}, payment.RefundRequest{}, payment.RefundResponse{},
	payment.Shipping{}, payment.Store{}, payment.SurchargeInfo{}, payment.UserName{},

	payment.Opened{}, payment.Confirmed{}, payment.Verified{}, payment.VerificationFailed{}, payment.OTPResent{},
	payment.GaveUp{}, payment.Expired{}, payment.Debited{}, payment.Refused{}, payment.Cancelled{}, payment.Refunded{},
	payment.Credited{},
	payment.Debit{}, payment.Void{}, payment.Credit{}, payment.Notify{}, payment.Withdraw{}, payment.VerificationTried{},
	payment.Record{}, payment.Terms{}, payment.Verification{}, payment.CreditEntry{}, payment.RefundEntry{},
	payment.Amounts{}, payment.Calculation{}, payment.Sums{}, payment.Discrepancy{}, payment.Resume{},
	payment.ServiceConfig{}, payment.Service{}, payment.Check{}, payment.Confirmation{}, payment.MemoryRecords{},
}

// No exported type shows a secret, in any way of showing it.
func TestNothingShowsSecrets(t *testing.T) {
	canary.Package{
		Structs: structs,
		Others: map[string]string{
			"State": "a word", "AttemptState": "a word", "Price": "a number", "Event": "an interface", "Effect": "an interface",
			"Rounding": "a word", "Stage": "a word", "TryState": "a word", "CreditReason": "a word",
			"Records": "an interface", "Ledger": "an interface", "RemoteLedger": "an interface",
		},
	}.Run(t)
}

// The proof of a Confirmation, a PIN, gets to Check and nowhere else: it is in
// no error, no line of the log, no record and no message, whatever Check and
// the ledger do.
func TestProofIsShownNowhere(t *testing.T) {
	const pin = canary.Text
	down := errors.New("the risk engine is down")
	for name, answer := range map[string]func() error{
		"agrees":        func() error { return nil },
		"refuses":       func() error { return alipayplus.CodeRiskReject },
		"refuses a PIN": func() error { return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed) },
		"fails":         func() error { return down },
		"says both":     func() error { return errors.Join(alipayplus.CodeRiskReject, down) },
		"panics":        func() error { panic(payment.Check{Proof: alipayplus.Conceal(pin)}) },
	} {
		for _, ledger := range []error{nil, payment.Retryable(alipayplus.CodeUserBalanceNotEnough), down} {
			both(t, func(t *testing.T, remote bool) {
				var log bytes.Buffer
				asked := false
				s := serve(t, remote, func(cfg *payment.ServiceConfig) {
					cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					cfg.Check = func(_ context.Context, c payment.Check) error {
						if c.Stage != payment.StageDebit {
							return nil
						}
						asked = c.Proof.Reveal() == pin
						return answer()
					}
					if ledger != nil && remote {
						cfg.RemoteLedger = refusingRemote{cfg.RemoteLedger, ledger}
					} else if ledger != nil {
						cfg.Ledger = refusing{cfg.Ledger, ledger}
					}
				})
				c := agreed(s.open())
				c.Proof = alipayplus.Conceal(pin)
				r, err := s.Confirm(t.Context(), c)
				stored, encodeErr := alipayplus.Marshal([]any{r, s.find()})
				if encodeErr != nil || !asked {
					t.Fatalf("%s: %v, Check got the proof: %t", name, encodeErr, asked)
				}
				shown := fmt.Sprintf("%v %+v %#v", err, err, err)
				for inner := err; inner != nil; inner = errors.Unwrap(inner) {
					shown += fmt.Sprintf(" %+v %#v", inner, inner)
				}
				for what, text := range map[string]string{"the error": shown, "the log": log.String(), "the record": string(stored)} {
					if strings.Contains(text, pin) {
						t.Errorf("a Check that %s, a ledger that says %v: the PIN is in %s: %s", name, ledger, what, text)
					}
				}
			})
		}
	}
}

// refusing is a Ledger whose debits end with an error.
type refusing struct {
	payment.Ledger
	err error
}

func (l refusing) Debit(context.Context, payment.Record, payment.Debit) error { return l.err }

// refusingRemote is a RemoteLedger whose debits end with an error.
type refusingRemote struct {
	payment.RemoteLedger
	err error
}

func (l refusingRemote) Debit(context.Context, payment.Record, payment.Debit) (time.Time, error) {
	return time.Time{}, l.err
}
