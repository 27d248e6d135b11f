package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// The wallet of this example, which is the SDK with all its products, is
// accepted.
func TestWallet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := accept.Config{Capabilities: accept.Capabilities(), VirtualTime: true}
		report, err := accept.RunInMemory(t.Context(), cfg, func(ctx context.Context, world accept.World) (accept.Handlers, error) {
			w, err := newWallet(ctx, world)
			if err != nil {
				return accept.Handlers{}, err
			}
			return w.handlers(), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Err(); err != nil {
			var text strings.Builder
			_ = report.WriteText(&text)
			t.Errorf("%v\n%s", err, text.String())
		}
		if n := report.Count(accept.NotApplicable); n > 0 {
			t.Errorf("%d checks did not run", n)
		}
	})
}
