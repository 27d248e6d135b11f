package alipayplus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// The constant answers to requests that did not verify.
var (
	refusedSignature = []byte(`{"result":{"resultCode":"INVALID_SIGNATURE","resultStatus":"F"}}`)
	refusedMethod    = []byte(`{"result":{"resultCode":"METHOD_NOT_SUPPORTED","resultStatus":"F"}}`)
	refusedMedia     = []byte(`{"result":{"resultCode":"MEDIA_TYPE_NOT_ACCEPTABLE","resultStatus":"F"}}`)
	refusedSize      = []byte(`{"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F"}}`)
	refusedPath      = []byte(`{"result":{"resultCode":"NO_INTERFACE_DEF","resultStatus":"F"}}`)
	unsignedUnknown  = []byte(`{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`)
)

// reply is what a request comes to.
type reply struct {
	status int // 200, or an unsigned refusal
	body   []byte
	result Result
	err    error // for hooks and logs
	sign   bool
	final  bool // to be kept in the IdempotencyStore and repeated
}

// answer verifies a request and finds what to answer until deadline.
func (h *Handler) answer(ctx context.Context, route *Route, w http.ResponseWriter, r *http.Request, content *Content, deadline time.Time) reply {
	began := time.Now()
	refuse := func(status int, body []byte, code ResultCode, err error) reply {
		e := &Error{Operation: route.name, Attempts: 1, Err: err}
		h.hooks.attempt(ctx, Attempt{Operation: route.name, Number: 1, Elapsed: time.Since(began), Err: e})
		if more, ok := h.strangers.next(began); ok {
			h.log.WarnContext(ctx, "alipayplus: a request is refused",
				slog.String("operation", route.name), slog.Any("error", err), slog.Int64("moreSinceLast", more))
		}
		return reply{status: status, body: body, result: code.Result(), err: err}
	}
	unverified := func(err error) reply {
		out := refuse(h.refusal, refusedSignature, CodeInvalidSignature, err)
		content.ClientID = h.credentials.ClientID
		out.sign = h.signRefusal && validTarget(content.Target)
		return out
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, refusedMethod, CodeMethodNotSupported, errors.New("the method is not POST"))
	}
	if !acceptable(r.Header) {
		return refuse(http.StatusUnsupportedMediaType, refusedMedia, CodeMediaTypeNotAcceptable, errors.New("the content is not plain JSON"))
	}
	ids, times, signatures := r.Header["Client-Id"], r.Header["Request-Time"], r.Header["Signature"]
	if len(ids) != 1 || len(times) != 1 || len(signatures) != 1 {
		return unverified(signatureError("the request does not have each of Client-Id, Request-Time and Signature once"))
	}
	content.ClientID, content.Time = ids[0], times[0]
	if err := content.precheck(signatures[0], h.credentials.Keys); err != nil {
		return unverified(err)
	}
	if !h.clientIDs[content.ClientID] {
		return unverified(signatureError("the Client-Id is not one of ours"))
	}
	body, err := readUntil(deadline, w, r)
	switch {
	case errors.Is(err, errRequestTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, refusedSize, CodeParamIllegal, err)
	case err != nil:
		return unverified(errors.New("the body could not be read"))
	}
	content.Body = body
	stray, err := content.verify(signatures[0], h.credentials.Keys)
	if err != nil {
		return unverified(err)
	}
	if stray != "" {
		h.log.WarnContext(ctx, "alipayplus: key version of a request is not configured as such",
			slog.String("operation", route.name), slog.String("keyVersion", stray))
	}

	age, known, far := h.freshness.age(content.Time)
	h.hooks.attempt(ctx, Attempt{Operation: route.name, Number: 1, Elapsed: time.Since(began), Skew: age})
	if !known || far {
		h.log.WarnContext(ctx, "alipayplus: Request-Time is far from now or has no known form",
			slog.String("operation", route.name), slog.Bool("known", known), slog.Duration("age", age))
	}
	if far && h.freshness.enforce && route.readOnly {
		return signed(CodeUnknownException.Result(), fmt.Errorf("%w: Request-Time is %v old", ErrStale, age.Round(time.Second)))
	}
	info := &Info{Attempts: 1, TraceID: traceID(r.Header), Body: Conceal(string(body))}
	info.SignedAt, _ = parseInstant(content.Time)
	return h.dispatch(ctx, route, info, deadline)
}

// dispatch answers a verified request.
func (h *Handler) dispatch(ctx context.Context, route *Route, info *Info, deadline time.Time) (out reply) {
	defer func() {
		if v := recover(); v != nil { // an IdempotencyStore or Spec.Idempotency; call knows about functions
			out = h.unknown(ctx, route, h.panicked(ctx, route, v))
		}
	}()
	request, err := route.decode([]byte(info.Body.Reveal()))
	if err != nil {
		h.log.ErrorContext(ctx, "alipayplus: a verified request cannot be used", slog.String("operation", route.name), slog.Any("error", err))
		result := CodeParamIllegal.Result()
		result.Message = truncate(strings.TrimPrefix(err.Error(), "alipayplus: "), 256)
		return signed(result, err)
	}
	// A broken connection stops neither the function nor the record of its answer.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	if route.idempotency == nil {
		a, err := h.call(ctx, route, request, info)
		return h.finished(ctx, route, a, err)
	}

	idempotency := route.idempotency(request)
	if rule := brokenKeyRule(idempotency.Key); rule != "" {
		return signed(CodeParamIllegal.Result(), errors.New("the idempotency key "+rule))
	}
	fingerprint, err := fingerprintOf(idempotency.Match)
	if err != nil {
		return h.unknown(ctx, route, err)
	}
	claim := Claim{Operation: route.name, Key: idempotency.Key, Owner: rand.Text(), Fingerprint: fingerprint, Lease: h.lease}
	state, recorded, err := h.begin(ctx, claim)
	if err != nil {
		return h.unknown(ctx, route, storeError{err})
	}
	switch state {
	case ClaimFirst, ClaimRetry:
		info.Again = state == ClaimRetry
		return h.runClaim(ctx, route, request, info, claim)
	case ClaimRunning:
		code := CodeUnknownException
		if route.running != "" {
			code = route.running
		}
		return signed(Result{Code: code, Status: StatusUnknown}, errors.New("an earlier request still runs"))
	case ClaimAnswered:
		return h.repeated(ctx, route, request, recorded)
	case ClaimConflict:
		return signed(CodeRepeatReqInconsistent.Result(), CodeRepeatReqInconsistent)
	case ClaimUndecided:
	}
	return h.unknown(ctx, route, storeError{errors.New("it did not decide about the claim")})
}

// runClaim runs the function for a granted claim and records what it answers.
func (h *Handler) runClaim(ctx context.Context, route *Route, request any, info *Info, claim Claim) reply {
	a, err := h.call(ctx, route, request, info)
	out := h.finished(ctx, route, a, err)
	var record []byte // nil leaves the record open
	if out.final {
		record = out.body
	}
	// The function may have used up its time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultTimeout)
	defer cancel()
	if err := h.finish(ctx, claim, record); err != nil {
		return h.unknown(ctx, route, storeError{err})
	}
	return out
}

// begin calls the store's Begin and ends with ctx. A store in memory does
// not wait.
func (h *Handler) begin(ctx context.Context, c Claim) (ClaimState, []byte, error) {
	if memory, ok := h.store.(*MemoryIdempotencyStore); ok {
		return memory.Begin(ctx, c)
	}
	begun, err := await(ctx, func() (begun struct {
		state  ClaimState
		answer []byte
	}, err error) {
		begun.state, begun.answer, err = h.store.Begin(ctx, c)
		return begun, err
	})
	return begun.state, begun.answer, err
}

// finish calls the store's Finish and ends with ctx.
func (h *Handler) finish(ctx context.Context, c Claim, record []byte) error {
	if memory, ok := h.store.(*MemoryIdempotencyStore); ok {
		return memory.Finish(ctx, c, record)
	}
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, h.store.Finish(ctx, c, record) })
	return err
}

// call runs the function of a route. A panic becomes an error.
func (h *Handler) call(ctx context.Context, route *Route, request any, info *Info) (a answer, err error) {
	ctx = context.WithValue(ctx, requestInfoKey{}, info)
	defer func() {
		if v := recover(); v != nil {
			err = h.panicked(ctx, route, v)
		}
	}()
	return route.run(ctx, request)
}

// panicked logs a panic, called by the function that recovered, and returns its
// error. The value may hold anything, so that only its type is shown.
func (h *Handler) panicked(ctx context.Context, route *Route, v any) error {
	err := ownError(fmt.Sprintf("panic with a %T while answering %s", v, route.name))
	h.log.ErrorContext(ctx, "alipayplus: panic", slog.Any("error", err), slog.String("stack", string(debug.Stack())))
	return err
}

// finished returns the reply for what a function returned. A refusal is logged,
// so that an engineer finds why a user could not pay.
func (h *Handler) finished(ctx context.Context, route *Route, a answer, err error) reply {
	var reason slog.Attr // none is left out
	if a.result.Message != "" {
		reason = slog.String("reason", a.result.Message)
	}
	out := reply{status: http.StatusOK, body: a.body, result: a.result, sign: true, final: a.final}
	if err != nil {
		own, ok := ownResult(err)
		if !ok {
			return h.unknown(ctx, route, err)
		}
		reason = slog.Any("reason", err)
		out = signed(own, err)
		out.final = own.Status == StatusFailed
	}
	if out.result.Status == StatusFailed {
		h.log.InfoContext(ctx, "alipayplus: the function refuses",
			slog.String("operation", route.name), slog.String("code", string(out.result.Code)), reason)
	}
	return out
}

// unknown returns the answer when money may have moved. The error is shown: the
// host must be able to find out what happened, and its text is the host's own.
func (h *Handler) unknown(ctx context.Context, route *Route, err error) reply {
	h.log.ErrorContext(ctx, "alipayplus: answering UNKNOWN_EXCEPTION", slog.String("operation", route.name), slog.Any("error", err))
	return signed(CodeUnknownException.Result(), err)
}

// ownError is an error whose text this package made.
type ownError string

func (e ownError) Error() string { return string(e) }

// storeError is the error of an IdempotencyStore.
type storeError struct{ error }

func (e storeError) Error() string { return "store: " + e.error.Error() }

func (e storeError) Unwrap() error { return e.error }

// repeated returns the recorded answer, freshly signed. A record that cannot be
// read, or that holds an answer that is never kept, is answered U.
func (h *Handler) repeated(ctx context.Context, route *Route, request any, body []byte) reply {
	a, err := route.recorded(request, body)
	if err != nil {
		return h.unknown(ctx, route, storeError{err})
	}
	return reply{status: http.StatusOK, body: a.body, result: a.result, sign: true}
}

// signed returns an answer of nothing but a result.
func signed(r Result, err error) reply {
	body, encodeErr := wire.EncodeUnchecked(resultOnly{r})
	if encodeErr != nil {
		body, r = unsignedUnknown, CodeUnknownException.Result()
	}
	return reply{status: http.StatusOK, body: body, result: r, err: err, sign: true}
}

// truncate cuts text to n characters.
func truncate(text string, n int) string {
	count := 0
	for i := range text {
		if count++; count > n {
			return text[:i]
		}
	}
	return text
}
