// Package testkit holds what the tests of several packages share. Only tests
// import it.
//
//   - [Must] makes test data.
//   - [Keys] returns RSA keys that are made once. [Unverified] and [Once] are
//     signers that cost little.
//   - [DefaultLog] catches what goes to the default logger.
//   - [NoLeaks] checks that no goroutine is left over.
//   - [FindsMistakes] tests that a contract fails on what breaks it.
//   - [OneCase] tells whether encoding/json can be an oracle.
//   - [Wycheproof] finds the test vectors of Project Wycheproof.
//   - [Rows] is a database that answers whatever a test wants.
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
// was called. It waits for them, a minute where one is left over: net/http lets
// a connection that it closes linger for half a second, and the machine may be
// slow.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		for deadline := time.Now().Add(time.Minute); goleak.Find(before) != nil && time.Now().Before(deadline); {
			runtime.Gosched()
		}
		goleak.VerifyNone(t, before)
	})
}
