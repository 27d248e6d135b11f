package mpm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// faulty are Records whose database fails now and then.
type faulty struct {
	*payment.MemoryRecords
	before, after error // the next Update fails before it begins, or after its commit
	find          error // every Find fails
}

func (f *faulty) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	before, after := f.before, f.after
	f.before, f.after = nil, nil
	if before != nil {
		return before
	}
	if err := f.MemoryRecords.Update(ctx, id, change); err != nil {
		return err
	}
	return after
}

func (f *faulty) Find(ctx context.Context, id string) (payment.Record, error) {
	if f.find != nil {
		return payment.Record{}, f.find
	}
	return f.MemoryRecords.Find(ctx, id)
}

// withFaults puts f in front of the wallet's records.
func withFaults(f *faulty) func(*payment.ServiceConfig) {
	return func(cfg *payment.ServiceConfig) {
		f.MemoryRecords = cfg.Records.(*payment.MemoryRecords)
		cfg.Records = f
	}
}

const orderID = "2025030101" // of order

var errDatabase = errors.New("connection reset by the database")

// An order is opened by what Check and the database say; no cashier page is
// shown for a payment that is not stored.
func TestOpen(t *testing.T) {
	for _, c := range []struct {
		rule   string
		check  error
		faults faulty
		want   string // the JSON of a scan
		again  string // and of the next one, if it differs
		state  payment.State
	}{
		{rule: "agreed", want: cashierJSON, state: payment.StateOpen},
		{rule: "Check refuses", check: alipayplus.CodeRiskReject,
			want: `{"step":"failed","resultCode":"RISK_REJECT",` + failedRefused + `}`},
		{rule: "Check refuses, the user may try again", check: payment.Retryable(alipayplus.CodeUserBalanceNotEnough),
			want: `{"step":"failed","resultCode":"USER_BALANCE_NOT_ENOUGH","message":{"key":"balance_too_low","text":"Your balance is too low for this payment.","support":false}}`},
		{rule: "Check does not know", check: errors.New("risk control is out of order"),
			want: `{"step":"pending","reason":"the payment cannot be stored yet","askAgainAfterMs":2000}`},
		{rule: "Check does not know, and names a code", check: errors.Join(errDatabase, alipayplus.CodeRiskReject),
			want: `{"step":"pending","reason":"the payment cannot be stored yet","askAgainAfterMs":2000}`},
		{rule: "the database is gone", faults: faulty{before: errDatabase}, state: payment.StateOpen,
			want: `{"step":"pending","reason":"the payment cannot be stored yet","askAgainAfterMs":2000}`, again: cashierJSON},
		{rule: "the answer to the commit is lost", faults: faulty{after: errDatabase}, state: payment.StateOpen,
			want: `{"step":"pending","reason":"the payment cannot be stored yet","askAgainAfterMs":2000}`, again: cashierJSON},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, order(), nil, withFaults(&c.faults), func(cfg *payment.ServiceConfig) {
				cfg.Check = func(_ context.Context, asked payment.Check) error {
					if asked.Stage != payment.StageOpen || asked.Terms.CustomerID != "alice" || asked.Terms.Order.Merchant.MerchantMCC != "5411" {
						t.Errorf("Check is asked at %q about %q", asked.Stage, asked.Terms.CustomerID)
					}
					return c.check
				}
			})
			for _, golden := range []string{c.want, c.again} {
				if golden == "" {
					golden = c.want
				}
				step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
				if err != nil {
					t.Fatal(err)
				}
				want(t, step, golden)
				if failed, ok := step.(mpm.Failed); ok && failed.Alarm != "" {
					t.Errorf("an alarm: %s", failed.Alarm)
				}
			}
			if state := f.wallet.find(t, orderID).State; state != c.state {
				t.Errorf("the payment is %q", state)
			}
			if failed := strings.Contains(c.want, `"pending"`); strings.Contains(f.log.String(), `"ERROR"`) != failed {
				t.Errorf("log %s", f.log)
			}
		})
	}
}

// An app that hangs up is no alarm; a database that is slow is one.
func TestOpenHungUp(t *testing.T) {
	for level, hangsUp := range map[string]bool{"INFO": true, "ERROR": false} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f := newFlow(t, mpm.Config{}, order(), nil, func(cfg *payment.ServiceConfig) {
			cfg.Check = func(context.Context, payment.Check) error {
				if hangsUp {
					cancel() // as net/http does
				}
				return errDatabase
			}
		})
		step, err := f.Scan(ctx, alipayplus.Conceal(code), "alice")
		if _, ok := step.(mpm.Pending); err != nil || !ok {
			t.Errorf("%v, %v", step, err)
		}
		if log := f.log.String(); !strings.Contains(log, `"level":"`+level+`","msg":"mpm: a payment cannot be opened`) {
			t.Errorf("hangs up %t: log %s", hangsUp, log)
		}
	}
}

// An order that had expired when Alipay+ answered is failed. The wallet's own
// clock, which may be wrong, refuses nothing.
func TestOpenExpired(t *testing.T) {
	const failed = `{"step":"failed","resultCode":"ORDER_IS_CLOSED","message":{"key":"order_closed","text":"This order is closed. Please ask for a new code.","support":false}`
	expiring := func(after time.Duration) *mpm.UserInitiatedPayResponse {
		return changed(func(a *mpm.UserInitiatedPayResponse) { a.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(after)) })
	}
	t.Run("before the answer", func(t *testing.T) {
		f := newFlow(t, mpm.Config{}, expiring(-2*time.Minute), nil)
		for range 2 {
			step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
			if err != nil {
				t.Fatal(err)
			}
			want(t, step, failed+`}`)
			if step, err = f.Decode(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
				t.Fatal(err)
			}
			want(t, step, failed+`,"call":"onFailure"}`)
		}
		if state := f.wallet.find(t, orderID).State; state != payment.StateClosed {
			t.Errorf("the payment is %q", state)
		}
	})
	t.Run("before now, but not before the answer", func(t *testing.T) {
		f := newFlow(t, mpm.Config{}, expiring(-2*time.Minute), nil)
		f.gateway.Fail(mpm.UserInitiatedPay, alipayplustest.Stale(5*time.Minute)) // our clock is 5 minutes fast
		step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
		if _, ok := step.(mpm.Cashier); err != nil || !ok {
			t.Errorf("%v, %v", step, err)
		}
	})
	t.Run("paid before, decoded again", func(t *testing.T) {
		answer := expiring(30 * time.Second)
		f := newFlow(t, mpm.Config{}, answer, nil)
		if _, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Confirm(t.Context(), agreed()); err != nil {
			t.Fatal(err)
		}
		f.gateway.Fail(mpm.UserInitiatedPay, alipayplustest.Stale(-time.Minute)) // a minute later
		step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
		if page, ok := step.(mpm.ResultPage); err != nil || !ok || page.Record.State != payment.StatePaid {
			t.Errorf("%v, %v", step, err)
		}
	})
}

// agreed has alice agree to order.
func agreed() payment.Confirmation {
	return payment.Confirmation{PaymentRequestID: orderID, CustomerID: "alice", Shown: krw(1000)}
}

// A code that is scanned again: what is stored does not change, and says what
// comes next.
func TestOpenAgain(t *testing.T) {
	for _, c := range []struct {
		rule  string
		event func(*wallet, context.Context) error
		step  string
		state string
	}{
		{"open", func(*wallet, context.Context) error { return nil }, "cashier", ""},
		{"paid", func(w *wallet, ctx context.Context) error { _, err := w.flow.Confirm(ctx, agreed()); return err }, "resultPage", "paid"},
		{"closed", func(w *wallet, ctx context.Context) error {
			_, err := w.payments.On(ctx, orderID, payment.Cancelled{At: time.Now()})
			return err
		}, "resultPage", "closed"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, order(), nil)
			ask := func(ask func(context.Context, alipayplus.Secret, string) (mpm.Step, error)) string {
				step, err := ask(t.Context(), alipayplus.Conceal(code), "alice")
				if err != nil {
					t.Fatal(err)
				}
				return string(testkit.Must(step.MarshalJSON()))
			}
			ask(f.Scan)
			if err := c.event(f.wallet, t.Context()); err != nil {
				t.Fatal(err)
			}
			before := f.wallet.find(t, orderID)
			scanned, decoded := ask(f.Scan), ask(f.Decode)
			for _, text := range []string{scanned, decoded} {
				if !strings.Contains(text, `"step":"`+c.step+`"`) || c.state != "" && !strings.Contains(text, `"state":"`+c.state+`"`) {
					t.Errorf("%s", text)
				}
			}
			// The outcome goes to who asks now, not to who asked first.
			if strings.Contains(scanned, `"call"`) || c.state != "" && !strings.Contains(decoded, `"call"`) {
				t.Errorf("scanned %s\ndecoded %s", scanned, decoded)
			}
			if after := f.wallet.find(t, orderID); after.Version != before.Version || after.Origin != "scanned" {
				t.Errorf("version %d is %d, origin %s", before.Version, after.Version, after.Origin)
			}
		})
	}
}

// An order that Alipay+ cancelled before it was decoded.
func TestOpenCancelled(t *testing.T) {
	f := newFlow(t, mpm.Config{}, order(), nil)
	if _, err := f.wallet.payments.On(t.Context(), orderID, payment.Cancelled{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	const closed = `{"step":"resultPage","paymentRequestId":"2025030101","state":"closed","resultCode":"ORDER_IS_CLOSED",` +
		`"message":{"key":"order_closed","text":"This order is closed. Please ask for a new code.","support":false},"redirect":{"to":"home"}`
	step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
	if err != nil {
		t.Fatal(err)
	}
	want(t, step, closed+`}`)
	if step, err = f.Decode(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
		t.Fatal(err)
	}
	want(t, step, closed+`,"call":"onFailure"}`)
}

// The origin of a code is kept with the payment: the result page names the
// callback, whenever it is asked for.
func TestOriginIsKept(t *testing.T) {
	for origin, call := range map[mpm.Origin]bool{mpm.Scanned: false, mpm.Intercepted: true} {
		f := newFlow(t, mpm.Config{}, order(), nil)
		ask := f.Scan
		if origin == mpm.Intercepted {
			ask = f.Decode
		}
		if _, err := ask(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
			t.Fatal(err)
		}
		if stored := f.wallet.find(t, orderID).Origin; stored != string(origin) {
			t.Errorf("stored %q, not %q", stored, origin)
		}
		confirmed, err := f.Confirm(t.Context(), agreed())
		if err != nil {
			t.Fatal(err)
		}
		later, err := f.ResultPage(t.Context(), orderID, "alice")
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []mpm.ResultPage{confirmed, later} {
			if text := string(testkit.Must(page.MarshalJSON())); strings.Contains(text, `"call":"onSuccess"`) != call {
				t.Errorf("%s: %s", origin, text)
			}
		}
	}
}

// seen keeps what it is asked about.
type seen struct {
	mpm.Identifier
	codes []string
}

func (s *seen) Identify(ctx context.Context, code string) (codeid.Identification, error) {
	s.codes = append(s.codes, code)
	return s.Identifier.Identify(ctx, code)
}

// What a scanner adds to a code is no part of it: one text is filtered,
// identified, sent and digested.
func TestCleanedOnce(t *testing.T) {
	for rule, scanned := range map[string]string{
		"clean": code, "a line end": code + "\r\n", "a blank": code + " ", "a byte order mark": "\ufeff" + code, "all": "\ufeff" + code + "\t \n",
	} {
		t.Run(rule, func(t *testing.T) {
			identifier := &seen{Identifier: orderRules(t)}
			f := newFlow(t, mpm.Config{Identifier: identifier}, order(), nil)
			for _, ask := range []func(context.Context, alipayplus.Secret, string) (mpm.Step, error){f.Scan, f.Decode} {
				if step, err := ask(t.Context(), alipayplus.Conceal(scanned), "alice"); err != nil {
					t.Fatal(step, err)
				}
			}
			for _, call := range f.gateway.Calls(mpm.UserInitiatedPay) {
				if !strings.Contains(string(call.Body), `"`+code+`"`) {
					t.Errorf("sent %s", call.Body)
				}
			}
			if digest := f.wallet.find(t, orderID).CodeValueDigest; digest != alipayplus.Conceal(code).Digest() {
				t.Errorf("digest %s", digest)
			}
			if !slices.Equal(identifier.codes, []string{code}) {
				t.Errorf("identified %q", identifier.codes)
			}
		})
	}
	f := newFlow(t, mpm.Config{}, order(), nil)
	var invalid *alipayplus.ValidationError
	for _, blank := range []string{"", " ", "\ufeff", "\r\n"} {
		if step, err := f.Scan(t.Context(), alipayplus.Conceal(blank), "alice"); !errors.As(err, &invalid) || step != nil {
			t.Errorf("%q: %v, %v", blank, step, err)
		}
	}
}
