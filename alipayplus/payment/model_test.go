package payment_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// alphabet is every event that can meet a payment, also those that should not.
func alphabet() []payment.Event {
	confirmedLate, confirmedBob := confirmed, confirmed
	confirmedLate.At = late
	confirmedBob.CustomerID = "bob"
	return []payment.Event{
		opened, openedEasy, openedBob, oneClick,
		confirmed, confirmedLate, confirmedBob,
		tried, payment.VerificationTried{At: late}, verified, verified2, payment.Verified{Try: 1, At: late},
		wrong, wrong2, resent, payment.GaveUp{}, with(opened, func(e *payment.Opened) { e.SentAt = late }),
		debited, payment.Debited{Attempt: 2, At: late},
		retry, refused, payment.Refused{Attempt: 2, Code: alipayplus.CodeRiskReject}, payment.Refused{Attempt: 2, Retry: true},
		expired, payment.Expired{At: noon},
		cancelled, cancelLate,
		part, rest, refundOf("r4", 895, 7662, 8021), refundOf("r5", 0, 1, 1), refundOf("r1", 200, 1712, 1792), refundOf("r3", 996, 1, 1),
		credited("cancel/2025"), credited("reverse/1/2025"), credited("reverse/2/2025"), credited("refund/2025/r1"), credited("refund/2025/r2"),
	}
}

// past is what was said and done so far: what the next record must not
// contradict.
type past struct {
	Said      alipayplus.Result // last final paymentResult of inquiryPayment
	PaySaid   alipayplus.Result // last final result of pay
	Notified  string            // body of the first notification
	Cancelled bool              // cancelPayment was accepted
	CancelS   bool              // and answered S
	Landed    int64             // debits that took money
	Ordered   int64             // credits ordered
	Done      int64             // credits done
	Keys      string            // of all debits and credits so far
}

// judge checks one transition and returns the past that includes it. The error
// names the rule that is broken.
func judge(p past, r payment.Record, e payment.Event, next payment.Record, do []payment.Effect, err error) (past, error) {
	if err != nil && (len(do) > 0 || !reflect.DeepEqual(next, r)) {
		return p, fmt.Errorf("a refused event changed the record or has effects: %s", names(do))
	}
	if ended(r) && harmless(r, e) && (err != nil || next.Version != r.Version || len(do) > 0) {
		return p, fmt.Errorf("twice or too late in state %s: version %d, %q, %w", r.State, next.Version, names(do), err)
	}
	if next.Version != r.Version && next.Version != r.Version+1 {
		return p, fmt.Errorf("version %d became %d", r.Version, next.Version)
	}
	if (r.State == payment.StateFailed || r.State == payment.StateClosed) && next.State != r.State {
		return p, fmt.Errorf("%s became %s", r.State, next.State)
	}

	// Money.
	amount := r.Amounts.Debit().Minor
	if next.Amounts.Debit().Minor != 0 {
		amount = next.Amounts.Debit().Minor
	}
	p.Landed, p.Ordered, p.Done = 0, 0, 0
	running := 0
	for _, a := range next.Attempts {
		switch a {
		case payment.AttemptLanded:
			p.Landed += amount
		case payment.AttemptRunning:
			running++
		case payment.AttemptRefused:
		}
	}
	var refunded, payout int64
	for _, c := range next.Credits {
		p.Ordered += c.Amount.Minor
		if c.Done {
			p.Done += c.Amount.Minor
		}
	}
	for _, f := range next.Refunds {
		refunded += f.RefundAmount.Minor
		payout += f.SurchargeAmount.Minor - f.Cut.Minor
	}
	switch {
	case running > 1 || running > 0 && next.State != payment.StatePaying && next.State != payment.StateClosed:
		return p, fmt.Errorf("%d attempts run in state %s", running, next.State)
	case payout > amount:
		return p, fmt.Errorf("credits of %d for a debit of %d", payout, amount)
	case refunded > next.Amounts.PaymentAmount.Minor:
		return p, fmt.Errorf("refunds of %d", refunded)
	case next.State == payment.StatePaid && p.Landed-p.Ordered != amount-payout:
		return p, fmt.Errorf("paid, landed %d, credits %d, refunds %d", p.Landed, p.Ordered, payout)
	case next.State != payment.StatePaid && p.Landed != p.Ordered:
		return p, fmt.Errorf("%s, landed %d, credits %d", next.State, p.Landed, p.Ordered)
	}

	// What is to be done is ordered once, and not forgotten.
	due := next.Due()
	for _, d := range do {
		var key string
		switch d := d.(type) {
		case payment.Debit:
			key = d.Key
		case payment.Credit:
			key = d.Key
		default:
			continue
		}
		if strings.Contains(p.Keys, key+" ") {
			return p, fmt.Errorf("%s is ordered twice", key)
		}
		if !slices.ContainsFunc(due, func(other payment.Effect) bool { return cmp.Equal(other, d) }) {
			return p, fmt.Errorf("Due forgets %s", key)
		}
		p.Keys += key + " "
	}
	if _, again, more, errAgain := again(next, e); errAgain == nil && err == nil && (again.Version != next.Version || len(more) > 0) {
		switch e.(type) {
		case payment.VerificationTried, payment.OTPResent: // each one counts
		default:
			return p, fmt.Errorf("the same event again does %q", names(more))
		}
	}

	// What Alipay+ is told.
	pay, inquiry := next.PayAnswer(), next.InquiryAnswer()
	result := inquiry.PaymentResult
	notice, final := next.Notification()
	var notified payment.NotifyPaymentRequest
	if final {
		if json.Unmarshal([]byte(notice.Body.Reveal()), &notified) != nil || notice.URL != next.NotifyURL || notice.Key != next.PaymentRequestID {
			return p, fmt.Errorf("the notification cannot be read or goes elsewhere")
		}
	}
	isEasy := !next.Verification.URL.IsZero()
	switch s := result.Status; {
	case next.State == "" && inquiry.Result.Code != alipayplus.CodeOrderNotExist:
		return p, fmt.Errorf("an order never seen: %s", inquiry.Result.Code.Error())
	case s == alipayplus.StatusSucceeded && next.State != payment.StatePaid:
		return p, fmt.Errorf("S in state %s", next.State)
	case s == alipayplus.StatusSucceeded && !final:
		return p, fmt.Errorf("S and no notification")
	case final && notified.PaymentResult.Status != s:
		return p, fmt.Errorf("notified %s, inquiry %s", notified.PaymentResult.Code.Error(), result.Code.Error())
	case final && notified.PaymentResult.Code != result.Code:
		return p, fmt.Errorf("notified %s, inquiry %s", notified.PaymentResult.Code.Error(), result.Code.Error())
	case p.Said.Status == alipayplus.StatusFailed && result != p.Said:
		return p, fmt.Errorf("inquiry said %s and now %s", p.Said.Code.Error(), result.Code.Error())
	case p.Said.Status == alipayplus.StatusSucceeded && result != p.Said && !p.Cancelled && !isCancel(e):
		return p, fmt.Errorf("inquiry said S and now %s", result.Code.Error())
	case isEasy && pay.Result.Status == alipayplus.StatusSucceeded:
		return p, fmt.Errorf("an Easy Pay creation is answered S")
	case isEasy && pay.Result.Status == alipayplus.StatusUnknown && (pay.PaymentURL.IsZero() || pay.PaymentID == ""):
		return p, fmt.Errorf("an Easy Pay creation is answered without paymentUrl or paymentId")
	case next.State != "" && pay.Result != result && !(isEasy && next.State == payment.StatePaid):
		return p, fmt.Errorf("pay %s, inquiry %s", pay.Result.Code.Error(), result.Code.Error())
	case len(next.Tried) > next.Verification.Tries || next.Resent > next.Verification.Resends:
		return p, fmt.Errorf("%d tries, %d OTPs", len(next.Tried), next.Resent)
	case next.Verified() != (isEasy && len(next.Attempts) > 0):
		return p, fmt.Errorf("the user is sent back with %t after %d attempts", next.Verified(), len(next.Attempts))
	case !r.Verified() && next.Verified() && !isVerified(e):
		return p, fmt.Errorf("%T verified the user", e)
	case next.State == payment.StateOpen && len(next.Attempts) > 0 && next.CodeValueDigest == "":
		return p, fmt.Errorf("open again, and nobody is there")
	case final && p.Notified != "" && p.Notified != notice.Body.Reveal():
		return p, fmt.Errorf("a second notification that differs")
	}
	if result.Status == alipayplus.StatusSucceeded || result.Status == alipayplus.StatusFailed {
		p.Said = result
	}
	if final {
		p.Notified = notice.Body.Reveal()
	}
	if isCancel(e) && err == nil {
		p.Cancelled = true
	}
	if p.Cancelled {
		settled := next.CancelAnswer().Result.Status == alipayplus.StatusSucceeded
		switch {
		case p.CancelS && !settled && !contradicts(e):
			return p, fmt.Errorf("cancelPayment was answered S and now it is not")
		case settled && (running > 0 || p.Done != p.Landed):
			return p, fmt.Errorf("cancelPayment is answered S, landed %d, given back %d", p.Landed, p.Done)
		}
		p.CancelS = settled
	}
	return p, nil
}

// ended reports whether a payment does not wait for the user any more.
func ended(r payment.Record) bool {
	return r.State != "" && r.State != payment.StateOpen && r.State != payment.StateVerifying
}

// harmless reports whether e is what a user or a clock does twice or too late.
func harmless(r payment.Record, e payment.Event) bool {
	switch e := e.(type) {
	case payment.Confirmed:
		return r.CustomerID == "" || e.CustomerID == r.CustomerID
	case payment.VerificationTried, payment.Verified, payment.VerificationFailed, payment.OTPResent, payment.GaveUp, payment.Expired:
		return true
	}
	return false
}

// contradicts reports whether e takes money after all, which was called
// refused.
func contradicts(e payment.Event) bool { _, ok := e.(payment.Debited); return ok }

func isVerified(e payment.Event) bool { _, ok := e.(payment.Verified); return ok }

func isCancel(e payment.Event) bool { _, ok := e.(payment.Cancelled); return ok }

// again applies e to what a restart would load.
func again(r payment.Record, e payment.Event) (loaded, next payment.Record, do []payment.Effect, err error) {
	row, err := r.MarshalBinary()
	if err != nil {
		return r, r, nil, err
	}
	if err := loaded.UnmarshalBinary(row); err != nil {
		return r, r, nil, err
	}
	next, do, err = loaded.On(e)
	return loaded, next, do, err
}

// transition applies e to r and checks all that holds for any single one.
func transition(p past, r payment.Record, e payment.Event) (past, payment.Record, []payment.Effect, error) {
	before, _ := r.MarshalBinary()
	next, do, err := r.On(e)
	if after, _ := r.MarshalBinary(); string(before) != string(after) {
		return p, next, do, fmt.Errorf("On changed the record that it was called on")
	}
	loaded, next2, do2, err2 := again(r, e)
	if !reflect.DeepEqual(loaded, r) || !reflect.DeepEqual(next2, next) || !reflect.DeepEqual(do2, do) || fmt.Sprint(err2) != fmt.Sprint(err) {
		return p, next, do, fmt.Errorf("after a restart: %s", cmp.Diff(next, next2))
	}
	p, broken := judge(p, r, e, next, do, err)
	return p, next, do, broken
}

// All sequences of events up to a length, with repetition. Sequences that lead
// to the same record with the same past go on together, so that none is left
// out and few are walked twice.
func TestAllSequences(t *testing.T) {
	depth := 5
	if os.Getenv("ALIPAYPLUS_LONG") != "" {
		depth = 9
	}
	type node struct {
		record payment.Record
		past   past
		way    []payment.Event
	}
	unseen := payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}
	level := []node{{record: unseen}}
	seen := map[string]bool{}
	events := alphabet()
	edges, sequences := 0, 1
	states := map[payment.State]int{}
	for range depth {
		var below []node
		sequences *= len(events)
		for _, n := range level {
			for _, e := range events {
				edges++
				p, next, _, err := transition(n.past, n.record, e)
				way := append(append([]payment.Event(nil), n.way...), e)
				if err != nil {
					t.Fatalf("%v\nafter %s", err, describe(way))
				}
				key := next
				key.Version = 0
				id, err := alipayplus.Marshal([]any{key, p})
				if err != nil {
					t.Fatal(err)
				}
				if !seen[string(id)] {
					seen[string(id)] = true
					states[next.State]++
					below = append(below, node{next, p, way})
				}
			}
		}
		level = below
	}
	t.Logf("%d sequences of %d events, which make %d transitions and %d situations: %s", sequences, depth, edges, len(seen), inWords(states))
	for _, s := range []payment.State{payment.StateOpen, payment.StateVerifying, payment.StatePaying, payment.StatePaid, payment.StateFailed, payment.StateClosed} {
		if states[s] == 0 {
			t.Errorf("no sequence reached %s", s)
		}
	}
}

func describe(way []payment.Event) (text string) {
	for i, e := range way {
		text += fmt.Sprintf("%d. %T %+v\n", i+1, e, e)
	}
	return text
}

// A nil event and a zero record are harmless.
func TestNothing(t *testing.T) {
	if _, _, err := (payment.Record{}).On(nil); err == nil {
		t.Error("a nil event is taken")
	}
	for _, e := range alphabet() {
		next, do, err := payment.Record{}.On(e)
		if _, ok := e.(payment.Opened); !ok && (err == nil || len(do) > 0 || next.Version != 0) {
			t.Errorf("%T changes a record without an id: %v", e, err)
		}
	}
	for _, e := range []payment.Event{
		payment.Opened{}, payment.Confirmed{}, payment.VerificationTried{}, payment.Verified{}, payment.VerificationFailed{}, payment.OTPResent{},
		payment.Expired{}, payment.Debited{}, payment.Refused{}, payment.Cancelled{}, payment.Refunded{}, payment.Credited{},
	} {
		for _, list := range []events{{}, {opened}, {openedEasy}, {openedEasy, tried}, {opened, confirmed}, {opened, confirmed, debited}} {
			if _, after, _, err := append(list, e).run(t); err == nil {
				t.Errorf("an empty %T is taken in state %q", e, after.State)
			}
		}
	}
}
