package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

var (
	noon     = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) // 20:00 in UTC+8
	late     = noon.Add(payment.DefaultExpiry + time.Second)
	cancelBy = time.Date(2025, 3, 1, 16, 30, 0, 0, time.UTC) // 00:30 in UTC+8, the next day
	refundBy = noon.Add(366 * 24 * time.Hour)
)

const orderID = "2025"

func jpy(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "JPY", Minor: minor} }
func hkd(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "HKD", Minor: minor} }

// terms are of an order of 995 JPY for which the user pays 8916 HKD cents.
func terms() payment.Terms {
	return payment.Terms{
		PaymentRequestID: orderID,
		PaymentID:        "our-1",
		CustomerID:       "alice",
		CodeValueDigest:  alipayplus.Conceal("a code").Digest(),
		Amounts: payment.Amounts{
			PaymentAmount: jpy(995),
			PayToAmount:   hkd(8518),
			PaymentQuote:  payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"},
			SurchargeInfo: payment.SurchargeInfo{SurchargeAmount: hkd(8916)},
		},
		NotifyURL: "https://open-sea.alipayplus.com/notify/1",
	}
}

func easyTerms() payment.Terms {
	t := terms()
	t.CodeValueDigest = ""
	t.Verification = payment.Verification{URL: alipayplus.Conceal("https://wallet.example/verify/1"), Tries: 2, Resends: 2}
	return t
}

func refundOf(id string, amount, from, credit int64) payment.Refunded {
	return payment.Refunded{
		Request: payment.RefundRequest{
			PaymentRequestID: orderID, PaymentID: "our-1", RefundRequestID: id,
			RefundAmount: jpy(amount), RefundFromAmount: hkd(from),
			SurchargeInfo: payment.SurchargeInfo{SurchargeAmount: hkd(credit)},
		},
		RefundID: "our-" + id,
		At:       noon.Add(time.Hour),
	}
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// The events of the table, by what they mean.
var (
	opened      = payment.Opened{Terms: terms(), At: noon}
	openedEasy  = payment.Opened{Terms: easyTerms(), At: noon}
	oneClick    = with(opened, func(e *payment.Opened) { e.CodeValueDigest = "" })
	openedBob   = with(opened, func(e *payment.Opened) { e.CustomerID = "bob" })
	openedOther = with(opened, func(e *payment.Opened) { e.CodeValueDigest = alipayplus.Conceal("another").Digest() })
	confirmed   = payment.Confirmed{CustomerID: "alice", Amount: hkd(8916), At: noon}
	tried       = payment.VerificationTried{At: noon}
	verified    = payment.Verified{Try: 1, At: noon}
	verified2   = payment.Verified{Try: 2, At: noon}
	wrong       = payment.VerificationFailed{Try: 1, At: noon}
	wrong2      = payment.VerificationFailed{Try: 2, At: noon}
	resent      = payment.OTPResent{At: noon}
	expired     = payment.Expired{At: late}
	debited     = payment.Debited{Attempt: 1, At: noon}
	retry       = payment.Refused{Attempt: 1, Code: alipayplus.CodeUserBalanceNotEnough, Retry: true}
	refused     = payment.Refused{Attempt: 1, Code: alipayplus.CodeRiskReject}
	cancelled   = payment.Cancelled{At: noon.Add(time.Minute)}
	cancelLate  = payment.Cancelled{At: cancelBy.Add(time.Second)}
	part        = refundOf("r1", 100, 856, 896)
	rest        = refundOf("r2", 895, 7662, 8020)
)

func credited(key string) payment.Credited { return payment.Credited{Key: key} }

type events []payment.Event

// run applies all but the last event, which must all be accepted, and returns
// the record before the last one and what that one gave.
func (list events) run(t *testing.T) (before, after payment.Record, do []payment.Effect, err error) {
	t.Helper()
	after = payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}
	for i, e := range list {
		before = after
		if after, do, err = before.On(e); err != nil && i < len(list)-1 {
			t.Fatalf("event %d, %T: %v", i+1, e, err)
		}
	}
	return before, after, do, err
}

// told is everything that Alipay+ and the user would learn now.
func told(r payment.Record) string {
	notice := "-"
	if m, ok := r.Notification(); ok {
		var body payment.NotifyPaymentRequest
		if json.Unmarshal([]byte(m.Body.Reveal()), &body) != nil {
			notice = "unreadable"
		} else {
			notice = body.PaymentResult.Error()
		}
	}
	inquiry := r.InquiryAnswer()
	answer := inquiry.PaymentResult.Error()
	if inquiry.Result.Status != alipayplus.StatusSucceeded {
		answer = "result " + inquiry.Result.Error()
	}
	return fmt.Sprintf("%s | %s | %s | %s", r.State, answer, notice, r.CancelAnswer().Result.Status)
}

func names(do []payment.Effect) string {
	var list []string
	for _, e := range do {
		switch e := e.(type) {
		case payment.Debit:
			list = append(list, fmt.Sprintf("Debit %d %v", e.Attempt, e.Amount))
		case payment.Void:
			list = append(list, fmt.Sprintf("Void %d", e.Attempt))
		case payment.Credit:
			list = append(list, fmt.Sprintf("Credit %s %v", e.Key, e.Amount))
		default:
			list = append(list, strings.TrimPrefix(fmt.Sprintf("%T", e), "payment."))
		}
	}
	return strings.Join(list, ", ")
}

// The states, row by row. "told" is: state | paymentResult of inquiryPayment |
// paymentResult of notifyPayment | status for cancelPayment.
func TestStates(t *testing.T) {
	const (
		none      = " | result F ORDER_NOT_EXIST | - | U"
		open      = "open | U PAYMENT_IN_PROCESS | - | U"
		verifying = "verifying | U PAYMENT_IN_PROCESS | - | U"
		paying    = "paying | U PAYMENT_IN_PROCESS | - | U"
		paid      = "paid | S SUCCESS | S SUCCESS | U"
		rejected  = "failed | F RISK_REJECT | F RISK_REJECT | S"
		unproven  = "failed | F USER_PAYMENT_VERIFICATION_FAILED | F USER_PAYMENT_VERIFICATION_FAILED | S"
		lapsed    = "closed | F ORDER_IS_CLOSED | F ORDER_IS_CLOSED | S"
		closing   = "closed | U PAYMENT_IN_PROCESS | - | U"
		closed    = "closed | F ORDER_IS_CLOSED | - | S"

		// A debit that landed too late is still to be given back.
		owed         = "closed | F ORDER_IS_CLOSED | - | U"
		owedLapsed   = "closed | F ORDER_IS_CLOSED | F ORDER_IS_CLOSED | U"
		owedRejected = "failed | F RISK_REJECT | F RISK_REJECT | U"

		debit = "Debit 1 HKD 89.16"
	)
	for _, c := range []struct {
		rule   string
		events events
		told   string
		do     string
		err    error
	}{
		{rule: "an order never seen does not exist", events: events{expired}, told: none, err: payment.ErrUnknownOrder},
		{rule: "decode S: stored, open", events: events{opened}, told: open},
		{rule: "decode S again: nothing changes", events: events{opened, opened}, told: open},
		{rule: "decode S again for another customer: refused", events: events{opened, openedBob}, told: open, err: payment.ErrOtherCustomer},
		{rule: "decode S again from another code: refused", events: events{opened, openedOther}, told: open, err: payment.ErrInconsistent},
		{rule: "decode S again while paying: in progress", events: events{opened, confirmed, opened}, told: paying},
		{rule: "decode S again when paid: the result page", events: events{opened, confirmed, debited, opened}, told: paid},
		{rule: "decode S again when failed", events: events{opened, confirmed, refused, opened}, told: rejected},
		{rule: "decode S again when closed", events: events{opened, expired, opened}, told: lapsed},
		{rule: "decode S of an order that had expired when Alipay+ answered: closed", events: events{with(opened, func(e *payment.Opened) { e.SentAt = late })}, told: lapsed, do: "Notify"},
		{rule: "decode S again, and it had expired when Alipay+ answered: closed", events: events{opened, with(opened, func(e *payment.Opened) { e.SentAt = late })}, told: lapsed, do: "Notify"},
		{rule: "decode S again after the expiry, and the debit runs: in progress", events: events{opened, confirmed, with(opened, func(e *payment.Opened) { e.SentAt = late })}, told: paying},
		{rule: "the wallet's clock is wrong: open, if Alipay+'s says so", events: events{with(opened, func(e *payment.Opened) { e.At, e.ExpiryTime, e.SentAt = late, alipayplus.TimeOf(noon), noon })}, told: open},
		{rule: "Easy Pay creation that had expired when Alipay+ sent it: closed", events: events{with(openedEasy, func(e *payment.Opened) { e.SentAt = late })}, told: lapsed, do: "Notify"},
		{rule: "terms without expiry that were sent yesterday: open", events: events{with(opened, func(e *payment.Opened) { e.SentAt = noon.Add(-23 * time.Hour) })}, told: open},
		{rule: "terms without expiry from long ago, whose payment was deleted: nobody pays again", events: events{with(opened, func(e *payment.Opened) { e.SentAt = noon.AddDate(-2, 0, 0) }), confirmed}, told: lapsed, do: "Notify"},
		{rule: "Easy Pay creation: verifying", events: events{openedEasy}, told: verifying},
		{rule: "Easy Pay creation again: nothing changes", events: events{openedEasy, openedEasy}, told: verifying},

		{rule: "confirmed: one debit of the surcharge amount", events: events{opened, confirmed}, told: paying, do: debit},
		{rule: "confirmed at the last moment", events: events{opened, payment.Confirmed{CustomerID: "alice", Amount: hkd(8916), At: noon.Add(payment.DefaultExpiry)}}, told: paying, do: debit},
		{rule: "confirmed late: closed, no error", events: events{opened, with(confirmed, func(e *payment.Confirmed) { e.At = late })}, told: lapsed, do: "Notify"},
		{rule: "confirmed by someone else: refused, stays open", events: events{opened, with(confirmed, func(e *payment.Confirmed) { e.CustomerID = "bob" })}, told: open, err: payment.ErrOtherCustomer},
		{rule: "confirmed by someone else and late: stays open", events: events{opened, with(confirmed, func(e *payment.Confirmed) { e.CustomerID, e.At = "bob", late })}, told: open, err: payment.ErrOtherCustomer},
		{rule: "confirmed another amount: refused, stays open", events: events{opened, with(confirmed, func(e *payment.Confirmed) { e.Amount = hkd(8518) })}, told: open, err: payment.ErrAmountChanged},
		{rule: "an order never seen cannot be confirmed", events: events{confirmed}, told: none, err: payment.ErrUnknownOrder},
		{rule: "the cashier page cannot stand in for the verification", events: events{openedEasy, confirmed}, told: verifying, err: payment.ErrEvent},
		{rule: "the verification cannot stand in for the cashier page", events: events{opened, verified}, told: open, err: payment.ErrEvent},

		{rule: "open, expiry: closed and notified", events: events{opened, expired}, told: lapsed, do: "Notify"},
		{rule: "open, expiry too early: nothing", events: events{opened, payment.Expired{At: noon.Add(payment.DefaultExpiry)}}, told: open},
		{rule: "verifying, expiry: closed, notified", events: events{openedEasy, expired}, told: lapsed, do: "Notify"},
		{rule: "expiry again: nothing", events: events{opened, expired, expired}, told: lapsed},

		{rule: "verifying, wrong PIN, tries left: stays", events: events{openedEasy, tried, wrong}, told: verifying},
		{rule: "verifying, OTP sent again: stays", events: events{openedEasy, resent}, told: verifying},
		{rule: "verifying, another OTP after the last one: refused", events: events{openedEasy, resent, resent, resent}, told: verifying, err: payment.ErrResends},
		{rule: "verifying, a try after the last one: refused", events: events{openedEasy, tried, tried, tried}, told: verifying, err: payment.ErrTries},
		{rule: "verifying, tried too late: closed", events: events{openedEasy, payment.VerificationTried{At: late}}, told: lapsed, do: "Notify"},
		{rule: "a right PIN that was not counted: no", events: events{openedEasy, verified}, told: verifying, err: payment.ErrEvent},
		{rule: "a wrong PIN that was not counted: no", events: events{openedEasy, tried, wrong2}, told: verifying, err: payment.ErrEvent},
		{rule: "a wrong PIN that is right after all: no", events: events{openedEasy, tried, wrong, verified}, told: verifying, err: payment.ErrEvent},
		{rule: "the same wrong PIN reported twice: counts once", events: events{openedEasy, tried, wrong, wrong}, told: verifying},
		{rule: "the last try is wrong while another is compared: stays", events: events{openedEasy, tried, tried, wrong2}, told: verifying},
		{rule: "and that one is right: paying", events: events{openedEasy, tried, tried, wrong2, verified}, told: paying, do: debit},
		{rule: "a try that is never reported: the user gives up", events: events{openedEasy, tried, tried, wrong2, payment.GaveUp{}}, told: unproven, do: "Notify"},
		{rule: "a try that is never reported: expiry", events: events{openedEasy, tried, tried, wrong2, expired}, told: lapsed, do: "Notify"},
		{rule: "a try without a verification: no", events: events{opened, tried}, told: open, err: payment.ErrEvent},
		{rule: "given up without a verification: no", events: events{opened, payment.GaveUp{}}, told: open, err: payment.ErrEvent},
		{rule: "verifying, OTP sent again too late: closed", events: events{openedEasy, payment.OTPResent{At: late}}, told: lapsed, do: "Notify"},
		{rule: "verifying, last try wrong: failed, notified", events: events{openedEasy, tried, wrong, tried, wrong2}, told: unproven, do: "Notify"},
		{rule: "verifying, wrong PIN too late: closed, not failed", events: events{openedEasy, tried, wrong, tried, with(wrong2, func(e *payment.VerificationFailed) { e.At = late })}, told: lapsed, do: "Notify"},
		{rule: "verifying, given up: failed, notified", events: events{openedEasy, payment.GaveUp{}}, told: unproven, do: "Notify"},
		{rule: "given up again: nothing", events: events{openedEasy, payment.GaveUp{}, payment.GaveUp{}}, told: unproven},
		{rule: "given up after the right PIN: nothing", events: events{openedEasy, tried, verified, payment.GaveUp{}}, told: paying},
		{rule: "verifying, right: one debit", events: events{openedEasy, tried, verified}, told: paying, do: debit},
		{rule: "verified twice: the same attempt", events: events{openedEasy, tried, verified, verified}, told: paying},
		{rule: "verified too late: closed, notified", events: events{openedEasy, tried, with(verified, func(e *payment.Verified) { e.At = late })}, told: lapsed, do: "Notify"},
		{rule: "verified after the last try: nothing", events: events{openedEasy, tried, wrong, tried, wrong2, verified2}, told: unproven},
		{rule: "the last wrong PIN twice: once", events: events{openedEasy, tried, wrong, tried, wrong2, wrong2}, told: unproven},

		{rule: "paying, debit done: paid, notified", events: events{opened, confirmed, debited}, told: paid, do: "Notify"},
		{rule: "debit done twice: once", events: events{opened, confirmed, debited, debited}, told: paid},
		{rule: "paying, refused, may try again: open, nothing notified", events: events{opened, confirmed, retry}, told: open},
		{rule: "tried again: another attempt", events: events{opened, confirmed, retry, confirmed}, told: paying, do: "Debit 2 HKD 89.16"},
		{rule: "the first refusal again does not end the second attempt", events: events{opened, confirmed, retry, confirmed, retry}, told: paying},
		{rule: "the first debit lands after all: given back, the second attempt goes on", events: events{opened, confirmed, retry, confirmed, debited}, told: paying, do: "Credit reverse/1/2025 HKD 89.16"},
		{rule: "tried again too late: closed", events: events{opened, confirmed, retry, expired}, told: lapsed, do: "Notify"},
		{rule: "Easy Pay, refused, may try again: failed all the same", events: events{openedEasy, tried, verified, payment.Refused{Attempt: 1, Code: alipayplus.CodeRiskReject, Retry: true}}, told: rejected, do: "Notify"},
		{rule: "paying, refused for good: failed, notified", events: events{opened, confirmed, refused}, told: rejected, do: "Notify"},
		{rule: "one-click, refused, may try again: failed, nobody can", events: events{oneClick, confirmed, retry}, told: "failed | F USER_BALANCE_NOT_ENOUGH | F USER_BALANCE_NOT_ENOUGH | S", do: "Notify"},
		{rule: "one-click, refused, and the same request again: the same code", events: events{oneClick, confirmed, retry, oneClick, confirmed}, told: "failed | F USER_BALANCE_NOT_ENOUGH | F USER_BALANCE_NOT_ENOUGH | S"},
		{rule: "refused twice: once", events: events{opened, confirmed, refused, refused}, told: rejected},
		{rule: "refused with an unknown outcome: no", events: events{opened, confirmed, payment.Refused{Attempt: 1, Code: alipayplus.CodeUnknownException}}, told: paying, err: payment.ErrEvent},
		{rule: "refused with a code that cannot be sent: no", events: events{opened, confirmed, payment.Refused{Attempt: 1, Code: alipayplus.ResultCode(strings.Repeat("X", 65))}}, told: paying, err: payment.ErrEvent},
		{rule: "debited at no time: no", events: events{opened, confirmed, payment.Debited{Attempt: 1}}, told: paying, err: payment.ErrEvent},
		{rule: "refused with success: no", events: events{opened, confirmed, payment.Refused{Attempt: 1, Code: alipayplus.CodeSuccess}}, told: paying, err: payment.ErrEvent},
		{rule: "refused after it landed: no", events: events{opened, confirmed, debited, refused}, told: paid, err: payment.ErrEvent},
		{rule: "an attempt that was never ordered: no", events: events{opened, confirmed, payment.Debited{Attempt: 2, At: noon}}, told: paying, err: payment.ErrEvent},
		{rule: "paying, expiry: stays, the debit may land", events: events{opened, confirmed, expired}, told: paying},
		{rule: "a debit that lands after the expiry is paid", events: events{opened, confirmed, expired, payment.Debited{Attempt: 1, At: late}}, told: paid, do: "Notify"},
		{rule: "paying, second confirm: the same attempt", events: events{opened, confirmed, confirmed}, told: paying},
		{rule: "paid, second confirm: nothing", events: events{opened, confirmed, debited, confirmed}, told: paid},

		{rule: "cancelled before it came: tombstone", events: events{cancelled}, told: closed},
		{rule: "it comes after the tombstone: stays closed", events: events{cancelled, opened}, told: closed},
		{rule: "its creation comes after the tombstone: stays closed", events: events{cancelled, openedEasy}, told: closed},
		{rule: "confirmed after the tombstone: nothing", events: events{cancelled, opened, confirmed}, told: closed},
		{rule: "open, cancelled", events: events{opened, cancelled}, told: closed},
		{rule: "verifying, cancelled", events: events{openedEasy, cancelled}, told: closed},
		{rule: "verified after the cancellation: nothing", events: events{openedEasy, tried, cancelled, verified}, told: closed},
		{rule: "confirmed after the cancellation: nothing", events: events{opened, cancelled, confirmed}, told: closed},
		{rule: "paying, cancelled: U until the debit cannot stick", events: events{opened, confirmed, cancelled}, told: closing, do: "Void 1"},
		{rule: "paying, cancelled twice: no second order", events: events{opened, confirmed, cancelled, cancelled}, told: closing},
		{rule: "cancelled during the second attempt: that one is voided", events: events{opened, confirmed, retry, confirmed, cancelled}, told: closing, do: "Void 2"},
		{rule: "cancelled during the second attempt, which lands: its own reversal", events: events{opened, confirmed, retry, confirmed, cancelled, payment.Debited{Attempt: 2, At: noon}}, told: closing, do: "Credit reverse/2/2025 HKD 89.16"},
		{rule: "cancelled while paying, confirmed again: nothing", events: events{opened, confirmed, cancelled, confirmed}, told: closing},
		{rule: "paying, cancelled, refused: done", events: events{opened, confirmed, cancelled, refused}, told: closed},
		{rule: "paying, cancelled, debit lands: given back, still U", events: events{opened, confirmed, cancelled, debited}, told: closing, do: "Credit reverse/1/2025 HKD 89.16"},
		{rule: "paying, cancelled, debit lands twice: given back once", events: events{opened, confirmed, cancelled, debited, debited}, told: closing},
		{rule: "paying, cancelled, given back: done", events: events{opened, confirmed, cancelled, debited, credited("reverse/1/2025")}, told: closed},
		{rule: "paying, cancelled, voided, and yet it lands: given back, never S", events: events{opened, confirmed, cancelled, refused, debited}, told: owed, do: "Credit reverse/1/2025 HKD 89.16"},
		{rule: "paid, cancelled in the window: all given back, S withdrawn", events: events{opened, confirmed, debited, payment.Cancelled{At: cancelBy}}, told: closing, do: "Credit cancel/2025 HKD 89.16, Withdraw"},
		{rule: "paid, cancelled, given back: done", events: events{opened, confirmed, debited, cancelled, credited("cancel/2025")}, told: closed},
		{rule: "paid, cancelled after the window: refused", events: events{opened, confirmed, debited, cancelLate}, told: paid, err: payment.ErrCancelWindow},
		{rule: "the window is a policy", events: events{opened, confirmed, debited, with(cancelLate, func(e *payment.Cancelled) { e.IgnoreWindow = true })}, told: closing, do: "Credit cancel/2025 HKD 89.16, Withdraw"},
		{rule: "what is not paid can be cancelled at any time", events: events{opened, cancelLate}, told: closed},
		{rule: "paid, part refunded, cancelled: the rest given back", events: events{opened, confirmed, debited, part, cancelled}, told: closing, do: "Credit cancel/2025 HKD 80.20, Withdraw"},
		{rule: "a refund under way holds the cancellation up", events: events{opened, confirmed, debited, part, cancelled, credited("cancel/2025")}, told: closing},
		{rule: "all is back: done", events: events{opened, confirmed, debited, part, cancelled, credited("cancel/2025"), credited("refund/2025/r1")}, told: closed},
		{rule: "paid, all refunded, cancelled: nothing to give back", events: events{opened, confirmed, debited, part, rest, credited("refund/2025/r1"), credited("refund/2025/r2"), cancelled}, told: closed, do: "Withdraw"},
		{rule: "failed, cancelled: the code stays", events: events{opened, confirmed, refused, cancelled}, told: rejected},
		{rule: "expired, cancelled: nothing changes", events: events{opened, expired, cancelled}, told: lapsed},
		{rule: "closed, cancelled again", events: events{opened, cancelled, cancelled}, told: closed},

		{rule: "failed, debit lands: given back, the code stays", events: events{opened, confirmed, refused, debited}, told: owedRejected, do: "Credit reverse/1/2025 HKD 89.16"},
		{rule: "failed, confirmed: nothing", events: events{opened, confirmed, refused, confirmed}, told: rejected},
		{rule: "closed, debit lands: given back", events: events{opened, confirmed, retry, expired, debited}, told: owedLapsed, do: "Credit reverse/1/2025 HKD 89.16"},

		{rule: "paid, refund: the user's part is credited", events: events{opened, confirmed, debited, part}, told: paid, do: "Credit refund/2025/r1 HKD 8.96"},
		{rule: "paid, the same refund with another surcharge: refused", events: events{opened, confirmed, debited, part, refundOf("r1", 100, 856, 897)}, told: paid, err: payment.ErrInconsistent},
		{rule: "paid, the same refund without its surcharge: refused", events: events{opened, confirmed, debited, part, with(part, func(e *payment.Refunded) { e.Request.SurchargeInfo = payment.SurchargeInfo{} })}, told: paid, err: payment.ErrInconsistent},
		{rule: "refund of nothing", events: events{opened, confirmed, debited, refundOf("r1", 0, 856, 896)}, told: paid, err: payment.ErrParam},
		{rule: "refund of nothing, nothing converted", events: events{opened, confirmed, debited, refundOf("r1", 0, 0, 0)}, told: paid, err: payment.ErrParam},
		{rule: "refund of nothing after the whole", events: events{opened, confirmed, debited, part, rest, refundOf("r3", 0, 1, 1)}, told: paid, err: payment.ErrParam},
		{rule: "refund of a yen after the whole", events: events{opened, confirmed, debited, part, rest, refundOf("r3", 1, 0, 0)}, told: paid, err: payment.ErrRefundAmount},
		{rule: "refund that rounds to nothing: accepted, nothing to credit", events: events{opened, confirmed, debited, refundOf("r1", 1, 0, 0)}, told: paid},
		{rule: "refund with a surcharge of nothing where refundFromAmount is not", events: events{opened, confirmed, debited, refundOf("r1", 100, 856, 0)}, told: paid, err: payment.ErrParam},
		{rule: "refundFromAmount below zero", events: events{opened, confirmed, debited, refundOf("r1", 100, -1, 896)}, told: paid, err: payment.ErrParam},
		{rule: "refundFromAmount over 16 digits", events: events{opened, confirmed, debited, refundOf("r1", 100, 10_000_000_000_000_000, 896)}, told: paid, err: payment.ErrParam},
		{rule: "refund's surcharge below zero", events: events{opened, confirmed, debited, refundOf("r1", 100, 856, -1)}, told: paid, err: payment.ErrParam},
		{rule: "refund's surcharge over 16 digits", events: events{opened, confirmed, debited, refundOf("r1", 100, 856, 10_000_000_000_000_000)}, told: paid, err: payment.ErrParam},
		{rule: "the user would get a cent too much: cut", events: events{opened, confirmed, debited, part, refundOf("r2", 895, 7662, 8021)}, told: paid, do: "Credit refund/2025/r2 HKD 80.20"},
		{rule: "paid, the same refund again: nothing", events: events{opened, confirmed, debited, part, part}, told: paid},
		{rule: "paid, the same refund with another amount: refused", events: events{opened, confirmed, debited, part, refundOf("r1", 101, 856, 896)}, told: paid, err: payment.ErrInconsistent},
		{rule: "refund without a surcharge amount: refundFromAmount", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.SurchargeInfo = payment.SurchargeInfo{} })}, told: paid, do: "Credit refund/2025/r1 HKD 8.56"},
		{rule: "refunds up to the payment", events: events{opened, confirmed, debited, part, rest}, told: paid, do: "Credit refund/2025/r2 HKD 80.20"},
		{rule: "refunds over the payment by one yen", events: events{opened, confirmed, debited, part, refundOf("r2", 896, 7662, 8020)}, told: paid, err: payment.ErrRefundAmount},
		{rule: "refundFromAmount over by one cent for each refund: rounding", events: events{opened, confirmed, debited, part, refundOf("r2", 895, 7664, 8020)}, told: paid, do: "Credit refund/2025/r2 HKD 80.20"},
		{rule: "refundFromAmount over by more", events: events{opened, confirmed, debited, part, refundOf("r2", 895, 7665, 8020)}, told: paid, err: payment.ErrRefundAmount},
		{rule: "the user would get more than rounding explains", events: events{opened, confirmed, debited, part, refundOf("r2", 895, 7662, 8023)}, told: paid, err: payment.ErrRefundAmount},
		{rule: "a sum that would overflow", events: events{opened, confirmed, debited, part, refundOf("r2", 9_999_999_999_999_999, 1, 1)}, told: paid, err: payment.ErrRefundAmount},
		{rule: "refund without an id", events: events{opened, confirmed, debited, refundOf("", 100, 856, 896)}, told: paid, err: payment.ErrParam},
		{rule: "refund with an id over 64 characters", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.RefundRequestID = strings.Repeat("x", 65) })}, told: paid, err: payment.ErrParam},
		{rule: "refund of less than nothing", events: events{opened, confirmed, debited, refundOf("r1", -1, 0, 0)}, told: paid, err: payment.ErrParam},
		{rule: "refund without an id of our own", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.RefundID = "" })}, told: paid, err: payment.ErrEvent},
		{rule: "refund of another payment", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.PaymentRequestID = "other" })}, told: paid, err: payment.ErrEvent},
		{rule: "refund in another currency", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.RefundAmount = hkd(100) })}, told: paid, err: payment.ErrParam},
		{rule: "refund paid out in another currency", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.SurchargeInfo.SurchargeAmount = jpy(1) })}, told: paid, err: payment.ErrParam},
		{rule: "refund of another paymentId", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.Request.PaymentID = "our-2" })}, told: paid, err: payment.ErrParam},
		{rule: "refund on the last day", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.At = refundBy })}, told: paid, do: "Credit refund/2025/r1 HKD 8.96"},
		{rule: "refund a second after it", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.At = refundBy.Add(time.Second) })}, told: paid, err: payment.ErrRefundWindow},
		{rule: "that window is a policy, too", events: events{opened, confirmed, debited, with(part, func(e *payment.Refunded) { e.At, e.IgnoreWindow = refundBy.Add(time.Second), true })}, told: paid, do: "Credit refund/2025/r1 HKD 8.96"},
		{rule: "refund of an order never seen", events: events{part}, told: none, err: payment.ErrUnknownOrder},
		{rule: "refund of an open order", events: events{opened, part}, told: open, err: payment.ErrNotPaid},
		{rule: "refund while paying: U, ask again", events: events{opened, confirmed, part}, told: paying, err: payment.ErrPending},
		{rule: "refund of a failed payment", events: events{opened, confirmed, refused, part}, told: rejected, err: payment.ErrNotPaid},
		{rule: "refund after the cancellation: blocked", events: events{opened, confirmed, debited, cancelled, part}, told: closing, err: payment.ErrClosed},
		{rule: "a refund from before the cancellation, again: nothing", events: events{opened, confirmed, debited, part, cancelled, part}, told: closing},
		{rule: "a credit that was never ordered: no", events: events{opened, confirmed, debited, credited("refund/2025/r9")}, told: paid, err: payment.ErrEvent},
	} {
		t.Run(c.rule, func(t *testing.T) {
			before, after, do, err := c.events.run(t)
			if got := told(after); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
			if got := names(do); got != c.do {
				t.Errorf("do %q, want %q", got, c.do)
			}
			if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if changed := !cmp.Equal(before, after); changed != (after.Version == before.Version+1) || !changed && after.Version != before.Version {
				t.Errorf("version %d became %d, changed: %v", before.Version, after.Version, changed)
			}
		})
	}
}
