package alipayplus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Inbound is an API of the MPP that Alipay+ calls.
type Inbound[Req, Resp any] struct {
	spec   Spec[Req, Resp]
	result int // field index of Resp.Result
}

// NewInbound makes an Inbound of s. It panics for a Spec that can never work:
// declarations are package variables, so that such a mistake shows at once.
func NewInbound[Req, Resp any](s Spec[Req, Resp]) *Inbound[Req, Resp] {
	if s.Path != "" {
		panic("alipayplus: " + s.Name + ": the MPP chooses the path of an inbound API")
	}
	return &Inbound[Req, Resp]{spec: s, result: checkSpec(&s)}
}

// Name returns the API's name.
func (in *Inbound[Req, Resp]) Name() string { return in.spec.Name }

// Spec returns the declaration.
func (in *Inbound[Req, Resp]) Spec() Spec[Req, Resp] { return in.spec }

// Handle serves the API at path with fn. path is the one that the MPP
// registered with Alipay+.
//
// fn gets a verified and checked request. What it returns decides the answer:
//
//   - A nil error: the answer, whatever its status. A zero Result means
//     SUCCESS; an S that lacks what Spec.Missing names is answered U, with an
//     alarm. Answers with S or F are kept in the [IdempotencyStore] and
//     repeated to a repeated request; a U leaves the request open, so that fn
//     runs again (except what Spec.Keep keeps).
//   - An error that is a [ResultCode] or a Result with status F, alone or at
//     the end of a chain of single %w: a refusal. It is kept like an answer.
//     With status U it is the answer, not kept.
//   - Any other error, an [*Error] of a call that fn made, errors.Join, several
//     %w, a panic: U UNKNOWN_EXCEPTION, because money may have moved. Nothing
//     is kept, and the next repetition runs fn again; [RequestInfo] then says
//     Again.
//
// fn must therefore be idempotent by its own key: put a unique constraint on
// paymentRequestId into the transaction that moves the money, and answer from
// there when it is taken.
//
// fn runs on the request's goroutine. Its context ends when seven eighths of
// Spec.Timeout are over, not when the connection breaks. An answer that comes
// later than that is kept all the same.
func (in *Inbound[Req, Resp]) Handle(path string, fn func(context.Context, *Req) (*Resp, error)) Route {
	s := in.spec
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	route := Route{
		name:     s.Name,
		path:     path,
		timeout:  timeout,
		readOnly: s.ReadOnly,
		running:  s.Running,
		broken:   fn == nil,
	}
	route.decode = func(body []byte) (any, error) {
		request := new(Req)
		if err := wire.Decode(body, request); err != nil {
			return nil, publicError(err)
		}
		return request, nil
	}
	if s.Idempotency != nil {
		route.idempotency = func(request any) Idempotency { return s.Idempotency(request.(*Req)) }
	}
	// judge decides whether an answer may go out, and whether it is final.
	judge := func(request *Req, response *Resp) (answer, error) {
		result := *in.resultOf(response)
		switch result.Status {
		case StatusFailed:
			return answer{result: result, final: true}, nil
		case StatusUnknown:
			return answer{result: result, final: s.Keep != nil && s.Keep(response)}, nil
		case StatusSucceeded:
			if s.Missing != nil {
				if missing := s.Missing(request, response); len(missing) > 0 {
					return answer{}, ownError("an answer with status S lacks " + strings.Join(missing, ", "))
				}
			}
			return answer{result: result, final: true}, nil
		}
		return answer{}, ownError("an answer has no status S, F or U")
	}
	route.run = func(ctx context.Context, request any) (answer, error) {
		response, err := fn(ctx, request.(*Req))
		if err != nil {
			return answer{}, err
		}
		if response == nil {
			return answer{}, ownError("the function returned neither an answer nor an error")
		}
		completed := *response // the function's own is not touched
		result := in.resultOf(&completed)
		*result = complete(*result)
		a, err := judge(request.(*Req), &completed)
		if err != nil {
			return answer{}, err
		}
		if a.body, err = wire.Encode(&completed); err != nil {
			return answer{}, fmt.Errorf("the answer of the function: %w", publicError(err))
		}
		return a, nil
	}
	route.recorded = func(request any, body []byte) (answer, error) {
		response := new(Resp)
		if wire.Decode(body, response) != nil {
			return answer{}, errDamagedRecord
		}
		a, err := judge(request.(*Req), response)
		if err != nil || !a.final {
			return answer{}, errDamagedRecord
		}
		a.body = body
		return a, nil
	}
	return route
}

func (in *Inbound[Req, Resp]) resultOf(resp *Resp) *Result {
	return reflect.ValueOf(resp).Elem().Field(in.result).Addr().Interface().(*Result)
}

// answer is the answer of a function, encoded.
type answer struct {
	body   []byte
	result Result
	final  bool // to be kept and repeated
}

var errDamagedRecord = errors.New("the recorded answer is damaged")

// complete adds what is missing to the result that a function gave, because no
// answer goes out without a code, and cuts a message that is too long.
func complete(r Result) Result {
	if r == (Result{}) {
		return CodeSuccess.Result()
	}
	switch r.Status {
	case StatusSucceeded, StatusFailed, StatusUnknown:
	case "":
		r.Status = r.Code.status()
	default:
		r.Status = StatusUnknown
	}
	if r.Code == "" {
		switch r.Status {
		case StatusSucceeded:
			r.Code = CodeSuccess
		case StatusFailed:
			r.Code = CodeProcessFail
		default:
			r.Code = CodeUnknownException
		}
	}
	r.Message = truncate(strings.ToValidUTF8(r.Message, "?"), 256)
	return r
}

// ownResult returns the result, F or U, that the function itself returned as
// err: alone, or at the end of a chain in which each error wraps one other. An
// error that wraps several says more than the refusal, for example that a
// transaction did not end; so does an *Error, which belongs to a call that the
// function made.
func ownResult(err error) (Result, bool) {
	var result Result
	for ; err != nil; err = errors.Unwrap(err) { // which is nil for several
		switch own := err.(type) { //nolint:errorlint // errors.As would look into every branch
		case Result:
			result = complete(own)
		case ResultCode:
			result = complete(Result{Code: own})
		}
	}
	if wire.Validate(resultOnly{result}) != nil {
		return Result{}, false // a code that must not be sent
	}
	return result, result.Status == StatusFailed || result.Status == StatusUnknown
}

// Route is an API at a path, made by [Inbound.Handle] for [NewHandler].
type Route struct {
	name        string
	path        string
	timeout     time.Duration
	readOnly    bool
	running     ResultCode
	broken      bool // no function
	fixed       string
	prefix      string
	decode      func(body []byte) (any, error)
	idempotency func(request any) Idempotency
	run         func(ctx context.Context, request any) (answer, error)
	recorded    func(request any, body []byte) (answer, error)
}

// WithTarget says that Alipay+ signs target, a path with its query, whatever
// path arrives here: for a proxy that rewrites paths. http.StripPrefix needs
// neither this nor WithTargetPrefix: the request still has the path that
// arrived.
func (r Route) WithTarget(target string) Route {
	r.fixed, r.prefix = target, ""
	return r
}

// WithTargetPrefix says that Alipay+ signs prefix and the path that arrives
// here: for a proxy that strips prefix.
func (r Route) WithTargetPrefix(prefix string) Route {
	r.prefix, r.fixed = prefix, ""
	return r
}

// target returns the text that Alipay+ signed.
func (r *Route) target(received string) string {
	if r.fixed != "" {
		return r.fixed
	}
	return r.prefix + received
}

func (r *Route) check() error {
	switch {
	case r.decode == nil || r.broken:
		return errors.New("alipayplus: a route without a function; make it with Inbound.Handle")
	case !validTarget(r.path) || strings.ContainsAny(r.path, "?%"):
		return fmt.Errorf("alipayplus: the path of %s is no plain path", r.name)
	case r.fixed != "" && !validTarget(r.fixed), r.prefix != "" && !validTarget(r.prefix):
		return fmt.Errorf("alipayplus: the signed target of %s is no raw path", r.name)
	case strings.HasPrefix(r.target(r.path), alipayPaths):
		return fmt.Errorf("alipayplus: %s is served below %s, where Alipay+ has its own APIs: an answer of theirs could pass for a request", r.name, alipayPaths)
	}
	return nil
}

// alipayPaths is where Alipay+ serves its APIs. What it signed as an answer
// there differs from a request for the same path in nothing but a header's
// name.
const alipayPaths = "/aps/api/"

// fingerprintOf returns the digest of what must not differ between two
// requests.
func fingerprintOf(match []any) ([sha256.Size]byte, error) {
	text, err := wire.EncodeUnchecked(match)
	if err != nil {
		return [sha256.Size]byte{}, ownError("the Idempotency holds a value that has no JSON")
	}
	return sha256.Sum256(text), nil
}
