package alipayplus

import "time"

// CallOption changes one call.
type CallOption struct{ apply func(*callOptions) }

type callOptions struct {
	timeout time.Duration
	retry   RetryPolicy
	info    *Info
}

// WithTimeout bounds each attempt of this call, instead of the API's own
// timeout.
func WithTimeout(perAttempt time.Duration) CallOption {
	return CallOption{func(o *callOptions) { o.timeout = perAttempt }}
}

// WithRetry decides about repeated attempts of this call, instead of
// ClientConfig.Retry: [NoRetry] where a user waits, for example. The client's
// Budget counts all the same. nil changes nothing.
func WithRetry(p RetryPolicy) CallOption {
	return CallOption{func(o *callOptions) { o.retry = p }}
}

// WithInfo fills into with more about the answer than its typed message holds,
// also when the call fails.
func WithInfo(into *Info) CallOption {
	return CallOption{func(o *callOptions) { o.info = into }}
}

// Info is more about a message than its type holds. Members that this version
// of the SDK does not know are in Body.
type Info struct {
	HTTPStatus int    // of the last answer, 0 if there was none
	Attempts   int    // how often the request was tried
	TraceID    string // Alipay+'s trace id, if the message had one
	// SignedAt is when Alipay+ signed the message, by its own clock: the
	// Response-Time of an answer, the Request-Time of a request. It is zero
	// unless the message verified, and if its time has no known form.
	SignedAt time.Time
	// Body holds the exact bytes that were verified and decoded. It is zero
	// unless the message verified.
	Body Secret
	// Again tells the function of an inbound API that an earlier run with the
	// same idempotency key did not end with an answer: money may have moved then.
	Again bool
}
