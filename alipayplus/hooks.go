package alipayplus

import (
	"context"
	"time"
)

// Hooks observe outbound calls and inbound requests, for metrics and traces.
// Operation names are those of the declared APIs, so that there are few.
// Hooks run on the goroutine of the call and must return soon. Unset hooks are
// skipped.
type Hooks struct {
	// Start begins a call or a request; what it returns is the context of all
	// that follows.
	Start func(ctx context.Context, operation string) context.Context
	// Attempt ends one try of a call, or the verification of a request.
	Attempt func(ctx context.Context, a Attempt)
	// Finish ends a call or a request. r is the verified or the answered result,
	// err the error that the caller gets or that the function returned.
	Finish func(ctx context.Context, operation string, took time.Duration, r Result, err error)
}

func (h *Hooks) start(ctx context.Context, operation string) context.Context {
	if h.Start != nil {
		if derived := h.Start(ctx, operation); derived != nil {
			return derived
		}
	}
	return ctx
}

func (h *Hooks) attempt(ctx context.Context, a Attempt) {
	if h.Attempt != nil {
		h.Attempt(ctx, a)
	}
}

func (h *Hooks) finish(ctx context.Context, operation string, began time.Time, r Result, err error) {
	if h.Finish != nil {
		h.Finish(ctx, operation, time.Since(began), r, err)
	}
}
