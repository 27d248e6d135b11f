package testkit

import (
	"bytes"
	"log"
	"log/slog"
	"math"
	"testing"
)

// The SDK's own lines of a test that gives no Logger would hide the failures of
// the others.
func init() { slog.SetLogLoggerLevel(math.MaxInt) }

// DefaultLog makes a new slog.Default() until t ends, and returns what it
// writes. Read it after what logs has ended.
func DefaultLog(t testing.TB) *bytes.Buffer {
	before, writer, flags := slog.Default(), log.Writer(), log.Flags()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(writer)
		log.SetFlags(flags)
	})
	written := new(bytes.Buffer)
	slog.SetDefault(slog.New(slog.NewTextHandler(written, nil)))
	return written
}
