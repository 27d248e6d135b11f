package mpm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// opened makes a wallet where alice has scanned order.
func opened(t *testing.T, cfg mpm.Config, change ...func(*payment.ServiceConfig)) bench {
	t.Helper()
	f := newFlow(t, cfg, order(), nil, change...)
	if step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
		t.Fatal(step, err)
	}
	return f
}

func TestConfirm(t *testing.T) {
	f := opened(t, mpm.Config{})
	for range 2 { // a double tap
		page, err := f.Confirm(t.Context(), agreed())
		if err != nil {
			t.Fatal(err)
		}
		want(t, page, `{"step":"resultPage","paymentRequestId":"2025030101","state":"paid",`+orderJSON+`,
			"debitAmount":{"currency":"KRW","value":"1000","display":"KRW 1000"},"redirect":{"to":"home"}}`)
	}
	if f.wallet.bank.Balance("alice") != 99_000 {
		t.Errorf("balance %d", f.wallet.bank.Balance("alice"))
	}
}

// A debit that was refused: the user may try again, and the page says why, in
// the words of Config.Message, whenever it is asked for.
func TestConfirmRefused(t *testing.T) {
	asked := payment.Check{}
	f := opened(t, mpm.Config{
		Message: func(_ context.Context, code alipayplus.ResultCode, english mpm.UserMessage) mpm.UserMessage {
			english.Text = "PIN? (" + string(code) + ")"
			return english
		},
	}, func(cfg *payment.ServiceConfig) {
		cfg.Check = func(_ context.Context, c payment.Check) error {
			if c.Stage == payment.StageDebit && c.Proof.Reveal() != "1234" {
				asked = c
				return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
			}
			return nil
		}
	})
	confirmation := agreed()
	confirmation.Source, confirmation.Proof = "card-1", alipayplus.Conceal("0000")
	confirmed, err := f.Confirm(t.Context(), confirmation)
	if err != nil {
		t.Fatal(err)
	}
	later, err := f.ResultPage(t.Context(), orderID, "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []mpm.ResultPage{confirmed, later} {
		want(t, page, `{"step":"resultPage","paymentRequestId":"2025030101","state":"open",`+orderJSON+`,
			"debitAmount":{"currency":"KRW","value":"1000","display":"KRW 1000"},"resultCode":"USER_PAYMENT_VERIFICATION_FAILED",
			"message":{"key":"verification_failed","text":"PIN? (USER_PAYMENT_VERIFICATION_FAILED)","support":false},"cashier":`+cashierJSON+`}`)
	}
	if asked.Source != "card-1" || asked.Proof.Reveal() != "0000" || asked.Record.CustomerID != "alice" {
		t.Error("Check was asked about something else")
	}
	confirmation.Proof = alipayplus.Conceal("1234")
	if page, err := f.Confirm(t.Context(), confirmation); err != nil || page.Record.State != payment.StatePaid {
		t.Errorf("%v, %v", page, err)
	}
}

// strict are Records that take no other ids than a column of a database does.
type strict struct{ *payment.MemoryRecords }

func (s strict) ok(id string) error {
	if len(id) > 64 || !utf8.ValidString(id) || strings.Contains(id, "\x00") {
		return errDatabase
	}
	return nil
}

func (s strict) Find(ctx context.Context, id string) (payment.Record, error) {
	if err := s.ok(id); err != nil {
		return payment.Record{}, err
	}
	return s.MemoryRecords.Find(ctx, id)
}

func (s strict) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	if err := s.ok(id); err != nil {
		return err
	}
	return s.MemoryRecords.Update(ctx, id, change)
}

// Nobody sees somebody else's payment, or one that nobody ever saw.
func TestPagesOfOthers(t *testing.T) {
	f := opened(t, mpm.Config{}, func(cfg *payment.ServiceConfig) {
		cfg.Records = strict{cfg.Records.(*payment.MemoryRecords)}
	})
	if _, err := f.wallet.payments.On(t.Context(), "CANCELLED", payment.Cancelled{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule, id, customer string
		want               error
	}{
		{"another customer", orderID, "bob", payment.ErrOtherCustomer},
		{"no customer", orderID, "", payment.ErrOtherCustomer},
		{"never seen", "2025030102", "alice", payment.ErrUnknownOrder},
		{"cancelled before anybody saw it", "CANCELLED", "alice", payment.ErrUnknownOrder},
		{"the same, and no customer", "CANCELLED", "", payment.ErrUnknownOrder},
		{"no id", "", "alice", payment.ErrUnknownOrder},
		{"an id of over 64 characters", strings.Repeat("1", 65), "alice", payment.ErrUnknownOrder},
		{"an id with NUL", orderID + "\x00", "alice", payment.ErrUnknownOrder},
		{"an id that is no UTF-8", orderID + "\xff", "alice", payment.ErrUnknownOrder},
	} {
		t.Run(c.rule, func(t *testing.T) {
			page, err := f.ResultPage(t.Context(), c.id, c.customer)
			if !errors.Is(err, c.want) || page.Record.PaymentRequestID != "" || page.Record.CustomerID != "" {
				t.Errorf("ResultPage: %v, %v", page, err)
			}
			page, err = f.Confirm(t.Context(), payment.Confirmation{PaymentRequestID: c.id, CustomerID: c.customer, Shown: krw(1000)})
			if !errors.Is(err, c.want) || page.Record.PaymentRequestID != "" || page.Record.CustomerID != "" {
				t.Errorf("Confirm: %v, %v", page, err)
			}
		})
	}
	if state := f.wallet.find(t, orderID).State; state != payment.StateOpen {
		t.Errorf("the payment is %s", state)
	}
}

// Errors that say what to do next.
func TestConfirmErrors(t *testing.T) {
	faults := &faulty{}
	f := opened(t, mpm.Config{}, withFaults(faults))
	other := agreed()
	other.Shown = krw(999)
	if _, err := f.Confirm(t.Context(), other); !errors.Is(err, payment.ErrAmountChanged) {
		t.Errorf("another amount: %v", err)
	}
	faults.before = errDatabase
	if _, err := f.Confirm(t.Context(), agreed()); !errors.Is(err, errDatabase) {
		t.Errorf("the database is gone: %v", err)
	}
	faults.find = errDatabase
	if _, err := f.ResultPage(t.Context(), orderID, "alice"); !errors.Is(err, errDatabase) {
		t.Errorf("the database is gone: %v", err)
	}
	faults.find = nil
	faults.after = errDatabase
	if _, err := f.Confirm(t.Context(), agreed()); !errors.Is(err, errDatabase) {
		t.Errorf("the answer to the commit is lost: %v", err)
	}
	page, err := f.ResultPage(t.Context(), orderID, "alice") // ask again
	if err != nil || page.Record.State != payment.StatePaid || f.wallet.bank.Balance("alice") != 99_000 {
		t.Errorf("%v, %v, balance %d", page, err, f.wallet.bank.Balance("alice"))
	}
}
