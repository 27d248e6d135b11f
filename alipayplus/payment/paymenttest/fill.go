package paymenttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// filled returns a payment with a value in every member, each text another one,
// and so many refunds that it is larger than 64 KiB.
func filled(t *recordsTest, id string) payment.Record {
	t.Helper()
	var r payment.Record
	n := 0
	fill(t, reflect.ValueOf(&r).Elem(), &n)
	for range 300 {
		var refund payment.RefundEntry
		fill(t, reflect.ValueOf(&refund).Elem(), &n)
		r.Refunds = append(r.Refunds, refund)
	}
	r.PaymentRequestID, r.Version = id, 1
	r.State, r.MissedState = payment.StatePaid, payment.StateOpen
	r.Tried = []payment.TryState{payment.TryWrong}
	r.Attempts = []payment.AttemptState{payment.AttemptRefused, payment.AttemptLanded}
	return r
}

// fill gives every member below v a value. n counts them.
func fill(t *recordsTest, v reflect.Value, n *int) {
	t.Helper()
	*n++
	text := fmt.Sprintf("%d \x00\"é\u2028\\😀", *n)
	switch p := v.Addr().Interface().(type) {
	case *alipayplus.Secret:
		*p = alipayplus.Conceal(text)
	case *alipayplus.Amount: // which no float64 can hold
		*p = alipayplus.Amount{Currency: "JPY", Minor: 1<<53 + 1 + 2*int64(*n)}
	case *alipayplus.Time:
		*p = alipayplus.TimeOf(time.Date(2026, 1, 2, 3, 4, *n%60, 0, time.FixedZone("", 8*60*60)))
	case *time.Time: // to the microsecond, as databases have it
		*p = time.Date(2126, 1, 2, 3, 4, 5, 123_456_000, time.UTC)
	case *alipayplus.Bool:
		*p = alipayplus.True
	case *payment.Price:
		*p = "10.50"
	case *json.RawMessage:
		*p = json.RawMessage(`[{"b":1,"a":2}]`)
	case *alipayplus.Personal[payment.Shipping]:
		*p = alipayplus.PersonalOf(payment.Shipping{ShippingCarrier: text})
	case *alipayplus.Personal[payment.Buyer]:
		*p = alipayplus.PersonalOf(payment.Buyer{BuyerEmail: text})
	case *alipayplus.Personal[payment.Env]:
		*p = alipayplus.PersonalOf(payment.Env{ClientIP: text})
	default:
		switch v.Kind() {
		case reflect.String:
			v.SetString(text)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(*n))
		case reflect.Struct:
			for i := range v.NumField() {
				fill(t, v.Field(i), n)
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(t, v.Index(0), n)
			fill(t, v.Index(1), n)
		default:
			t.Fatalf("paymenttest: no value for a %v", v.Type())
		}
	}
}
