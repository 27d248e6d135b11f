//go:build race

package testkit

// Race reports whether the race detector is on: it makes code that runs alone
// ten times as slow and finds nothing in it, so that tests of such code do
// less.
const Race = true
