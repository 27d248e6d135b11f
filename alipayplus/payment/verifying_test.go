package payment_test

import (
	"errors"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// guess is a request of the verification page, as its server handles it: count
// the try, compare, report.
func guess(stored payment.Record, pin string) (after payment.Record, compared bool) {
	counted, _, err := stored.On(payment.VerificationTried{At: noon})
	if err != nil || counted.State != payment.StateVerifying {
		return stored, false
	}
	var end payment.Event = payment.VerificationFailed{Try: len(counted.Tried), At: noon}
	if pin == "1234" {
		end = payment.Verified{Try: len(counted.Tried), At: noon}
	}
	after, _, err = counted.On(end)
	if err != nil {
		panic(err)
	}
	return after, true
}

// However many guesses come at once, no more are compared than there are tries,
// whatever the order of counting, comparing and reporting.
func TestParallelGuesses(t *testing.T) {
	_, record, _, _ := events{openedEasy}.run(t) // two tries
	var granted []int
	for range 10 { // all are counted before one is compared
		next, _, err := record.On(tried)
		if err != nil {
			if !errors.Is(err, payment.ErrTries) {
				t.Fatal(err)
			}
			continue
		}
		record = next
		granted = append(granted, len(record.Tried))
	}
	if len(granted) != 2 || record.TriesLeft() != 0 || record.State != payment.StateVerifying {
		t.Fatalf("tries %v are compared, %d left, %s", granted, record.TriesLeft(), record.State)
	}
	for _, try := range granted {
		record, _, _ = record.On(payment.VerificationFailed{Try: try, At: noon})
	}
	if record.State != payment.StateFailed || record.Verified() {
		t.Errorf("after all tries: %s", record.State)
	}

	_, record, _, _ = events{openedEasy}.run(t)
	compared := 0
	for range 10 { // one after the other
		var ok bool
		if record, ok = guess(record, "0000"); ok {
			compared++
		}
	}
	if record, ok := guess(record, "1234"); compared != 2 || ok || record.State != payment.StateFailed {
		t.Errorf("%d wrong PINs were compared, the right one after them: %t, %s", compared, ok, record.State)
	}
}

// Zero values of Verification have defaults.
func TestVerificationDefaults(t *testing.T) {
	e := openedEasy
	e.Verification.Tries, e.Verification.Resends = 0, 0
	_, record, _, _ := events{e}.run(t)
	if record.TriesLeft() != payment.DefaultTries || record.ResendsLeft() != payment.DefaultResends {
		t.Errorf("%d tries, %d resends", record.TriesLeft(), record.ResendsLeft())
	}
	for range payment.DefaultResends {
		var err error
		if record, _, err = record.On(resent); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := record.On(resent); !errors.Is(err, payment.ErrResends) {
		t.Errorf("one OTP too many: %v", err)
	}
	_, ended, _, _ := events{e, payment.GaveUp{}}.run(t)
	if ended.TriesLeft() != 0 || ended.ResendsLeft() != 0 {
		t.Error("a payment that has ended has tries left")
	}
}

// Where the user is sent back to is the verification's status, from the record
// alone: what comes after the right PIN does not change it.
func TestVerifiedIsDerived(t *testing.T) {
	right := events{openedEasy, tried, verified}
	paid := append(right[:3:3], debited)
	for _, c := range []struct {
		rule     string
		events   events
		state    payment.State
		verified bool
	}{
		{"verifying", events{openedEasy, tried}, payment.StateVerifying, false},
		{"paying", right, payment.StatePaying, true},
		{"paying, then a wrong PIN", append(right[:3:3], wrong), payment.StatePaying, true},
		{"paid", paid, payment.StatePaid, true},
		{"paid, then a wrong PIN", append(paid[:4:4], wrong2), payment.StatePaid, true},
		{"paid, then another try", append(paid[:4:4], tried), payment.StatePaid, true},
		{"paid, then another OTP", append(paid[:4:4], resent), payment.StatePaid, true},
		{"paid, then the back button", append(paid[:4:4], payment.GaveUp{}), payment.StatePaid, true},
		{"paid, then the clock", append(paid[:4:4], payment.Expired{At: late}), payment.StatePaid, true},
		{"paid, then cancelled", append(paid[:4:4], cancelled), payment.StateClosed, true},
		{"verified, and the debit is refused", append(right[:3:3], refused), payment.StateFailed, true},
		{"verified, and cancelled while the debit runs", append(right[:3:3], cancelled), payment.StateClosed, true},
		{"all tries wrong", events{openedEasy, tried, wrong, tried, wrong2}, payment.StateFailed, false},
		{"given up", events{openedEasy, payment.GaveUp{}}, payment.StateFailed, false},
		{"given up, then right", events{openedEasy, tried, payment.GaveUp{}, verified}, payment.StateFailed, false},
		{"expired", events{openedEasy, expired}, payment.StateClosed, false},
		{"cancelled", events{openedEasy, cancelled}, payment.StateClosed, false},
		{"a tombstone", events{cancelled, openedEasy}, payment.StateClosed, false},
	} {
		if _, r, _, err := c.events.run(t); err != nil || r.State != c.state || r.Verified() != c.verified {
			t.Errorf("%s: %s, verified %t, %v", c.rule, r.State, r.Verified(), err)
		}
	}
}

// A token needs the user's consent, and that is part of the confirmation: the
// cashier page asks, in Easy Pay the right PIN is it.
func TestConsent(t *testing.T) {
	info := payment.AuthorizationInfo{ReferenceAgreementID: "A", AuthClientID: "C"}
	asked := with(opened, func(e *payment.Opened) { e.AuthorizationInfo = info })
	askedEasy := with(openedEasy, func(e *payment.Opened) { e.AuthorizationInfo = info })
	noClient := with(opened, func(e *payment.Opened) { e.AuthorizationInfo.ReferenceAgreementID = "A" })
	consent := with(confirmed, func(e *payment.Confirmed) { e.Consent = true })
	for _, c := range []struct {
		rule   string
		events events
		want   bool
	}{
		{"asked and given", events{asked, consent}, true},
		{"asked and not given", events{asked, confirmed}, false},
		{"given and not asked", events{opened, consent}, false},
		{"given to nobody", events{noClient, consent}, false},
		{"taken back with the second confirmation", events{asked, consent, retry, confirmed}, false},
		{"given by a second tap: too late", events{asked, confirmed, consent}, false},
		{"Easy Pay, asked: the right PIN", events{askedEasy, tried, verified}, true},
		{"Easy Pay, asked: not yet", events{askedEasy, tried}, false},
		{"Easy Pay, not asked", events{openedEasy, tried, verified}, false},
	} {
		if _, r, _, err := c.events.run(t); err != nil || r.Consented != c.want {
			t.Errorf("%s: %t, %v", c.rule, r.Consented, err)
		}
	}
}
