package payment_test

import (
	"encoding/json"
	"testing"

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
