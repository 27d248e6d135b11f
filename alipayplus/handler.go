package alipayplus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRequest is the largest inbound body, 1 MiB.
const maxRequest = 1 << 20

// HandlerConfig is what [NewHandler] needs. Fields without "required" may stay
// zero.
type HandlerConfig struct {
	Credentials // required

	// ClientIDs are the Client-Id values that Alipay+ may send; nil means
	// Credentials.ClientID alone.
	ClientIDs []string
	// Idempotency remembers answers; required if an API has Spec.Idempotency (pay,
	// refund, cancelPayment, cancelToken …).
	Idempotency IdempotencyStore
	// Lease is how long a function may run before a repetition takes it for
	// crashed and runs it again; 0 means a minute. It must be longer than any
	// function takes; one that is shorter than Alipay+ waits is refused.
	Lease time.Duration
	// MaxSkew is how far the Request-Time of a request that only reads may be
	// from now; 0 means 15 minutes, negative only logs what is further away than
	// that. Requests that change something are never refused for their age: the
	// IdempotencyStore answers a repetition, be it an honest one or a replay.
	MaxSkew time.Duration
	// RefusalStatus is the HTTP status for a request that does not verify; 0
	// means 401.
	RefusalStatus int
	// SignRefusals signs those answers, too. A signature costs as much as thirty
	// verifications, and anybody can ask for one.
	SignRefusals bool
	// Hooks observe every request for a known path.
	Hooks Hooks
	// Logger gets refusals at level INFO, oddities and requests that do not verify
	// at WARN (of the latter at most one line a second, with a count), alarms and
	// panics at ERROR; nil means slog.Default(). It never gets a secret of a
	// message, but it gets the text of the errors that functions and the
	// IdempotencyStore return: do not put secrets there.
	Logger *slog.Logger
}

// Handler is an http.Handler that answers Alipay+. It is immutable, safe for
// concurrent use and leaves no goroutine, unless a signer or a store ignores
// its context.
//
// A request passes these checks, the cheapest first: method and media type,
// header grammar, client id, size, signature, age (of calls that only read),
// strict JSON, the rules of the message and the [IdempotencyStore]. Then the
// function of its route runs. What fails before the signature is verified gets
// an unsigned, constant refusal; everything after it gets HTTP 200 and a signed
// result.
type Handler struct {
	credentials Credentials
	clientIDs   map[string]bool
	routes      map[string]*Route
	store       IdempotencyStore
	lease       time.Duration
	freshness   freshness
	refusal     int
	signRefusal bool
	hooks       Hooks
	log         *slog.Logger
	strangers   onceASecond
}

// NewHandler checks cfg and routes completely and returns a Handler.
func NewHandler(cfg HandlerConfig, routes ...Route) (*Handler, error) {
	if err := cfg.Credentials.check(); err != nil {
		return nil, err
	}
	h := &Handler{
		credentials: cfg.Credentials,
		clientIDs:   make(map[string]bool),
		routes:      make(map[string]*Route, len(routes)),
		store:       cfg.Idempotency,
		lease:       cfg.Lease,
		freshness:   newFreshness(cfg.MaxSkew),
		refusal:     cfg.RefusalStatus,
		signRefusal: cfg.SignRefusals,
		hooks:       cfg.Hooks,
		log:         cfg.Logger,
	}
	if h.refusal == 0 {
		h.refusal = http.StatusUnauthorized
	}
	if h.refusal < 200 || h.refusal > 599 {
		return nil, errors.New("alipayplus: RefusalStatus is no HTTP status of an answer")
	}
	if h.lease == 0 {
		h.lease = time.Minute
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	ids := cfg.ClientIDs
	if len(ids) == 0 {
		ids = []string{cfg.ClientID}
	}
	for _, id := range ids {
		if !validClientID(id) {
			return nil, errors.New("alipayplus: an entry of ClientIDs is not 1 to 64 of A-Z a-z 0-9 _ -")
		}
		h.clientIDs[id] = true
	}
	if len(routes) == 0 {
		return nil, errors.New("alipayplus: a handler without routes")
	}
	targets := make(map[string]string, len(routes)) // API by signed target
	for _, r := range routes {
		if err := r.check(); err != nil {
			return nil, err
		}
		if h.routes[r.path] != nil {
			return nil, fmt.Errorf("alipayplus: two routes at the path of %s", r.name)
		}
		target := r.target(r.path)
		if other, taken := targets[target]; taken && other != r.name {
			return nil, fmt.Errorf("alipayplus: %s and %s have one signed target: a request for one would verify for the other", other, r.name)
		}
		targets[target] = r.name
		if r.idempotency != nil && h.store == nil {
			return nil, fmt.Errorf("alipayplus: %s needs an IdempotencyStore, to answer repeated requests", r.name)
		}
		if r.idempotency != nil && h.lease < r.timeout-r.timeout/8 {
			return nil, fmt.Errorf("alipayplus: Lease is shorter than %s may run", r.name)
		}
		h.routes[r.path] = &r // of this turn: the caller's slice may change
	}
	return h, nil
}

type requestInfoKey struct{}

// RequestInfo returns more about the request that a function gets: its raw
// body, and whether an earlier run left it without an answer. It reports false
// for a context that is not one of [Inbound.Handle].
func RequestInfo(ctx context.Context) (Info, bool) {
	info, ok := ctx.Value(requestInfoKey{}).(*Info)
	if !ok {
		return Info{}, false
	}
	return *info, true
}

// String names the client id and the number of routes.
func (h *Handler) String() string {
	return fmt.Sprintf("alipayplus.Handler{%s, %d routes}", h.credentials.ClientID, len(h.routes))
}

// GoString returns String: no verb prints the keys.
func (h *Handler) GoString() string { return h.String() }

// ServeHTTP implements http.Handler. A path that no route has is 404.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := h.routes[r.URL.Path]
	if route == nil {
		h.write(w, http.StatusNotFound, refusedPath)
		return
	}
	began := time.Now()
	ctx := h.hooks.start(r.Context(), route.name)
	content := Content{Method: r.Method, Target: route.target(receivedTarget(r))}
	out := h.answer(ctx, route, w, r, &content, began.Add(route.timeout-route.timeout/8))
	if out.sign {
		content.Body = out.body
		content.Time = headerTime(time.Now())
		// The signer has the last eighth of the time that Alipay+ waits.
		signing, cancel := context.WithTimeout(ctx, max(time.Until(began.Add(route.timeout)), route.timeout/8))
		signature, err := content.Sign(signing, h.credentials.Signer)
		cancel()
		if err != nil {
			// The record is kept: a repetition gets the answer, signed.
			h.log.ErrorContext(ctx, "alipayplus: cannot sign an answer", slog.String("operation", route.name), slog.Any("error", err))
			out = reply{status: http.StatusInternalServerError, body: unsignedUnknown, result: CodeUnknownException.Result(), err: err}
		} else {
			header := w.Header()
			header.Set("Client-Id", content.ClientID)
			header.Set("Response-Time", content.Time)
			header.Set("Signature", signature)
		}
	}
	h.write(w, out.status, out.body)
	h.hooks.finish(ctx, route.name, began, out.result, out.err)
}

func (h *Handler) write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=UTF-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if status == http.StatusMethodNotAllowed {
		header.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever asked may be gone
}

// receivedTarget returns the raw path and query as they arrived.
func receivedTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // absolute form, or a request that no server made
}
