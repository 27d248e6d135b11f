package alipayplus

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Attempt is one try of an outbound call, or the verification of an inbound
// request.
type Attempt struct {
	Operation  string        // name of the API
	Number     int           // 1 for the first
	Elapsed    time.Duration // of this attempt
	Skew       time.Duration // how far the signed time of the other side lies in the past; 0 if unsigned or of unknown form
	RetryAfter time.Duration // the answer's Retry-After header, 0 if none
	Err        *Error        // nil: success
}

// RetryPolicy decides whether and when to try again. It is asked only where
// repeating is safe and useful: never after a verified S or F, never for a
// request without an idempotency key that may have arrived. It must be safe for
// concurrent use.
type RetryPolicy interface {
	// Next returns how long to wait before the next attempt, a millisecond at
	// least: each attempt has a Request-Time of its own. again false ends the
	// call.
	Next(Attempt) (wait time.Duration, again bool)
}

// Backoff is the default [RetryPolicy]: exponential with full jitter. Before
// attempt n+1 it waits between 0 and Base·2^(n-1), at most Max. After
// REQUEST_TRAFFIC_EXCEED_LIMIT or HTTP 429 it waits four to five times that
// bound. A Retry-After header of the answer lengthens the wait, up to Max.
type Backoff struct {
	Attempts int           // in all, with the first; 0 means 5
	Base     time.Duration // 0 means 200 ms
	Max      time.Duration // 0 means 5 s; at most a day
}

// Next implements [RetryPolicy].
func (b Backoff) Next(a Attempt) (time.Duration, bool) {
	attempts, base, limit := b.Attempts, b.Base, b.Max
	if attempts == 0 {
		attempts = 5
	}
	if base <= 0 {
		base = 200 * time.Millisecond
	}
	if limit <= 0 {
		limit = 5 * time.Second
	}
	if a.Number >= attempts {
		return 0, false
	}
	limit = min(limit, 24*time.Hour) // so that nothing below overflows
	bound := min(base, limit)
	for i := 1; i < a.Number && bound < limit; i++ {
		bound = min(2*bound, limit)
	}
	wait := rand.N(bound + 1)
	if throttled(a.Err) {
		wait += 4 * bound
	}
	return max(wait, min(a.RetryAfter, limit)), true
}

func throttled(e *Error) bool {
	return e != nil && (errors.Is(e, CodeRequestTrafficExceedLimit) || e.HTTPStatus == 429 ||
		e.Claimed.Code == CodeRequestTrafficExceedLimit)
}

// NoRetry is the [RetryPolicy] of one attempt.
var NoRetry RetryPolicy = noRetry{}

type noRetry struct{}

func (noRetry) Next(Attempt) (time.Duration, bool) { return 0, false }

// Budget bounds the attempts that retries add when Alipay+ is down: each call
// earns a fraction of a retry, each retry spends a whole one. First attempts
// are never held back. The zero Budget is ready to use; clients may share one.
// A Budget must not be copied after first use.
type Budget struct {
	// PerCall is how much of a retry a call earns; 0 means 0.09. In a long
	// outage there are 1+PerCall attempts a call.
	PerCall float64
	// Reserve is the largest number of retries that can be saved up, and the
	// number that a new Budget has; 0 means 100. One retry comes back each second
	// by itself, so that a client with few calls keeps retrying.
	Reserve float64

	mu    sync.Mutex
	begun bool
	saved float64
	last  time.Time
}

func (b *Budget) limits() (perCall, reserve float64) {
	perCall, reserve = b.PerCall, b.Reserve
	if perCall <= 0 {
		perCall = 0.09
	}
	if reserve <= 0 {
		reserve = 100
	}
	return perCall, reserve
}

// fill adds what time has brought. b.mu is held.
func (b *Budget) fill(reserve float64) {
	now := time.Now()
	if !b.begun {
		b.begun, b.saved = true, reserve
	} else if passed := now.Sub(b.last); passed > 0 {
		b.saved = min(reserve, b.saved+passed.Seconds())
	}
	b.last = now
}

func (b *Budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	perCall, reserve := b.limits()
	b.fill(reserve)
	b.saved = min(reserve, b.saved+perCall)
}

func (b *Budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, reserve := b.limits()
	b.fill(reserve)
	if b.saved < 1 {
		return false
	}
	b.saved--
	return true
}

// Schedule is when to deliver a Message again that was not acknowledged, over
// hours, from the host's outbox: the wait after each try. nil means 2 s, 10 s,
// 30 s, 2 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h.
type Schedule []time.Duration

var defaultSchedule = Schedule{
	2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute,
	10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}

// Next says what to do after delivery number tries (1 for the first) ended with
// err, the error of [Client.Deliver]. again true: deliver the same Message
// after wait. again false with a nil err: it is acknowledged, done. again false
// with any other err: a dead letter. Keep it, raise an alarm, and rely on
// inquiries; a verified F and a Message that breaks a rule get here at once,
// everything else when the schedule ends.
func (s Schedule) Next(tries int, err error) (wait time.Duration, again bool) {
	if s == nil {
		s = defaultSchedule
	}
	switch OutcomeOf(err) {
	case OutcomeSucceeded, OutcomeFailed:
		return 0, false
	case OutcomeNotSent: // a message that cannot be sent as it is cannot be sent later
		if invalid := (*ValidationError)(nil); errors.As(err, &invalid) {
			return 0, false
		}
	case OutcomeUnknown: // a ValidationError here is about the answer
	}
	if tries < 1 || tries > len(s) {
		return 0, false
	}
	return s[tries-1], true
}
