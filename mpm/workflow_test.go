package mpm_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// played is a wallet among the parties of mpmtest. The user is alice.
type played struct {
	shop   *mpmtest.Merchant
	app    *mpmtest.App
	wallet *wallet

	confirming func(ctx context.Context) // before the backend gets a confirmation
}

func play(t *testing.T) *played {
	t.Helper()
	return playIn(t, "KRW")
}

// playIn plays with users whose money is in a currency.
func playIn(t *testing.T, currency alipayplus.Currency) *played {
	t.Helper()
	g := alipayplustest.New(t)
	p := &played{shop: mpmtest.NewMerchant(t, g)}
	p.wallet = newWalletIn(t, currency, g, mpm.Config{Identifier: newRules(t, p.shop.CodeRules(), p.shop.Journal.Note)})
	backend := p.wallet.flow.Handler(customer)
	p.app = mpmtest.NewApp(p.shop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/confirm" && p.confirming != nil {
			p.confirming(r.Context())
		}
		backend.ServeHTTP(w, r)
		if r.URL.Path == "/confirm" {
			p.wallet.deliver(r.Context()) // a goroutine of its own, in a real wallet
		}
	}))
	p.app.Header.Set("X-Customer", "alice")
	return p
}

// scan has the user scan a code, from the Scan page on.
func (p *played) scan(t *testing.T, code string) (pages []string) {
	t.Helper()
	pages, err := p.app.ScanCode(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// check compares the journal with a workflow.
func (p *played) check(t *testing.T, amount string, workflow ...steps) {
	t.Helper()
	want := slices.Concat(workflow...)
	got := p.shop.Journal.Lines()
	for i, line := range want.lines(amount) {
		if i >= len(got) || got[i] != line {
			t.Errorf("step %s is not %q", want[i].number, line)
			break
		}
	}
	if diff := cmp.Diff(want.lines(amount), got); diff != "" {
		t.Errorf("workflow (-documents +here):\n%s", diff)
	}
}

// untouched: no payment was opened and nobody paid.
func (p *played) untouched(t *testing.T) {
	t.Helper()
	for _, o := range p.shop.Orders() {
		if r := p.wallet.find(t, o.PaymentRequestID); r.State != "" || p.wallet.bank.Balance("alice") != 100_000 {
			t.Errorf("a payment is %s, balance %d", r.State, p.wallet.bank.Balance("alice"))
		}
	}
}

func TestOrderCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t)
		code := p.shop.OrderCode(jpy(100))
		p.app.OpenScanPage("JP")
		pages := p.scan(t, code)
		p.check(t, "JPY 100", orderCodeScan, orderCodePSP)
		want := []string{"cashier page: Example Shoes, KRW 1000", "result page: paid KRW 1000", "result page of the merchant"}
		if !slices.Equal(pages, want) {
			t.Errorf("pages %q", pages)
		}
		if balance := p.wallet.bank.Balance("alice"); balance != 99_000 {
			t.Errorf("the balance is %d", balance)
		}
		if told, _ := p.shop.Told(p.shop.Orders()[0].PaymentRequestID); told.Code != alipayplus.CodeSuccess {
			t.Errorf("the merchant was told %v", told)
		}
	})
}

// An action for the client SDK is obeyed whether decoding succeeded or failed.
func TestOrderCodeForTheSDK(t *testing.T) {
	for _, status := range []alipayplus.ResultStatus{"S", "F"} {
		t.Run(string(status), func(t *testing.T) {
			p := play(t)
			p.shop.Decoded = refusing(p.shop, status)
			code := p.shop.OrderCode(jpy(100))
			p.app.OpenScanPage("JP")
			p.scan(t, code)
			p.check(t, "JPY 100", orderCodeScan, orderCodeSDK)
			p.untouched(t)
		})
	}
}

// refusing answers every decoding with an error page of the client SDK.
func refusing(shop *mpmtest.Merchant, status alipayplus.ResultStatus) func(mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
	return func(o mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
		answer := o.Answer()
		if status == alipayplus.StatusFailed {
			answer = &mpm.UserInitiatedPayResponse{Result: alipayplus.CodeBusinessNotSupport.Result()}
		}
		answer.ActionForm = shop.ErrorPage("above the limit")
		return answer, nil
	}
}

func TestEntryCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t)
		p.app.SDK.Amount = jpy(100)
		p.app.OpenScanPage("")
		p.scan(t, p.shop.EntryCode())
		p.check(t, "JPY 100", entryCodeScan, entryCodePSP)
	})
}

func TestEntryCodeForTheSDK(t *testing.T) {
	for _, status := range []alipayplus.ResultStatus{"S", "F"} {
		t.Run(string(status), func(t *testing.T) {
			p := play(t)
			p.shop.Decoded = refusing(p.shop, status)
			p.app.SDK.Amount = jpy(100)
			p.app.OpenScanPage("")
			p.scan(t, p.shop.EntryCode())
			p.check(t, "JPY 100", entryCodeScan, entryCodeSDK)
			p.untouched(t)
		})
	}
}

// "The MPP should enable access to both HTTP and HTTPS URLs."
func TestEntryCodeWithHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t)
		p.app.SDK.Amount = jpy(100)
		pages := p.scan(t, strings.Replace(p.shop.EntryCode(), "https:", "http:", 1))
		if !slices.Contains(pages, "result page: paid KRW 1000") {
			t.Error(pages)
		}
	})
}

func TestMainlandAuthorization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t)
		p.app.SDK.Amount = jpy(100)
		p.shop.AuthClientID = "AUTH_CLIENT_01"
		const authCode = "28166613AbCdEf0123456789AbCdEf01"
		p.app.SDK.GetAuthCode = func(_ context.Context, authClientID string, scopes []string) ([]byte, error) {
			p.shop.Journal.Note("app -> backend: getAuthCode")
			if authClientID != "AUTH_CLIENT_01" || len(scopes) != 1 {
				return nil, errors.New("wrong authorization")
			}
			p.shop.Journal.Note("backend -> app: authorization code")
			return json.Marshal(map[string]any{"authCode": authCode, "authSuccessScopes": scopes, "authErrorScopes": []string{}})
		}
		p.shop.ApplyToken = func(_ context.Context, code string) (string, error) {
			if code != authCode {
				return "", errors.New("another code")
			}
			return "alice", nil
		}
		p.app.OpenScanPage("")
		p.scan(t, p.shop.EntryCode())
		amountPage := slices.IndexFunc(entryCodeScan, func(s struct{ number, line string }) bool { return s.number == "12" })
		launch := slices.IndexFunc(entryCodeScan, func(s struct{ number, line string }) bool { return s.number == "10" })
		p.check(t, "JPY 100", entryCodeScan[:launch], mainlandAuthorization, entryCodeScan[amountPage:], entryCodePSP)
	})
}

// limited has Alipay+ enforce the limits of the Chinese mainland.
func limited(shop *mpmtest.Merchant) func(mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
	return func(o mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
		limit := mpm.MainlandInStore
		if o.EntryCode {
			limit = mpm.MainlandEntryCode
		}
		answer := o.Answer()
		if limit.Check(o.Amount, alipayplus.Amount{}) != mpm.WithinLimit {
			answer.ActionForm = shop.ErrorPage("above the limit of an " + limit.Name)
		}
		return answer, nil
	}
}

func fen(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "CNY", Minor: minor} }

func TestMainlandEntryCode(t *testing.T) {
	t.Run("above the limit", func(t *testing.T) {
		p := playIn(t, "CNY")
		p.shop.Decoded = limited(p.shop)
		p.app.SDK.Amount = fen(500_01)
		p.scan(t, p.shop.EntryCode())
		p.check(t, "CNY 500.01", mainlandEntryScan, mainlandEntrySDK)
		p.untouched(t)
	})
	t.Run("exactly the limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := playIn(t, "CNY")
			p.shop.Decoded = limited(p.shop)
			p.app.SDK.Amount = fen(500_00)
			p.scan(t, p.shop.EntryCode())
			p.check(t, "CNY 500.00", mainlandEntryScan, mainlandEntryPSP, mainlandEntryPaid)
		})
	})
	t.Run("the payment fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := playIn(t, "CNY")
			p.shop.Decoded = limited(p.shop)
			p.app.SDK.Amount = fen(500_00)
			p.confirming = func(ctx context.Context) {
				id := p.shop.Orders()[0].PaymentRequestID
				if _, err := p.wallet.payments.On(ctx, id, payment.Cancelled{At: time.Now()}); err != nil {
					t.Error(err)
				}
			}
			p.scan(t, p.shop.EntryCode())
			p.check(t, "CNY 500.00", mainlandEntryScan, mainlandEntryPSP, mainlandEntryNotPaid)
		})
	})
}

func TestMainlandOrderCode(t *testing.T) {
	t.Run("above the limit", func(t *testing.T) {
		p := playIn(t, "CNY")
		p.shop.Decoded = limited(p.shop)
		p.scan(t, p.shop.OrderCode(fen(7_000_01)))
		p.check(t, "CNY 7000.01", mainlandOrderScan, mainlandOrderSDK)
		p.untouched(t)
	})
	t.Run("exactly the limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := playIn(t, "CNY")
			p.shop.Decoded = limited(p.shop)
			p.wallet.bank.Deposit("alice", 900_000)
			p.scan(t, p.shop.OrderCode(fen(7_000_00)))
			p.check(t, "CNY 7000.00", mainlandOrderScan, mainlandOrderPSP)
		})
	})
}

// What the workflows leave out: a code that is scanned again, a balance that is
// too low, waiting, and codes of nobody.
func TestOtherScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t)
		code := p.shop.OrderCode(jpy(100))
		p.scan(t, code)
		if pages := p.scan(t, code); !slices.Equal(pages, []string{"result page: paid KRW 1000", "result page of the merchant"}) {
			t.Errorf("a paid code is scanned again: %q", pages)
		}
		if p.wallet.bank.Balance("alice") != 99_000 {
			t.Errorf("the balance is %d", p.wallet.bank.Balance("alice"))
		}
		p.app.Header.Set("X-Customer", "bob")
		if pages := p.scan(t, code); !slices.Equal(pages, []string{"This payment cannot be made."}) {
			t.Errorf("somebody else scans it: %q", pages)
		}

		// The balance is too low: the user leaves, and nothing is asked for
		// ever.
		p.app.Header.Set("X-Customer", "carol")
		p.app.SDK.Amount = jpy(100)
		pages := p.scan(t, p.shop.EntryCode())
		want := []string{
			"amount page", "cashier page: Example Shoes, KRW 1000",
			"cashier page again: Your balance is too low for this payment.",
		}
		if !slices.Equal(pages, want) {
			t.Errorf("balance too low: %q", pages)
		}
		if line := "app -> SDK: onFailure USER_BALANCE_NOT_ENOUGH"; !slices.Contains(p.shop.Journal.Lines(), line) {
			t.Errorf("the callback of decode does not hear of it")
		}

		// Or the user puts money into the account, and tries again.
		p.app.Refused = func(code, _ string) bool {
			p.wallet.bank.Deposit("carol", 1000)
			return code == "USER_BALANCE_NOT_ENOUGH"
		}
		pages = p.scan(t, p.shop.EntryCode())
		want = append(want, "cashier page: Example Shoes, KRW 1000", "result page: paid KRW 1000", "result page of the merchant")
		if !slices.Equal(pages, want) || p.wallet.bank.Balance("carol") != 0 {
			t.Errorf("a second try: %q, balance %d", pages, p.wallet.bank.Balance("carol"))
		}
	})
}
