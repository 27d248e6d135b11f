package mpm

import (
	"encoding/json"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// ResultPage is how a payment stands, for the app: the result page, the way back to
// the merchant, and what the decode callback of the client SDK gets for an
// Intercepted code. It is derived from the payment's record, so that it cannot
// contradict what Alipay+ is told.
//
//	{"step":"outcome","paymentRequestId":"…","state":"paid",
//	 "debitAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"},
//	 "redirect":{"to":"merchant","url":"https://…","afterSeconds":6},
//	 "call":"onSuccess"}
//
// state is one of:
//
//   - open: not confirmed, or the debit was refused and the user may try again.
//     The app shows the cashier page (again), with Message if that is set.
//   - processing: a debit is under way. The app asks again.
//   - paid.
//   - failed, closed: for good, with resultCode and message.
//
// With the last three there is a redirect: to "merchant", to be opened in a
// WebView, or "home", the wallet's home page. For an Intercepted code there is
// also call: "onSuccess" without argument when paid, else "onFailure" with
// resultCode and message.text.
type ResultPage struct {
	Record  payment.Record
	Origin  Origin
	Message UserMessage // zero means MessageOf the result code; of an open payment, nothing to say
}

// redirectAfter is how long the result page stays, in seconds.
const redirectAfter = 6

type shownRedirect struct {
	To    string `json:"to"`
	URL   string `json:"url,omitzero"`
	After int    `json:"afterSeconds,omitzero"`
}

// MarshalJSON is the object for the app.
func (o ResultPage) MarshalJSON() ([]byte, error) {
	shown := struct {
		bare
		PaymentRequestID string                `json:"paymentRequestId"`
		State            string                `json:"state"`
		DebitAmount      shownAmount           `json:"debitAmount,omitzero"`
		Code             alipayplus.ResultCode `json:"resultCode,omitzero"`
		Message          UserMessage           `json:"message,omitzero"`
		Redirect         shownRedirect         `json:"redirect,omitzero"`
		Call             string                `json:"call,omitzero"`
	}{
		bare:             bare{"outcome"},
		PaymentRequestID: o.Record.PaymentRequestID,
		State:            "processing",
		DebitAmount:      show(o.Record.Amounts.Debit()),
	}
	switch result := o.Record.InquiryAnswer().PaymentResult; result.Status {
	case alipayplus.StatusSucceeded:
		shown.State = "paid"
		shown.Redirect = o.redirect()
		shown.Call = o.call("onSuccess")
	case alipayplus.StatusFailed:
		shown.State = "failed"
		if o.Record.State == payment.StateClosed {
			shown.State = "closed"
		}
		shown.Code = result.Code
		shown.Message = o.Message
		if shown.Message == (UserMessage{}) {
			shown.Message = UserMessageOf(result.Code)
		}
		shown.Redirect = o.redirect()
		shown.Call = o.call("onFailure")
	default:
		if o.Record.State == payment.StateOpen {
			shown.State = "open"
			shown.Message = o.Message
		}
	}
	return json.Marshal(shown)
}

func (o ResultPage) redirect() shownRedirect {
	if o.Record.RedirectURL.IsZero() {
		return shownRedirect{To: "home"}
	}
	return shownRedirect{To: "merchant", URL: o.Record.RedirectURL.Reveal(), After: redirectAfter}
}

func (o ResultPage) call(name string) string {
	if o.Origin == Scanned {
		return ""
	}
	return name
}

// LogValue returns the payment and its state, for log/slog.
func (o ResultPage) LogValue() slog.Value {
	return slog.GroupValue(slog.String("paymentRequestId", o.Record.PaymentRequestID), slog.String("state", string(o.Record.State)))
}
