package accept

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// alipay is the Alipay+ that the wallet calls.
type alipay struct {
	cfg *Config
	log *journal

	mu         sync.Mutex
	key        PrivateKey // signs what is sent
	walletKeys []PublicKey
	orders     map[string]*order     // by paymentRequestId
	codes      map[string]*order     // by code value
	agreements map[string]*agreement // by referenceAgreementId
	tokens     map[string]*agreement // by access token
}

// object is a JSON object.
type object = map[string]any

func newAlipay(cfg *Config, log *journal) *alipay {
	return &alipay{
		cfg: cfg, log: log, key: cfg.Alipay.Keys[0], walletKeys: cfg.Wallet.Keys[:1],
		orders: map[string]*order{}, codes: map[string]*order{},
		agreements: map[string]*agreement{}, tokens: map[string]*agreement{},
	}
}

// attempt is one request of the wallet, whatever became of it.
type attempt struct {
	at        time.Time
	target    string
	body      []byte
	signature string
	members   object

	keyVersion string
}

// exchange is one request of the wallet and the way to answer it.
type exchange struct {
	a       *alipay
	ctx     context.Context //nolint:containedctx // that of the request, for the time of the request
	api     string
	target  string
	process func() []byte // what Alipay+ does with the request; the body of the answer
}

// reply is an answer; nil is a connection that breaks.
type reply struct {
	status int
	header http.Header
	body   []byte
	cut    bool // the connection breaks after the body's first half
}

// sign makes a signed reply.
func (x *exchange) sign(body []byte) *reply { return x.signAt(body, time.Now()) }

func (x *exchange) signAt(body []byte, at time.Time) *reply {
	x.a.mu.Lock()
	key := x.a.key
	x.a.mu.Unlock()
	return x.signWith(key, body, at)
}

func (x *exchange) signWith(key PrivateKey, body []byte, at time.Time) *reply {
	return &reply{http.StatusOK, signed(key, "Response-Time", x.target, x.a.cfg.Wallet.ClientID, stamp(at), body), body, false}
}

var apis = map[string]string{
	"/aps/api/v1/payments/userInitiatedPay":       "userInitiatedPay",
	"/aps/api/v1/payments/notifyPayment":          "notifyPayment",
	"/aps/api/v1/codes/inquiryCodeRules":          "inquiryCodeRules",
	"/aps/api/v1/authorizations/authNotify":       "authNotify",
	"/aps/api/v1/authorizations/consultUnbinding": "consultUnbinding",
}

// ServeHTTP answers the wallet.
func (a *alipay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	api := apis[r.URL.Path]
	if strings.HasPrefix(r.URL.Path, notifyPath) {
		api = "notifyPayment"
	}
	a.log.add("wallet", "Alipay+", api+" "+r.URL.Path, body, true)
	answer := a.answer(r, api, body)
	if answer == nil {
		a.log.add("Alipay+", "wallet", api+": no answer, the connection breaks", nil, true)
		panic(http.ErrAbortHandler)
	}
	a.log.add("Alipay+", "wallet", fmt.Sprintf("%s: answer, HTTP %d", api, answer.status), answer.body, true)
	maps.Copy(w.Header(), answer.header)
	w.Header().Set("Content-Length", fmt.Sprint(len(answer.body)))
	w.WriteHeader(answer.status)
	if answer.cut {
		_, _ = w.Write(answer.body[:len(answer.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(answer.body)
}

func (a *alipay) answer(r *http.Request, api string, body []byte) *reply {
	x := &exchange{a: a, ctx: r.Context(), api: api, target: r.URL.RequestURI()}
	if api == "" {
		a.log.wrong("calls to the documented paths alone", "a request for %s", r.URL.Path)
		return unsigned(http.StatusNotFound, result("F", "NO_INTERFACE_DEF"))
	}
	if r.Method != http.MethodPost {
		a.log.wrong("POST", "%s for %s", r.Method, api)
		return unsigned(http.StatusMethodNotAllowed, result("F", "METHOD_NOT_SUPPORTED"))
	}
	a.mu.Lock()
	keys := a.walletKeys
	a.mu.Unlock()
	version, err := verify(keys, r.Header, "Request-Time", x.target, a.cfg.Wallet.ClientID, body)
	if err != nil {
		a.log.wrong("every request is signed", "%s: %v", api, err)
		return unsigned(http.StatusOK, because("F", "INVALID_SIGNATURE", err.Error()))
	}
	var members object
	if err := strict(body, &members); err != nil {
		a.log.wrong("JSON by the rules of the documents", "%s: %v", api, err)
		return x.sign(because("F", "PARAM_ILLEGAL", err.Error()))
	}
	seen := attempt{time.Now(), x.target, body, r.Header.Get("Signature"), members, version}
	var fault fault
	switch api {
	case "userInitiatedPay":
		fault = a.decoding(x, seen)
	case "notifyPayment":
		fault = a.notified(x, seen)
	case "authNotify":
		fault = a.authNotified(x, seen)
	case "consultUnbinding":
		x.process = func() []byte { return a.consulted(members) }
	case "inquiryCodeRules":
		x.process = Rules
	}
	if fault != nil {
		return fault(x)
	}
	return x.sign(x.process())
}

func result(status, code string) []byte {
	return because(status, code, "played by the acceptance suite")
}

// because is a result with its reason.
func because(status, code, reason string) []byte {
	if len(reason) > 256 {
		reason = strings.ToValidUTF8(reason[:256], "")
	}
	return encode(object{"result": object{"resultCode": code, "resultStatus": status, "resultMessage": reason}})
}

func unsigned(status int, body []byte) *reply {
	return &reply{status, http.Header{"Content-Type": {"application/json"}}, body, false}
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("accept: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}

// text returns the member at the path, "" if there is none.
func text(v object, path ...string) string {
	for i, name := range path {
		if i == len(path)-1 {
			s, _ := v[name].(string)
			return s
		}
		v, _ = v[name].(object)
	}
	return ""
}

// The codes of the suite. A code of an order begins with orderCode, one of a
// counter with entryCode.
const (
	orderCode      = "https://qr.accept.example/281"
	entryCode      = "https://shop.accept.example/entry/"
	plainEntryCode = "http://shop.accept.example/entry/" // counters have both
	notifyPath     = "/accept/notify/"
)

// Rules returns the body of an inquiryCodeRules answer by which the suite's
// codes are identified, for a wallet that does not ask for them.
func Rules() []byte {
	rule := func(prefix string, action object) object {
		return object{"codeMatchPattern": object{"matchMethod": "PREFIX", "prefix": prefix}, "postCodeMatchAction": action}
	}
	return encode(object{
		"result":  object{"resultCode": "SUCCESS", "resultStatus": "S"},
		"version": "c_1_accept",
		"codeRules": []any{
			rule(orderCode, object{"postCodeMatchActionType": "DECODE"}),
			rule(entryCode, object{"postCodeMatchActionType": "OPEN_URL", "urlConstructionMethod": "USE_DIRECTLY"}),
			rule(plainEntryCode, object{"postCodeMatchActionType": "OPEN_URL", "urlConstructionMethod": "USE_DIRECTLY"}),
		},
	})
}
