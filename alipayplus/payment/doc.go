// Package payment holds what all Alipay+ products share: the objects of the
// messages, the APIs pay, notifyPayment, inquiryPayment, cancelPayment and
// refund, the states of a payment, and the arithmetic of its amounts.
//
// # The APIs
//
// Alipay+ calls Pay, InquiryPayment, CancelPayment and Refund; mount them with
// their Handle method. The wallet calls NotifyPayment. Optional objects are
// plain values: absent, null, "" and {} are one thing, the zero value, and
// nothing is nil. Members that this version does not know are in the raw body
// (alipayplus.RequestInfo, alipayplus.WithInfo). Field comments give the
// maximal length in characters (≤ 64) and what the documents call REQUIRED.
//
// # One payment, one Record
//
// A [Record] is everything that is remembered of one payment: data, which the
// host stores in its own database, in the transaction of its ledger. All rules
// are in one pure function:
//
//	next, do, err := record.On(event)
//
// It has no clock and no storage. An [Event] says what happened (Confirmed,
// Debited, Cancelled …), an [Effect] says what to do (Debit, Credit, Notify …),
// and the host reports the end of a Debit or a Credit as the next event. What
// Alipay+ is told ([Record.PayAnswer], [Record.InquiryAnswer],
// [Record.Notification], [Record.CancelAnswer], [Record.RefundAnswer]) and how
// the user of Easy Pay is sent back ([Record.Verified]) is derived from the
// Record alone, so that two answers cannot contradict each other.
//
//	state       event                        next       what is done
//	(unseen)    Opened                       open       or verifying, for an Easy Pay creation
//	(unseen)    Opened, expired at SentAt    closed     Notify F
//	(unseen)    Cancelled                    closed     a payment that comes later stays closed
//	open        Confirmed                    paying     Debit
//	open        Confirmed, too late          closed     Notify F
//	verifying   VerificationTried            verifying  the try is counted; ErrTries after the last one
//	verifying   Verified                     paying     Debit
//	verifying   VerificationFailed           verifying
//	verifying   … of all tries, or GaveUp    failed     Notify F
//	verifying   OTPResent                    verifying  counted; ErrResends after the last one
//	verifying   any of these, too late       closed     Notify F
//	both        Expired                      closed     Notify F
//	both        Cancelled                    closed
//	paying      Debited                      paid       Notify S
//	paying      Refused with Retry           open       only for a scanned code, MaxAttempts times
//	paying      Refused                      failed     Notify F
//	paying      Expired                      paying     the debit may still land
//	paying      Cancelled                    closed     Void
//	paying      Refunded                     paying     ErrPending: not known yet
//	paid        Refunded                     paid       Credit
//	paid        Cancelled in its window      closed     Credit what is left, Withdraw
//	any other   Debited                      the same   Credit: it came too late
//
// A transition is never an error: look at next.State. Every event may come
// twice or too late: then nothing changes, which is no error either. (But each
// VerificationTried and each OTPResent counts.) What is wrong is an error: an
// order that was never seen, another customer, another amount, a refund over
// the payment, an event that cannot be.
//
// Failed and closed are final. What a cancelled payment took from the user is
// given back: what is left of a paid one at once, a debit that lands late when
// it lands. Until that is done CancelAnswer is U and the inquiry's answer is
// PAYMENT_IN_PROCESS; then they are S and ORDER_IS_CLOSED.
//
// A Record stays small: it has at most [MaxAttempts] debits, [MaxRefunds]
// refunds and Verification.Tries tries.
//
// # What the host stores, and when
//
// Four tables of one database: payments (the JSON of the Record by
// paymentRequestId, and its Version), the ledger (with a unique constraint on
// the Key of every Debit and Credit), the outbox (every Notify, unique by
// operation and key), and the alipayplus.IdempotencyStore of the handler. For
// each event, in one transaction:
//
//  1. Load the record; a payment that is not there is
//     Record{Terms: Terms{PaymentRequestID: id}}. Lock it, or store it below only
//     if its version is still the one that was loaded.
//  2. Call On.
//  3. Book each Debit and Credit and report its end by another On. Put each
//     Notify into the outbox, take each Withdraw from it.
//  4. Store the last record if its version changed.
//
// A ledger that is another service is called after the commit, and its answer
// comes in a transaction of its own. If the process dies in between, Record.Due
// lists what is to be done; the keys make doing it twice harmless. The example
// of Record.On is a complete host.
//
// Then each message of the outbox is sent with alipayplus.Client.Deliver until
// it is acknowledged, at the times of alipayplus.Schedule. The acknowledgement
// never changes a payment.
//
// # Money
//
// The user is debited [Amounts.Debit]: surchargeAmount if there is one, else
// payToAmount. Alipay+'s numbers are authoritative; only what cannot be debited
// is refused ([Amounts.Validate]). [CheckAmounts] reports sums that do not
// follow from the quotes, and [Calculation] computes them as Alipay+ does. The
// user never gets back more than was debited: what rounding makes of the parts
// of a refund is cut, and RefundEntry.Cut says so.
package payment
