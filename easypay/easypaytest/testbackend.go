// Package easypaytest accepts or refuses a wallet's backend for Easy Pay.
package easypaytest

import (
	"context"
	"slices"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// TestBackend accepts or refuses a wallet's whole backend for Easy Pay, from
// outside: it runs the checks of package accept on the handlers that start
// returns. capabilities are what the backend offers beside accept.EasyPay.
// start gives every user of a.Users accept.MinimumBalance; its goroutines must
// end with ctx. The driver needs Page, which does what the user does on the
// verification page. For accept.LostDebits, wrap the ledger in a
// paymenttest.LostDebits, whose Lose is the driver's LoseDebit.
//
//	func TestMyBackend(t *testing.T) {
//		easypaytest.TestBackend(t, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
//			w := newWallet(ctx, a.Client)
//			return accept.Handlers{
//				Inbound: w.handler, // at /alipayplus/
//				Driver:  accept.Driver{Customer: customer, Balance: w.balance, Page: w.page},
//			}, nil
//		}, accept.OneClick)
//	}
func TestBackend(t *testing.T, start func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error), capabilities ...accept.Capability) {
	t.Helper()
	cfg := accept.Config{Capabilities: append(slices.Clone(capabilities), accept.EasyPay)}
	alipayplustest.TestBackend(t, cfg, start)
}
