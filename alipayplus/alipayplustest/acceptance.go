package alipayplustest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// Acceptance is what a backend under test is started with: an accept.World in
// the SDK's types.
type Acceptance struct {
	accept.World
	// Client is for alipayplus.NewClient; its Credentials are for
	// alipayplus.NewHandler, too. They sign with the wallet's key "1".
	Client alipayplus.ClientConfig
}

// NewAcceptance makes an Acceptance of a world, with credentials that sign with
// a version of the wallet's key.
func NewAcceptance(world accept.World, version string) (Acceptance, error) {
	signer, err := alipayplus.NewSigner(version, world.WalletKeys[version])
	if err != nil {
		return Acceptance{}, fmt.Errorf("alipayplustest: %w", err)
	}
	keys, err := alipayplus.NewKeyRing(world.AlipayKeys)
	if err != nil {
		return Acceptance{}, fmt.Errorf("alipayplustest: %w", err)
	}
	return Acceptance{World: world, Client: alipayplus.ClientConfig{
		Credentials: alipayplus.Credentials{ClientID: world.ClientID, Signer: signer, Keys: keys},
		BaseURL:     world.BaseURL, Transport: world.Transport,
	}}, nil
}

// TestBackend runs the acceptance suite, see package accept, on a wallet's
// backend in this process: in a testing/synctest bubble, so that no wait takes
// time. cfg needs Capabilities. start makes the backend; its goroutines must
// end with ctx. Every check that fails is an error of t, with the messages that
// were exchanged.
func TestBackend(t *testing.T, cfg accept.Config, start func(ctx context.Context, a Acceptance) (accept.Handlers, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.VirtualTime = true
		report, err := accept.RunInMemory(t.Context(), cfg, func(ctx context.Context, world accept.World) (accept.Handlers, error) {
			a, err := NewAcceptance(world, "1")
			if err != nil {
				return accept.Handlers{}, err
			}
			return start(ctx, a)
		})
		if err != nil {
			t.Fatal(err)
		}
		ReportAcceptance(t, report)
	})
}

// ReportAcceptance makes an error of t of each check of report that failed,
// with the messages that were exchanged, and logs the summary: for a wallet
// that accept.RunOverHTTP checks.
func ReportAcceptance(t testing.TB, report *accept.Report) {
	t.Helper()
	for _, r := range report.Checks {
		if r.Verdict == accept.Failed {
			t.Error(r)
		}
	}
	if err := report.Err(); err != nil && report.Count(accept.Failed) == 0 {
		t.Error(err) // stopped, or no check ran
	}
	t.Log(report.Summary())
}
