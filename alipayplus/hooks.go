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
	// Start is called before a call or a request. It returns the context of all
	// that follows; nil means ctx.
	Start func(ctx context.Context, operation string) context.Context
	// Attempt is called after each attempt of a call, and after the verification
	// of a request.
	Attempt func(ctx context.Context, a Attempt)
	// Finish is called after a call or a request. r is the verified result of the
	// call or the result that the request was answered with; err is the error
	// that the caller gets or that the function returned.
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
