package alipayplus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Spec declares an API of the protocol, once: the client, the handler, the
// in-memory Alipay+ for tests, hooks and logs all run on it. The packages
// payment, mpm, codeid, easypay and auth declare the documented APIs; a wallet
// that needs another one declares it the same way.
//
// Req and Resp are structs with json tags. Resp has a field Result of type
// Result.
type Spec[Req, Resp any] struct {
	// Name is the API's name in the documents, "userInitiatedPay". Errors,
	// hooks and logs show it, and it separates the idempotency keys of different
	// APIs.
	Name string
	// Path is where Alipay+ serves the API, "/aps/api/v1/payments/notifyPayment".
	// Only for Outbound: the MPP itself chooses the paths that Alipay+ calls.
	Path string
	// Timeout bounds one attempt of an outbound call. For an inbound one it is
	// how long Alipay+ waits. 0 means 5 seconds.
	Timeout time.Duration
	// Idempotency returns what makes two requests the same. An outbound API with
	// neither Idempotency nor ReadOnly is never sent twice; an inbound one is
	// never answered from the IdempotencyStore.
	Idempotency func(*Req) Idempotency
	// ReadOnly says that the API changes nothing, so that repeating it is safe.
	ReadOnly bool
	// Missing names the members that an S answer to this request lacks, by their
	// wire names: paymentId and paymentTime for a payment, neither for an
	// evaluation. An S that lacks one is never sent: it is answered U, with an
	// alarm. nil means that S requires nothing. Only for Inbound.
	Missing func(*Req, *Resp) []string
	// Keep reports whether a U answer is as final as S and F: the
	// IdempotencyStore keeps it and repeats it. For pay that is the answer to a
	// creation, whose result comes by notifyPayment. nil keeps no U. Only for
	// Inbound.
	Keep func(*Resp) bool
	// Running is the code of the U that a repetition gets while the first request
	// still runs; "" means UNKNOWN_EXCEPTION. Only for Inbound.
	Running ResultCode
}

// Idempotency is what makes two requests the same.
type Idempotency struct {
	// Key is the idempotency field of the API, for example paymentRequestId. It
	// is stored and logged: for a secret give Secret.Digest.
	Key string
	// Match lists the values that must not differ between two requests of one
	// key: strings, Amounts, other plain values. List values one by one, not
	// whole messages, so that fields added later do not change stored
	// fingerprints.
	Match []any
}

// Format prints the key for every verb: the rest may be private.
func (i Idempotency) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "Idempotency{%s}", i.Key) }

// LogValue returns the key for log/slog.
func (i Idempotency) LogValue() slog.Value { return slog.StringValue(i.Key) }

const defaultTimeout = 5 * time.Second

// Outbound is an API of Alipay+ that the MPP calls.
type Outbound[Req, Resp any] struct {
	spec   Spec[Req, Resp]
	result int // field index of Resp.Result
}

// NewOutbound makes an Outbound of s. It panics for a Spec that can never work:
// declarations are package variables, so that such a mistake shows at once.
func NewOutbound[Req, Resp any](s Spec[Req, Resp]) *Outbound[Req, Resp] {
	if !strings.HasPrefix(s.Path, "/") {
		panic("alipayplus: " + s.Name + ": an outbound API needs a path that begins with /")
	}
	return &Outbound[Req, Resp]{spec: s, result: checkSpec(&s)}
}

// checkSpec returns the index of Resp.Result and panics if there is none.
func checkSpec[Req, Resp any](s *Spec[Req, Resp]) int {
	if s.Name == "" {
		panic("alipayplus: an API needs a name")
	}
	resp := reflect.TypeFor[Resp]()
	if reflect.TypeFor[Req]().Kind() != reflect.Struct || resp.Kind() != reflect.Struct {
		panic("alipayplus: " + s.Name + ": request and response must be structs")
	}
	field, ok := resp.FieldByName("Result")
	if !ok || field.Type != reflect.TypeFor[Result]() || len(field.Index) != 1 {
		panic(fmt.Sprintf("alipayplus: %s: %v has no field Result of type Result", s.Name, resp))
	}
	return field.Index[0]
}

// Name returns the API's name.
func (o *Outbound[Req, Resp]) Name() string { return o.spec.Name }

// Spec returns the declaration.
func (o *Outbound[Req, Resp]) Spec() Spec[Req, Resp] { return o.spec }

// WithPath returns the same API at another path, for a gateway that serves it
// elsewhere. It panics unless path begins with "/".
func (o *Outbound[Req, Resp]) WithPath(path string) *Outbound[Req, Resp] {
	s := o.spec
	s.Path = path
	return NewOutbound(s)
}

// Call sends req and waits for Alipay+'s answer. It returns an answer only if
// that is verified and has status S. Every other end is an [*Error] that says,
// by [OutcomeOf], whether Alipay+ processed the request; AnswerIn reads the
// answer of a verified F or U from it.
//
// Call repeats an attempt that was lost or answered U where that is safe, with
// the same bytes, as the client's [RetryPolicy] and Budget allow and until ctx
// is done. To send the same request again later, call again with an equal req.
func (o *Outbound[Req, Resp]) Call(ctx context.Context, c *Client, req *Req, opts ...CallOption) (*Resp, error) {
	m, err := o.Prepare(req)
	if err != nil {
		return nil, err
	}
	var answer *Resp
	err = c.exchange(ctx, exchange{
		Message:    m,
		repeatable: o.spec.Idempotency != nil || o.spec.ReadOnly,
		decode: func(body []byte) (any, Result, error) {
			answer = nil
			resp := new(Resp)
			if err := wire.Decode(body, resp); err != nil {
				return nil, Result{}, publicError(err)
			}
			answer = resp
			return resp, *o.resultOf(resp), nil
		},
	}, opts)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (o *Outbound[Req, Resp]) resultOf(resp *Resp) *Result {
	return reflect.ValueOf(resp).Elem().Field(o.result).Addr().Interface().(*Result)
}

// AnswerIn returns the verified F or U answer of this API that err carries. An
// F may hold an actionForm, which must be obeyed. It reports false if err
// carries none: nothing that did not verify is ever returned.
func (o *Outbound[Req, Resp]) AnswerIn(err error) (*Resp, bool) {
	var e *Error
	if !errors.As(err, &e) || e.Operation != o.spec.Name {
		return nil, false
	}
	resp, ok := e.answer.(*Resp)
	return resp, ok
}

// Prepare checks and encodes req once. What it returns can be stored and sent
// by [Client.Deliver], now, again, or after a restart, always with the same
// bytes. The error of a req that breaks a rule is an [*Error] with outcome
// OutcomeNotSent that wraps a [*ValidationError].
func (o *Outbound[Req, Resp]) Prepare(req *Req) (Message, error) {
	if req == nil {
		return Message{}, &Error{Operation: o.spec.Name, Outcome: OutcomeNotSent, Err: errors.New("the request is nil")}
	}
	body, err := wire.Encode(req)
	if err != nil {
		return Message{}, &Error{Operation: o.spec.Name, Outcome: OutcomeNotSent, Err: publicError(err)}
	}
	m := Message{Operation: o.spec.Name, Path: o.spec.Path, Timeout: o.spec.Timeout, Body: Conceal(string(body))}
	if o.spec.Idempotency != nil {
		m.Key = o.spec.Idempotency(req).Key
	}
	return m, nil
}
