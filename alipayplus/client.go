package alipayplus

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/hostname"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Credentials are what one party needs to sign and to verify: its id, its key
// and the other side's keys. A Client and a Handler share them.
type Credentials struct {
	// ClientID is the MPP's id at Alipay+, header Client-Id: 1 to 64 of
	// A-Z a-z 0-9 _ -.
	ClientID string
	// Signer signs what the MPP sends: requests, and answers to inbound calls.
	Signer Signer
	// Keys are Alipay+'s public keys.
	Keys *KeyRing
}

// check completes the check of the constructors: all there, and the MPP's own
// key is not among Alipay+'s.
func (c *Credentials) check() error {
	switch {
	case !validClientID(c.ClientID):
		return errors.New("alipayplus: ClientID is not 1 to 64 of A-Z a-z 0-9 _ -")
	case c.Signer == nil:
		return errors.New("alipayplus: no Signer; make one with NewSigner")
	case c.Keys == nil:
		return errors.New("alipayplus: no Keys; make them with NewKeyRing")
	}
	if signer, ok := c.Signer.(interface{ Public() crypto.PublicKey }); ok {
		if own, ok := signer.Public().(*rsa.PublicKey); ok {
			return c.Keys.refuse(own)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	digest := sha256.Sum256([]byte("alipayplus: whose key is this?"))
	_, signature, err := c.Signer.SignDigest(ctx, digest)
	if err != nil {
		return fmt.Errorf("alipayplus: the Signer does not sign: %w", err)
	}
	if _, err := c.Keys.verify("", &digest, signature); err == nil {
		return keyError("the MPP's own public key given as Alipay+'s")
	}
	return nil
}

// Config is what New needs. Fields without "required" may stay zero.
type Config struct {
	Credentials // required

	// BaseURL is the gateway's origin, required: https, or http for a loopback
	// host. In production https://open-sea-global.alipayplus.com, or
	// https://open-na-global.alipayplus.com in North America; in the sandbox the
	// gateway endpoint that the developer console shows.
	BaseURL string
	// NotifyHosts are host names, besides BaseURL's and *.alipayplus.com, that a
	// Message.URL may name; with ":port" for another port than 443.
	NotifyHosts []string
	// Transport carries the requests; nil means a pooled http.Transport with TLS
	// 1.2 or newer and no proxy. Redirects, compression and cookies are never
	// used, whatever the Transport can do.
	Transport http.RoundTripper
	// Retry decides about repeated attempts; nil means Backoff{}.
	Retry RetryPolicy
	// Budget bounds the repeated attempts of all calls; nil means one of the
	// client's own.
	Budget *Budget
	// MaxSkew is how far an answer's Response-Time may be from now; 0 means 15
	// minutes. Negative only logs what is further away than 15 minutes, for a
	// roll-out.
	MaxSkew time.Duration
	// Hooks observe every call.
	Hooks Hooks
	// Logger gets security events, alarms and oddities, never a secret; nil is
	// silent.
	Logger *slog.Logger
}

// Client calls Alipay+. It is immutable, safe for concurrent use and owns no
// goroutine. Make one and keep it.
type Client struct {
	credentials Credentials
	base        *url.URL
	notifyHosts map[string]bool
	transport   http.RoundTripper
	retry       RetryPolicy
	budget      *Budget
	freshness   freshness
	hooks       Hooks
	log         *slog.Logger
}

// New checks cfg completely and returns a Client.
func New(cfg Config) (*Client, error) {
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.Credentials.check(); err != nil {
		return nil, err
	}
	c := &Client{
		credentials: cfg.Credentials,
		base:        base,
		notifyHosts: make(map[string]bool, len(cfg.NotifyHosts)),
		transport:   cfg.Transport,
		retry:       cfg.Retry,
		budget:      cfg.Budget,
		freshness:   newFreshness(cfg.MaxSkew),
		hooks:       cfg.Hooks,
		log:         cfg.Logger,
	}
	for _, host := range cfg.NotifyHosts {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = host, "443"
		}
		if !validHostName(name) || hostname.IsIP(name) || !allDigits(port) {
			return nil, errors.New("alipayplus: a NotifyHosts entry is no host name")
		}
		c.notifyHosts[strings.ToLower(name)+":"+port] = true
	}
	if c.transport == nil {
		c.transport = newTransport()
	}
	if c.retry == nil {
		c.retry = Backoff{}
	}
	if c.budget == nil {
		c.budget = new(Budget)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    3 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           200,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// CloseIdleConnections closes the idle connections of the transport, if it has
// any.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// String names the client id and the host.
func (c *Client) String() string {
	return "alipayplus.Client{" + c.credentials.ClientID + " at " + c.base.Host + "}"
}

// GoString is String, so that no verb prints the keys.
func (c *Client) GoString() string { return c.String() }

// CallOption changes one call.
type CallOption struct{ apply func(*callOptions) }

type callOptions struct {
	timeout time.Duration
	info    *Info
}

// WithTimeout bounds each attempt of this call, instead of the API's own
// timeout.
func WithTimeout(perAttempt time.Duration) CallOption {
	return CallOption{func(o *callOptions) { o.timeout = perAttempt }}
}

// WithInfo fills into with what stands behind the answer, also when the call
// fails.
func WithInfo(into *Info) CallOption {
	return CallOption{func(o *callOptions) { o.info = into }}
}

// Info is what stands behind a typed message. Members that this version of the
// SDK does not know are in Body. An Info prints redacted.
type Info struct {
	HTTPStatus int    // of the last answer, 0 if there was none
	Attempts   int    // how often the request was tried
	TraceID    string // Alipay+'s trace id, if the message had one
	// Body are the exact bytes that were verified and decoded. It is nil unless
	// the message verified.
	Body []byte
	// Again tells the function behind an inbound API that an earlier run with
	// the same identity did not end with an answer: money may have moved then.
	Again bool
}

// String is all but the body.
func (i Info) String() string {
	return fmt.Sprintf("Info{HTTP %d, attempts %d, trace %s, %d bytes}", i.HTTPStatus, i.Attempts, i.TraceID, len(i.Body))
}

// Format prints String for every verb.
func (i Info) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, i.String()) }

// LogValue is String for log/slog.
func (i Info) LogValue() slog.Value { return slog.StringValue(i.String()) }

// Deliver sends a Message that Prepare made, now or after a restart, as often as
// one call may try; see Outbound.Call. nil means that Alipay+ acknowledged it
// with a verified S; every other end is an *Error. What to do then, Schedule
// says. The Message is not changed.
//
// Deliver does not know the types of the API: AnswerIn finds nothing in its
// error, and the body of the answer is in WithInfo.
func (c *Client) Deliver(ctx context.Context, m Message, opts ...CallOption) error {
	return c.exchange(ctx, exchange{
		Message:    m,
		repeatable: m.Key != "",
		decode: func(body []byte) (any, Result, error) {
			var answer resultOnly
			if err := wire.Decode(body, &answer); err != nil {
				return nil, Result{}, publicError(err)
			}
			return nil, answer.Result, nil
		},
	}, opts)
}

// resultOnly is the part that all answers share.
type resultOnly struct {
	Result Result `json:"result,omitzero" wire:"check,alias=resultInfo"`
}

// exchange is one call: a message and how to read its answer.
type exchange struct {
	Message
	repeatable bool
	decode     func(body []byte) (answer any, r Result, err error)
}

func (c *Client) exchange(ctx context.Context, x exchange, opts []CallOption) error {
	var options callOptions
	for _, o := range opts {
		if o.apply != nil {
			o.apply(&options)
		}
	}
	if c == nil || c.base == nil {
		return &Error{Operation: x.Operation, Outcome: OutcomeNotSent, Err: errors.New("no Client; make one with New")}
	}
	began := time.Now()
	ctx = c.hooks.start(ctx, x.Operation)
	info := Info{}
	result, failure := c.try(ctx, &x, &options, &info)
	if options.info != nil {
		*options.info = info
	}
	if failure == nil { // never an *Error in an error: it would not be nil
		c.hooks.finish(ctx, x.Operation, began, result, nil)
		return nil
	}
	c.hooks.finish(ctx, x.Operation, began, failure.Result, failure)
	return failure
}

// try makes attempts until one decides. The result is that of a verified S.
func (c *Client) try(ctx context.Context, x *exchange, options *callOptions, info *Info) (Result, *Error) {
	destination, err := c.destination(&x.Message)
	if err != nil {
		return Result{}, &Error{Operation: x.Operation, Outcome: OutcomeNotSent, Err: err}
	}
	timeout := x.Timeout
	if options.timeout > 0 {
		timeout = options.timeout
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	c.budget.earn()
	sent := false // in some attempt, perhaps
	for number := 1; ; number++ {
		began := time.Now()
		v := c.attempt(ctx, x, destination, timeout, info)
		info.Attempts = number
		sent = sent || !v.notSent
		e := v.err
		if e != nil {
			e.Operation, e.Attempts = x.Operation, number
			e.HTTPStatus, e.TraceID = info.HTTPStatus, info.TraceID
			if v.notSent && !sent {
				e.Outcome = OutcomeNotSent
			}
			c.report(ctx, v)
		}
		a := Attempt{
			Operation: x.Operation, Number: number, Elapsed: time.Since(began),
			Skew: v.skew, RetryAfter: v.retryAfter, Err: e,
		}
		c.hooks.attempt(ctx, a)
		if e == nil || !v.retry || (sent && !x.repeatable) {
			return v.result, e
		}
		if err := ctx.Err(); err != nil {
			return Result{}, e.also(err)
		}
		wait, again := c.retry.Next(a)
		if !again {
			return Result{}, e
		}
		if !c.budget.spend() {
			return Result{}, e.also(ErrRetryBudget)
		}
		if err := sleep(ctx, wait); err != nil {
			return Result{}, e.also(err)
		}
	}
}

// report logs what an operator should see.
func (c *Client) report(ctx context.Context, v verdict) {
	switch {
	case v.security:
		c.log.ErrorContext(ctx, "alipayplus: security event: an answer did not verify", slog.Any("error", v.err))
	case v.alarm:
		c.log.ErrorContext(ctx, "alipayplus: a verified answer cannot be used", slog.Any("error", v.err))
	}
}

// sleep waits, or returns ctx's error: at once if ctx ends before the wait would.
func sleep(ctx context.Context, wait time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
