package mpm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

const (
	maxAppBody = 64 << 10 // a code of 8,192 characters, each escaped, and more
	// appPatience is how long the app waits for a decoding: one attempt of 8
	// seconds and another. What is not known then is Pending.
	appPatience = 20 * time.Second
)

// Handler returns the handler for the wallet's app: JSON over HTTP, four
// questions.
//
//	POST /scan           a code that the user scanned: Flow.Scan
//	POST /decode         a code that the client SDK intercepted: Flow.Decode
//	POST /confirm        the user agreed on the cashier page: Flow.Confirm
//	GET  /payments/{id}  the result page of a payment: Flow.ResultPage
//
// The paths are below the place where the handler is mounted
// (http.StripPrefix). The answers with status 200 are steps, see [Step];
// APP.md, beside this package, has an example of every request and answer.
//
// customer returns the id of the user who is signed in, at most 64 characters;
// an error or an empty id is answered 401. What else protects an API of the
// wallet comes before the handler: TLS, rate limits, the app's attestation.
//
// The other answers are {"error":"…","message":"…"}, for developers and not for
// users:
//
//	400 bad_request             not the documented JSON, or a member is missing
//	401 unauthenticated         customer returned an error
//	404 not_found               no such path; no such payment of this customer
//	405 method_not_allowed
//	409 amount_changed          the user saw another amount: "cashier" has the step to show
//	413 too_large               a body of over 64 KiB
//	415 unsupported_media_type  not application/json
//	503 unavailable             not known, ask again after Retry-After (seconds)
//
// 503 decides nothing: after a confirmation ask for the payment or confirm
// again. Nothing may be cached. Scan and decode take at most 20 seconds.
func (f *Flow) Handler(customer func(*http.Request) (id string, err error)) http.Handler {
	if customer == nil {
		panic("mpm: Handler needs a function that names the customer")
	}
	a := app{f, customer}
	mux := http.NewServeMux()
	for path, route := range map[string]struct {
		method string
		serve  func(w http.ResponseWriter, r *http.Request, customerID string)
	}{
		"/scan":          {http.MethodPost, a.code(f.Scan)},
		"/decode":        {http.MethodPost, a.code(f.Decode)},
		"/confirm":       {http.MethodPost, a.confirm},
		"/payments/{id}": {http.MethodGet, a.payment},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != route.method {
				w.Header().Set("Allow", route.method)
				a.fail(w, r, appError{status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "use " + route.method})
				return
			}
			if id, ok := a.signedIn(w, r); ok {
				route.serve(w, r, id)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, appError{status: http.StatusNotFound, Code: "not_found", Message: "there is no such path"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		ctx, cancel := context.WithTimeout(r.Context(), appPatience)
		defer cancel()
		mux.ServeHTTP(w, r.WithContext(ctx))
	})
}

// app answers the wallet's app.
type app struct {
	flow     *Flow
	customer func(*http.Request) (string, error)
}

// appError is an answer that is no Step.
type appError struct {
	status  int
	Code    string   `json:"error"`
	Message string   `json:"message"`
	Cashier *Cashier `json:"cashier,omitempty"`
}

func (a app) fail(w http.ResponseWriter, r *http.Request, e appError) {
	a.write(w, r, e.status, e)
}

func (a app) write(w http.ResponseWriter, r *http.Request, status int, answer any) {
	data, err := json.Marshal(answer)
	if err != nil { // cannot be
		a.flow.log.ErrorContext(r.Context(), "mpm: an answer for the app is no JSON", slog.Any("error", err))
		status, data = http.StatusInternalServerError, []byte(`{"error":"internal","message":"the answer cannot be written"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// unavailable answers an error that decides nothing.
func (a app) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	a.flow.log.Log(r.Context(), levelOf(r.Context()), "mpm: the app gets no answer and asks again", slog.String("path", r.URL.Path), slog.Any("error", err))
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(a.flow.askAgainAfter.Seconds()))))
	a.fail(w, r, appError{status: http.StatusServiceUnavailable, Code: "unavailable", Message: "it is not known yet; ask again"})
}

// signedIn names the customer, or answers.
func (a app) signedIn(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	id, err := a.customer(r)
	switch {
	case err != nil || id == "":
		a.fail(w, r, appError{status: http.StatusUnauthorized, Code: "unauthenticated", Message: "nobody is signed in"})
		return "", false
	case utf8.RuneCountInString(id) > 64:
		a.unavailable(w, r, errors.New("a customer id of over 64 characters"))
		return "", false
	}
	return id, true
}

// read reads the JSON body into request, or answers.
func (a app) read(w http.ResponseWriter, r *http.Request, request any) (ok bool) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := parameters["charset"]
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		a.fail(w, r, appError{status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Message: "send application/json, not compressed"})
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAppBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		a.fail(w, r, appError{status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: "the body has over 64 KiB"})
		return false
	}
	if err == nil {
		err = wire.Check(body)
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		err = d.Decode(request)
	}
	if err != nil { // whose text may show what was sent
		a.bad(w, r, "the body is not the documented JSON")
		return false
	}
	return true
}

func (a app) bad(w http.ResponseWriter, r *http.Request, message string) {
	a.fail(w, r, appError{status: http.StatusBadRequest, Code: "bad_request", Message: message})
}

// code serves scan and decode.
func (a app) code(ask func(context.Context, alipayplus.Secret, string) (Step, error)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, customerID string) {
		var request struct {
			Code alipayplus.Secret `json:"code"`
		}
		if !a.read(w, r, &request) {
			return
		}
		step, err := ask(r.Context(), request.Code, customerID)
		if err != nil { // the customer was checked before
			a.bad(w, r, "code is missing or blank")
			return
		}
		a.write(w, r, http.StatusOK, step)
	}
}

func (a app) confirm(w http.ResponseWriter, r *http.Request, customerID string) {
	var request struct {
		PaymentRequestID string            `json:"paymentRequestId"`
		Amount           alipayplus.Amount `json:"amount"`
		Consent          bool              `json:"consent"`
		Source           string            `json:"source"`
		Proof            alipayplus.Secret `json:"proof"`
	}
	if !a.read(w, r, &request) {
		return
	}
	switch {
	case request.PaymentRequestID == "":
		a.bad(w, r, "paymentRequestId is missing")
		return
	case request.Amount.IsZero():
		a.bad(w, r, "amount is missing")
		return
	case utf8.RuneCountInString(request.Source) > 64:
		a.bad(w, r, "source has over 64 characters")
		return
	}
	page, err := a.flow.Confirm(r.Context(), payment.Confirmation{
		PaymentRequestID: request.PaymentRequestID,
		CustomerID:       customerID,
		Shown:            request.Amount,
		Consent:          request.Consent,
		Source:           request.Source,
		Proof:            request.Proof,
	})
	if _, refused := alipayplus.RefusalOf(err); refused && errors.Is(err, payment.ErrAmountChanged) {
		if record, err := a.flow.find(r.Context(), request.PaymentRequestID, customerID); err == nil {
			a.fail(w, r, appError{
				status: http.StatusConflict, Code: "amount_changed", Message: "the user agreed to another amount; show the cashier page again",
				Cashier: &Cashier{Record: record},
			})
			return
		}
	}
	a.answer(w, r, page, err)
}

func (a app) payment(w http.ResponseWriter, r *http.Request, customerID string) {
	page, err := a.flow.ResultPage(r.Context(), r.PathValue("id"), customerID)
	a.answer(w, r, page, err)
}

// answer answers with a result page, or with the reason why there is none.
func (a app) answer(w http.ResponseWriter, r *http.Request, page ResultPage, err error) {
	_, refused := alipayplus.RefusalOf(err)
	switch {
	case err == nil:
		a.write(w, r, http.StatusOK, page)
	case refused && (errors.Is(err, payment.ErrUnknownOrder) || errors.Is(err, payment.ErrOtherCustomer)):
		// Both look alike, so that nobody can find out which payments there
		// are.
		a.flow.log.WarnContext(r.Context(), "mpm: a customer asks about a payment that is not theirs", slog.Any("error", err))
		a.fail(w, r, appError{status: http.StatusNotFound, Code: "not_found", Message: "there is no such payment of this customer"})
	case errors.Is(err, payment.ErrEvent):
		a.flow.log.WarnContext(r.Context(), "mpm: a payment cannot be confirmed here", slog.Any("error", err))
		a.bad(w, r, "the payment is not confirmed in this way")
	default:
		a.unavailable(w, r, err)
	}
}
