package mpmtest

import (
	"context"
	"slices"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// TestBackend accepts or refuses a wallet's whole backend for
// merchant-presented mode, from outside: it runs the checks of package accept
// on the handlers that start returns. capabilities are what the backend offers
// beside accept.MerchantMode. start gives every user of a.Users
// accept.MinimumBalance; its goroutines must end with ctx. For
// accept.LostDebits, wrap the ledger in a paymenttest.LostDebits, whose Lose is
// the driver's LoseDebit.
//
//	func TestMyBackend(t *testing.T) {
//		mpmtest.TestBackend(t, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
//			w := newWallet(ctx, a.Client, a.Rules)
//			return accept.Handlers{
//				App:     w.flow.Handler(customer), // header X-Customer
//				Inbound: w.handler,                // at /alipayplus/
//				Driver:  accept.Driver{Customer: customer, Balance: w.balance},
//			}, nil
//		}, accept.EntryCodes, accept.Freshness)
//	}
func TestBackend(t *testing.T, start func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error), capabilities ...accept.Capability) {
	t.Helper()
	cfg := accept.Config{Capabilities: append(slices.Clone(capabilities), accept.MerchantMode)}
	alipayplustest.TestBackend(t, cfg, start)
}
