package mpm

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// Step is what comes next for the app: one of [Local], [Rejected],
// [Unsupported], [Launch], [Cashier], [SDKAction], [Pending], [Failed] and
// [ResultPage]. Every step marshals to a JSON object for the app, the same for
// Android and iOS, whose member "step" names it.
//
// A switch over a Step needs no default: other packages cannot add one.
type Step interface {
	json.Marshaler
	step()
}

// Origin says how the code came to the backend, and so how the app must pass an
// outcome on to the Alipay+ client SDK. It is kept with the payment, as
// payment.Terms.Origin.
type Origin string

// The origins of a code.
const (
	// Scanned: the user scanned it with the wallet.
	Scanned Origin = "scanned"
	// Intercepted: the client SDK took it from the merchant's page, after the
	// launch of an entry code, and waits for the callback of its decode API.
	Intercepted Origin = "intercepted"
)

// Local means that the wallet's own filter claims the code. The app goes on
// with the wallet's own logic.
//
//	{"step":"local"}
type Local struct {
	Verdict codeid.Verdict // the filter entry that decided, for support
}

// Rejected means that the wallet's blocklist holds the code.
//
//	{"step":"rejected"}
type Rejected struct {
	Verdict codeid.Verdict // the filter entry that decided, for support
}

// Unsupported means that Alipay+ does not take the code. The wallet goes on
// with its own logic.
//
//	{"step":"unsupported"}
type Unsupported struct{}

// Launch is the step for an entry code. The app calls launch(redirectUrl,
// userAgent, acDecodeConfig) of the client SDK; the user enters the amount at
// the merchant, and an order code comes to Flow.Decode.
//
//	{"step":"launch","redirectUrl":"https://…","userAgent":"AlipayConnect","acDecodeConfig":"…"}
type Launch struct {
	RedirectURL    alipayplus.Secret `json:"redirectUrl"`
	UserAgent      string            `json:"userAgent"`
	ACDecodeConfig alipayplus.Secret `json:"acDecodeConfig,omitzero"` // only from a remote identifier
}

// SDKAction means that Alipay+ wants the client SDK to act, for example to open
// a page that explains a limit. There is no cashier and no debit. The app
// passes the payload on, unchanged: for a scanned code by
// handleAction(payload), for an intercepted one by onSuccess(payload) of the
// decode callback.
//
//	{"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":"…",
//	 "call":"handleAction" or "onSuccess"}
type SDKAction struct {
	ActionType string                // as Alipay+ gave it
	Payload    alipayplus.Secret     // opaque, byte for byte
	Origin     Origin                // how the code came to the backend
	Code       alipayplus.ResultCode // of the answer that held the action: SUCCESS, or why it failed
}

// Pending means not known yet. The app shows a waiting page and asks again,
// with the same code and customer, after AskAgainAfter; for an Intercepted code
// it keeps the decode callback open. It is never a failure: the order may be
// fine.
//
//	{"step":"pending","reason":"no answer","askAgainAfterMs":2000}
type Pending struct {
	Reason        string // for support
	AskAgainAfter time.Duration
	Err           error // why, for logs; not in the JSON
}

// Failed means that the order cannot be paid. The app shows the message; for an
// Intercepted code it calls onFailure(code, message) of the decode callback.
//
//	{"step":"failed","resultCode":"EXPIRED_CODE",
//	 "message":{"key":"code_expired","text":"…","support":false},
//	 "call":"onFailure"}
//
// call is there for an Intercepted code only.
type Failed struct {
	Code    alipayplus.ResultCode
	Message UserMessage
	Origin  Origin
	// Alarm says what an operator should look at, "" if nothing: a verified
	// answer that misses something, or a payment of another customer. It was
	// logged, too.
	Alarm string
}

func (Local) step()       {}
func (Rejected) step()    {}
func (Unsupported) step() {}
func (Launch) step()      {}
func (SDKAction) step()   {}
func (Pending) step()     {}
func (Failed) step()      {}
func (Cashier) step()     {}
func (ResultPage) step()  {}

type bare struct {
	Step string `json:"step"`
}

// MarshalJSON returns the object for the app.
func (Local) MarshalJSON() ([]byte, error) { return json.Marshal(bare{"local"}) }

// MarshalJSON returns the object for the app.
func (Rejected) MarshalJSON() ([]byte, error) { return json.Marshal(bare{"rejected"}) }

// MarshalJSON returns the object for the app.
func (Unsupported) MarshalJSON() ([]byte, error) { return json.Marshal(bare{"unsupported"}) }

// MarshalJSON returns the object for the app.
func (l Launch) MarshalJSON() ([]byte, error) {
	type fields Launch
	return alipayplus.Marshal(struct {
		bare
		fields
	}{bare{"launch"}, fields(l)})
}

// MarshalJSON returns the object for the app.
func (a SDKAction) MarshalJSON() ([]byte, error) {
	call := "handleAction"
	if a.Origin == Intercepted {
		call = "onSuccess"
	}
	return alipayplus.Marshal(struct {
		bare
		ActionType string            `json:"actionType"`
		Payload    alipayplus.Secret `json:"sdkActionPayload"`
		Call       string            `json:"call"`
	}{bare{"sdkAction"}, a.ActionType, a.Payload, call})
}

// MarshalJSON returns the object for the app.
func (p Pending) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		bare
		Reason string `json:"reason"`
		After  int64  `json:"askAgainAfterMs"`
	}{bare{"pending"}, p.Reason, p.AskAgainAfter.Milliseconds()})
}

// MarshalJSON returns the object for the app.
func (f Failed) MarshalJSON() ([]byte, error) {
	call := ""
	if f.Origin == Intercepted {
		call = "onFailure"
	}
	return json.Marshal(struct {
		bare
		Code    alipayplus.ResultCode `json:"resultCode"`
		Message UserMessage           `json:"message"`
		Call    string                `json:"call,omitzero"`
	}{bare{"failed"}, f.Code, f.Message, call})
}

// LogValue returns l without what is secret, for log/slog.
func (l Launch) LogValue() slog.Value {
	type fields Launch
	return alipayplus.Loggable(fields(l)).LogValue()
}

// LogValue returns a without what is secret, for log/slog.
func (a SDKAction) LogValue() slog.Value {
	type fields SDKAction
	return alipayplus.Loggable(fields(a)).LogValue()
}
