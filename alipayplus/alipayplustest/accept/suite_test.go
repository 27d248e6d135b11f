package accept_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// background is for processes that outlive the request which started them.
var background = context.Background()

var keys = sync.OnceValue(func() (keys [4]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// plainConfig returns the configuration of a plain wallet.
func plainConfig() accept.Config {
	k := keys()
	return accept.Config{
		Alipay: accept.Alipay{BaseURL: "https://gateway.example", Keys: []accept.PrivateKey{{Version: "1", Key: k[0]}, {Version: "2", Key: k[1]}}},
		Wallet: accept.Wallet{
			ClientID: "WALLET_CLIENT_01", App: "https://wallet.example/app", Driver: "https://wallet.example/driver",
			Keys: []accept.PublicKey{{Version: "1", Key: &k[2].PublicKey}, {Version: "2", Key: &k[3].PublicKey}},
			Inbound: map[string]string{
				"pay": "https://wallet.example/in/pay", "inquiryPayment": "https://wallet.example/in/inquiryPayment",
				"cancelPayment": "https://wallet.example/in/cancelPayment", "refund": "https://wallet.example/in/refund",
				"applyToken": "https://wallet.example/in/applyToken", "cancelToken": "https://wallet.example/in/cancelToken",
			},
		},
		Users: []accept.User{
			{ID: "alice", PIN: "1234", LoginID: "852-90000001", Header: map[string]string{"X-Customer": "alice"}},
			{ID: "bob", PIN: "4321", LoginID: "852-90000002", Header: map[string]string{"X-Customer": "bob"}},
		},
		Currency: "HKD", Capabilities: accept.Capabilities(), VirtualTime: true,
	}
}

// newPlain makes a plain wallet that has not started.
func newPlain(cfg accept.Config, broken string) *plain {
	w := &plain{
		broken: broken, db: newPlainDB(), clientID: cfg.Wallet.ClientID, gateway: cfg.Alipay.BaseURL, routing: "666", tokens: "T", timeForm: "2006-01-02T15:04:05.000Z",
		keys:       map[string]*rsa.PrivateKey{"1": keys()[2], "2": keys()[3]},
		alipayKeys: map[string]*rsa.PublicKey{"1": &keys()[0].PublicKey, "2": &keys()[1].PublicKey},
	}
	for i, balance := range []int64{100_000_000, 200_000} {
		u := cfg.Users[i]
		w.db.pins[u.ID], w.db.logins[u.LoginID], w.db.balances[u.ID] = u.PIN, u.ID, balance
	}
	return w
}

// runPlain runs the suite on a plain wallet.
func runPlain(t *testing.T, broken string, only ...int) *accept.Report {
	t.Helper()
	return runChanged(t, broken, func(*plain) {}, only...)
}

func runChanged(t *testing.T, broken string, change func(*plain), only ...int) (report *accept.Report) {
	t.Helper()
	withPlain(t, broken, func(cfg *accept.Config, w *plain) { cfg.Only = only; change(w) }, func(t *testing.T, suite *accept.Suite) {
		var err error
		if report, err = suite.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	return report
}

// withPlain makes a plain wallet that runs, and the suite for it, both as
// change leaves them, in a bubble of testing/synctest.
func withPlain(t *testing.T, broken string, change func(*accept.Config, *plain), run func(*testing.T, *accept.Suite)) {
	t.Helper()
	keys() // before the bubble
	synctest.Test(t, func(t *testing.T) {
		cfg := plainConfig()
		w := newPlain(cfg, broken)
		cfg.Transport = accept.InMemory(w)
		change(&cfg, w)
		suite, err := accept.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if w.client == nil {
			w.client = accept.InMemory(suite.Alipay())
		}
		w.start(t.Context())
		defer func() { w.stop() }()
		run(t, suite)
	})
}

// A wallet that is written without the SDK is accepted.
func TestPlainWallet(t *testing.T) {
	report := runPlain(t, "")
	if err := report.Err(); err != nil {
		var text strings.Builder
		_ = report.WriteText(&text)
		t.Errorf("%v\n%s", err, text.String())
	}
	t.Logf("%d checks passed, %v of virtual time", report.Count(accept.Passed), report.Took)
	if n := report.Count(accept.NotApplicable); n > 0 {
		t.Errorf("%d checks did not run", n)
	}
}

// What the suite forges differs from what the wallet made, whatever that is.
func TestForgeriesDiffer(t *testing.T) {
	for _, first := range []string{"T", "X", "Y"} {
		report := runChanged(t, "", func(w *plain) { w.tokens = first }, 706, 726)
		if err := report.Err(); err != nil {
			t.Errorf("tokens that begin with %s: %v", first, err)
		}
	}
}

// A time without milliseconds is one: two attempts within a second look alike.
func TestTimesInSeconds(t *testing.T) {
	if err := runChanged(t, "", func(w *plain) { w.timeForm = "2006-01-02T15:04:05Z" }, 131, 231, 239).Err(); err != nil {
		t.Error(err)
	}
}

// Orders in the wallet's own currency, and users with the same PIN, are as good
// as others.
func TestOneCurrency(t *testing.T) {
	withPlain(t, "", func(cfg *accept.Config, w *plain) {
		cfg.OrderCurrency, cfg.Users[1].PIN, w.db.pins["bob"] = "HKD", "1234", "1234"
		cfg.Only = []int{101, 102, 120, 122, 209, 216, 401, 402, 408, 413, 415, 417, 604, 605, 609, 622, 624, 715}
	}, func(t *testing.T, suite *accept.Suite) {
		report, err := suite.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Err(); err != nil {
			t.Errorf("%v\n%s", err, report.Summary())
		}
		if n := report.Count(accept.NotApplicable); n != 1 {
			t.Errorf("%d checks did not run, want 415 alone", n)
		}
	})
}

// The books of the whole run say which checks failed before.
func TestBooksAfterAFailure(t *testing.T) {
	report := runPlain(t, "books no refund", 401, 900)
	if last := report.Checks[1]; last.Verdict != accept.Failed || !strings.Contains(last.Seen, "check 401 failed before") {
		t.Errorf("%s", last.Seen)
	}
}

var _ http.Handler = (*plain)(nil)
