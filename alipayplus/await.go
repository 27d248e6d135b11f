package alipayplus

import (
	"context"
	"fmt"
	"time"
)

// await returns what f returns, or the error of ctx if that ends first. f calls
// the host's code: a signer, a store or a transport, which may ignore the
// context that it got. It runs on a goroutine of its own, which ends when f
// does; what it returns too late is lost. A panic of f is passed on.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type end struct {
		value    T
		err      error
		panicked any
	}
	ended := make(chan end, 1)
	go func() {
		e := end{err: errNoReturn}
		defer func() {
			e.panicked = recover()
			ended <- e
		}()
		e.value, e.err = f()
	}()
	var e end
	select {
	case e = <-ended:
	case <-ctx.Done():
		// One that obeys its context ends now and says why.
		late := time.NewTimer(time.Millisecond)
		defer late.Stop()
		select {
		case e = <-ended:
		case <-late.C:
			e.err = fmt.Errorf("it did not end with its context: %w", ctx.Err())
		}
	}
	if e.panicked != nil {
		panic(e.panicked)
	}
	return e.value, e.err
}

// errNoReturn is the error of a function that ended its goroutine instead of
// returning, as methods of a *testing.T do.
var errNoReturn = ownError("the function ended without returning")
