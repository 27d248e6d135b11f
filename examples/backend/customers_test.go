package main

import (
	"sync"
	"testing"
)

// A right PIN is right however often it comes at once: payments side by side do
// not lock each other. Five wrong ones lock it, also at once.
func TestPIN(t *testing.T) {
	each(t, func(w *world) {
		c := customers{w.config.db, w.config.sealKey}
		try := func(pin string, n int) (right int) {
			var all sync.WaitGroup
			results := make([]bool, n)
			for i := range n {
				all.Go(func() {
					var err error
					if results[i], err = c.pin(w.Context(), alice, pin); err != nil {
						w.Error(err)
					}
				})
			}
			all.Wait()
			for _, r := range results {
				if r {
					right++
				}
			}
			return right
		}
		w.is("right PINs at once", try("1234", 32), 32)
		w.is("wrong PINs before the lock", try("0000", 4), 0)
		w.is("the right PIN after four wrong ones", try("1234", 1), 1)
		w.is("wrong PINs at once", try("0000", 32), 0)
		w.is("the right PIN after too many", try("1234", 1), 0)
	})
}
