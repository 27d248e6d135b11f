package alipayplus

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// resultOnly is the part that all answers share.
type resultOnly struct {
	Result Result `json:"result,omitzero" wire:"check,alias=resultInfo"`
}

// exchange is one call: a message and how to read its answer.
type exchange struct {
	Message
	bytes      []byte // Body, copied once
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
	if c == nil || c.gateway == nil {
		return &Error{Operation: x.Operation, Outcome: OutcomeNotSent, Err: errors.New("no Client; make one with NewClient")}
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
	x.bytes = x.body()
	if !beginsObject(x.bytes) { // one that Prepare did not make
		return Result{}, &Error{Operation: x.Operation, Outcome: OutcomeNotSent, Err: &ValidationError{[]Problem{{"body", "is no JSON object"}}}}
	}
	timeout := x.Timeout
	if options.timeout > 0 {
		timeout = options.timeout
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	retry := c.retry
	if options.retry != nil {
		retry = options.retry
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
		wait, again := retry.Next(a)
		if !again {
			return Result{}, e
		}
		if !c.budget.spend() {
			return Result{}, e.also(ErrRetryBudget)
		}
		// A millisecond at least, so that each attempt has a Request-Time of its
		// own, and with it a signature of its own.
		if err := sleep(ctx, max(wait, time.Millisecond)); err != nil {
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

// sleep waits, or returns ctx's error: at once if ctx ends before the wait
// would.
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
