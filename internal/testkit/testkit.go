// Package testkit holds what the tests of several packages share: keys that are
// made once, signers that cost little, and a check for goroutines that are left
// over. Only tests import it.
package testkit

import (
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Must returns v, for making test data. It panics if err is not nil.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// NoLeaks fails t at its end if goroutines run that did not run when NoLeaks
// was called. It waits for them: net/http lets a connection that it closes
// linger for half a second.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		for deadline := time.Now().Add(5 * time.Second); goleak.Find(before) != nil && time.Now().Before(deadline); {
			runtime.Gosched()
		}
		goleak.VerifyNone(t, before)
	})
}
