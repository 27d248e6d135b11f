package telemetry

import (
	"context"
	"errors"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// maxCodes is how many result codes become values of an attribute.
const maxCodes = 100

// other is the value for all that is not told apart.
const other = "_OTHER"

// resultCodes bounds result codes: Alipay+ and the wallet's own functions may
// make up as many as they like. The first maxCodes keep their names.
type resultCodes struct {
	mu    sync.Mutex
	known map[alipayplus.ResultCode]bool
}

func (c *resultCodes) bounded(code alipayplus.ResultCode) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known[code] {
		if len(c.known) == maxCodes {
			return other
		}
		if c.known == nil {
			c.known = make(map[alipayplus.ResultCode]bool)
		}
		c.known[code] = true
	}
	return code.Error() // without control characters, at most 64 characters
}

// errorType returns the value of error.type: the result code of a verified
// answer, or one of a few causes.
func (t *Telemetry) errorType(err error, r alipayplus.Result) string {
	for _, cause := range causes {
		if errors.Is(err, cause.err) {
			return cause.name
		}
	}
	if r.Code != "" {
		return t.codes.bounded(r.Code)
	}
	if alipayplus.OutcomeOf(err) == alipayplus.OutcomeNotSent {
		return "not_sent"
	}
	return other
}

// causes are asked in this order.
var causes = []struct {
	err  error
	name string
}{
	{alipayplus.ErrRetryBudget, "retry_budget"},
	{alipayplus.ErrSignature, "signature"},
	{alipayplus.ErrUnsigned, "unsigned"},
	{alipayplus.ErrStale, "stale"},
	{alipayplus.ErrMalformed, "malformed"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "canceled"},
}
