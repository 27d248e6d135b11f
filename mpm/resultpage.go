package mpm

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// ResultPage shows the app the state of a payment, the way back to the
// merchant, and what the decode callback of the client SDK gets for an
// [Intercepted] code. It is derived from the payment's record, so that it
// cannot contradict what Alipay+ is told. It is also the [Step] for a code
// whose payment is not open any more.
//
//	{"step":"resultPage","paymentRequestId":"2025030119074101000001","state":"paid",
//	 "merchantName":"Example Shoes",
//	 "paymentAmount":{"currency":"JPY","value":"995","display":"JPY 995"},
//	 "debitAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"},
//	 "redirect":{"to":"merchant","url":"https://shop.example/orders/7","afterSeconds":6},
//	 "call":"onSuccess"}
//
// state is one of:
//
//   - open: not confirmed, or the debit was refused and the user may try again:
//     then resultCode and message say why. The app shows the cashier page
//     (again), which is the member cashier, the JSON of [Cashier]: an app that
//     was restarted has nothing else of it.
//   - processing: the end of the debit is not known yet. The app asks again.
//   - paid.
//   - failed, closed: for good, with resultCode and message.
//
// With the last three there is a redirect: to "merchant", to be opened in a
// WebView, or "home", the wallet's home page. For an Intercepted code there is
// also call: "onSuccess" without argument when paid, else "onFailure" with
// resultCode and message.text. (If the user leaves an open payment, call
// onFailure with the resultCode and text that the cashier page shows last, or
// ORDER_IS_CLOSED.)
type ResultPage struct {
	Record  payment.Record
	Message UserMessage // zero means UserMessageOf the result code, if there is one
}

// redirectAfter is how long the result page stays, in seconds.
const redirectAfter = 6

type shownRedirect struct {
	To    string `json:"to"`
	URL   string `json:"url,omitzero"`
	After int    `json:"afterSeconds,omitzero"`
}

// state returns the member "state", and the result code that belongs to it.
func (p ResultPage) state() (state string, code alipayplus.ResultCode) {
	switch result := p.Record.InquiryAnswer().PaymentResult; {
	case p.Record.State == "":
		return "", ""
	case result.Status == alipayplus.StatusSucceeded:
		return "paid", ""
	case result.Status == alipayplus.StatusFailed && p.Record.State == payment.StateClosed:
		return "closed", result.Code
	case result.Status == alipayplus.StatusFailed:
		return "failed", result.Code
	case p.Record.State == payment.StateOpen:
		return "open", p.Record.Code
	}
	return "processing", ""
}

// MarshalJSON returns the object for the app, and an error for a payment that
// was never seen.
func (p ResultPage) MarshalJSON() ([]byte, error) {
	shown := struct {
		bare
		PaymentRequestID string                `json:"paymentRequestId"`
		State            string                `json:"state"`
		MerchantName     string                `json:"merchantName,omitzero"`
		PaymentAmount    shownAmount           `json:"paymentAmount,omitzero"`
		DebitAmount      shownAmount           `json:"debitAmount,omitzero"`
		Code             alipayplus.ResultCode `json:"resultCode,omitzero"`
		Message          UserMessage           `json:"message,omitzero"`
		Cashier          *Cashier              `json:"cashier,omitzero"`
		Redirect         shownRedirect         `json:"redirect,omitzero"`
		Call             string                `json:"call,omitzero"`
	}{
		bare:             bare{"resultPage"},
		PaymentRequestID: p.Record.PaymentRequestID,
		MerchantName:     merchantName(p.Record),
		PaymentAmount:    show(p.Record.Amounts.PaymentAmount),
		DebitAmount:      show(p.Record.Amounts.Debit()),
	}
	shown.State, shown.Code = p.state()
	if shown.Code != "" {
		shown.Message = p.Message
		if shown.Message == (UserMessage{}) {
			shown.Message = UserMessageOf(shown.Code)
		}
	}
	switch shown.State {
	case "":
		return nil, errors.New("mpm: a payment that was never seen has no result page")
	case "open":
		shown.Cashier = &Cashier{Record: p.Record}
	case "paid":
		shown.Redirect, shown.Call = p.redirect(), "onSuccess"
	case "failed", "closed":
		shown.Redirect, shown.Call = p.redirect(), "onFailure"
	}
	if Origin(p.Record.Origin) != Intercepted {
		shown.Call = ""
	}
	return json.Marshal(shown)
}

func (p ResultPage) redirect() shownRedirect {
	if p.Record.RedirectURL.IsZero() {
		return shownRedirect{To: "home"}
	}
	return shownRedirect{To: "merchant", URL: p.Record.RedirectURL.Reveal(), After: redirectAfter}
}

// LogValue returns the payment and its state, for log/slog.
func (p ResultPage) LogValue() slog.Value {
	return slog.GroupValue(slog.String("paymentRequestId", p.Record.PaymentRequestID), slog.String("state", string(p.Record.State)))
}
