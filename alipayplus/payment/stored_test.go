package payment_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// A record comes back from a database as it was, secrets and buyer included,
// and encoding/json never writes one, whether or not it holds a secret yet.
func TestRecordAtRest(t *testing.T) {
	full := payment.Record{
		Version: 7, State: payment.StatePaid,
		Terms: payment.Terms{
			PaymentRequestID: "PR-1", CustomerID: "C", NotifyURL: "https://n.example/", RedirectURL: alipayplus.Conceal("https://r.example/?a=%2B<&>"),
			Amounts: payment.Amounts{PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 5}},
			Order: payment.Order{
				Buyer: alipayplus.PersonalOf(payment.Buyer{BuyerName: payment.UserName{FullName: "A"}}),
				Env:   alipayplus.PersonalOf(payment.Env{ExtendInfo: alipayplus.Conceal(`{"a":1}`)}),
				Goods: []payment.Goods{{GoodsName: "é"}, {}, {GoodsName: "b"}},
			},
			AuthorizationInfo: payment.AuthorizationInfo{AuthState: alipayplus.Conceal("s")},
		},
		PaidTime: alipayplus.TimeOf(time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)),
		Notice:   alipayplus.Message{Operation: "notifyPayment", Key: "PR-1", Body: alipayplus.Conceal(`{"a":"\u00e9"}`), Timeout: time.Second},
	}
	for _, r := range []payment.Record{full, {}} {
		for _, v := range []any{r, &r, struct{ R payment.Record }{r}} {
			if text, err := json.Marshal(v); err == nil || !strings.Contains(err.Error(), "MarshalBinary") {
				t.Errorf("%s, %v", text, err)
			}
		}
		data, err := r.MarshalBinary()
		if err != nil || !json.Valid(data) {
			t.Fatalf("%s, %v", data, err)
		}
		var again payment.Record
		if err := again.UnmarshalBinary(data); err != nil || !cmp.Equal(r, again) {
			t.Errorf("%v %s", err, cmp.Diff(r, again))
		}
		for _, damaged := range []string{
			"", "null", "{}", string(data[:len(data)/2]), strings.Replace(string(data), `"format":1`, `"format":2`, 1),
			strings.Replace(string(data), `"version":`, `"version":"CANARY","x":`, 1),
		} {
			kept := again
			if err := kept.UnmarshalBinary([]byte(damaged)); err == nil || strings.Contains(err.Error(), "CANARY") || !cmp.Equal(kept, again) {
				t.Errorf("%.80s: %v", damaged, err)
			}
		}
	}
	full.CustomerID = "CANARY\xff"
	if data, err := full.MarshalBinary(); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("what is not valid UTF-8 was changed: %s", data)
	}
}
