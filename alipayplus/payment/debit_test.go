package payment_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// What a host does after a crash, with the keys of the attempts that it belongs
// to.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		rule   string
		events events
		want   string
		keys   string
	}{
		{"open", events{opened}, "", ""},
		{"the first attempt runs", events{opened, confirmed}, "Debit 1 HKD 89.16", "debit/1/2025"},
		{"the second attempt runs", events{opened, confirmed, retry, confirmed}, "Debit 2 HKD 89.16", "debit/2/2025"},
		{"cancelled while the first runs", events{opened, confirmed, cancelled}, "Void 1", "debit/1/2025"},
		{"cancelled while the second runs", events{opened, confirmed, retry, confirmed, cancelled}, "Void 2", "debit/2/2025"},
		{"the second landed after it", events{opened, confirmed, retry, confirmed, cancelled, payment.Debited{Attempt: 2, At: noon}},
			"Credit reverse/2/2025 HKD 89.16", "reversal of debit/2/2025"},
		{"the first landed, and the second runs", events{opened, confirmed, retry, confirmed, debited},
			"Debit 2 HKD 89.16, Credit reverse/1/2025 HKD 89.16", "debit/2/2025, reversal of debit/1/2025"},
		{"a refund after the second attempt", events{opened, confirmed, retry, confirmed, payment.Debited{Attempt: 2, At: noon}, part},
			"Credit refund/2025/r1 HKD 8.96", "refund of debit/2/2025"},
		{"paid, and cancelled", events{opened, confirmed, debited, cancelled}, "Credit cancel/2025 HKD 89.16", "cancellation of debit/1/2025"},
		{"all is done", events{opened, confirmed, debited, cancelled, credited("cancel/2025")}, "", ""},
	} {
		_, r, _, err := c.events.run(t)
		if err != nil {
			t.Fatalf("%s: %v", c.rule, err)
		}
		var keys []string
		for _, e := range r.Due() {
			switch e := e.(type) {
			case payment.Debit:
				keys = append(keys, e.Key)
			case payment.Void:
				keys = append(keys, e.Key)
			case payment.Credit:
				keys = append(keys, string(e.Reason)+" of "+e.DebitKey)
			}
		}
		if got := names(r.Due()); got != c.want || strings.Join(keys, ", ") != c.keys {
			t.Errorf("%s: %s with %q, want %s with %s", c.rule, got, keys, c.want, c.keys)
		}
	}
}

// Attempts are bounded: a user who taps on, or who guesses a PIN by it, comes
// to an end.
func TestMaxAttempts(t *testing.T) {
	_, record, _, _ := events{opened}.run(t)
	for attempt := 1; attempt <= payment.MaxAttempts; attempt++ {
		if record.State != payment.StateOpen || attempt > 1 && record.Code != alipayplus.CodeUserBalanceNotEnough {
			t.Fatalf("before attempt %d: %s %v", attempt, record.State, record.Code.Error())
		}
		record, _, _ = record.On(confirmed)
		if record.Code != "" {
			t.Fatalf("a running attempt has the code %v", record.Code.Error())
		}
		record, _, _ = record.On(payment.Refused{Attempt: attempt, Code: alipayplus.CodeUserBalanceNotEnough, Retry: true})
	}
	if got := told(record); got != "failed | F USER_BALANCE_NOT_ENOUGH | F USER_BALANCE_NOT_ENOUGH | S" {
		t.Error(got)
	}
}

// The account that the user chose is kept with the attempt.
func TestSource(t *testing.T) {
	from := func(source string) payment.Confirmed {
		return with(confirmed, func(e *payment.Confirmed) { e.Source = source })
	}
	if _, r, _, err := (events{opened, from("card"), from("savings")}).run(t); err != nil || r.Source != "card" {
		t.Errorf("a second tap: %q, %v", r.Source, err)
	}
	if _, r, _, err := (events{opened, from("card"), retry, from("savings")}).run(t); err != nil || r.Source != "savings" {
		t.Errorf("a second attempt: %q, %v", r.Source, err)
	}
	if _, _, _, err := (events{opened, from(strings.Repeat("x", 65))}).run(t); !errors.Is(err, payment.ErrEvent) {
		t.Errorf("a source of 65 characters: %v", err)
	}
}

// Somebody else learns nothing, in no state; a payment that was cancelled
// before it came belongs to nobody.
func TestConfirmedBySomebodyElse(t *testing.T) {
	bob := with(confirmed, func(e *payment.Confirmed) { e.CustomerID = "bob" })
	for _, list := range []events{{opened}, {openedEasy}, {opened, confirmed}, {opened, confirmed, debited}, {opened, confirmed, refused}, {opened, expired}, {opened, cancelled}} {
		if _, r, _, err := append(list, bob).run(t); !errors.Is(err, payment.ErrOtherCustomer) {
			t.Errorf("%s: %v", r.State, err)
		}
	}
	if _, r, _, err := (events{cancelled, bob}).run(t); err != nil || r.State != payment.StateClosed {
		t.Errorf("a tombstone: %s, %v", r.State, err)
	}
}
