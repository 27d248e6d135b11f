// Package payment holds what all Alipay+ products share: the objects of the
// messages, the APIs pay, notifyPayment, inquiryPayment, cancelPayment and
// refund, the states of a payment, and the arithmetic of its amounts.
//
// # The APIs
//
// Alipay+ calls Pay, InquiryPayment, CancelPayment and Refund; mount them with
// their Handle method. The wallet calls NotifyPayment. Optional objects are plain
// values: absent, null, "" and {} are one thing, the zero value, and nothing is
// nil. Members that this version does not know are in the raw body
// (alipayplus.RequestInfo, alipayplus.WithInfo). Field comments give the maximal
// length in characters (≤ 64) and what the documents call REQUIRED.
//
// # One payment, one Record
//
// A Record is everything that is remembered of one payment: data, which the host
// stores with MarshalBinary in the transaction of its ledger. All
// rules live in one pure function:
//
//	next, do, err := record.On(event)
//
// It has no clock and no storage. Events say what happened (Confirmed, Debited,
// Cancelled …), effects say what to do (Debit, Credit, Notify …), and the host
// reports the end of a Debit or a Credit as the next event. What Alipay+ is told
// (PayAnswer, InquiryAnswer, Notification, CancelAnswer, RefundAnswer) is derived
// from the Record alone, so that two answers cannot contradict each other.
//
//	state       event                      next       what is done
//	(unseen)    Opened                     open       or verifying, for an Easy Pay creation
//	(unseen)    Cancelled                  closed     a payment that comes later stays closed
//	open        Confirmed                  paying     Debit
//	verifying   Verified                   paying     Debit, Redirect
//	verifying   last try wrong, GaveUp     failed     Notify F, Redirect
//	open        Expired, or too late       closed     Notify F
//	verifying   Expired, or too late       closed     Notify F, Redirect
//	open        Cancelled                  closed
//	verifying   Cancelled                  closed
//	paying      Debited                    paid       Notify S
//	paying      Refused, may try again     open       (not for Easy Pay)
//	paying      Refused                    failed     Notify F
//	paying      Expired                    paying     the debit may still land
//	paying      Cancelled                  closed     Void
//	paid        Refunded                   paid       Credit
//	paid        Cancelled in its window    closed     Credit what is left, Withdraw
//	any other   Debited                    the same   Credit: it came too late
//
// Every event may come twice, and the second one changes nothing (but each wrong
// PIN counts). All others are refused with an error.
//
// Failed and closed are final. What a cancelled payment took from the user is
// given back: what is left of a paid one at once, a debit that lands late when it
// lands. Until that is done CancelAnswer is U and the inquiry's answer is
// PAYMENT_IN_PROCESS; then they are S and ORDER_IS_CLOSED.
//
// # What the host stores, and when
//
// Four tables of one database: payments (each Record by
// paymentRequestId, and its Version), the ledger (with a unique constraint on the
// Key of every Debit and Credit), the outbox (every Notify, unique by operation
// and key), and the alipayplus.Store of the handler. For each event, in one
// transaction:
//
//  1. Load the record; a payment that is not there is
//     Record{Terms: Terms{PaymentRequestID: id}}. Lock it, or store it below only
//     if its version is still the one that was loaded.
//  2. Call On.
//  3. Book each Debit and Credit and report its end by another On. Put each
//     Notify into the outbox, take each Withdraw from it.
//  4. Store the last record if its version changed, also if the error was
//     ErrExpired.
//
// A ledger that is another service is called after the commit, and its answer
// comes in a transaction of its own. If the process dies in between, Record.Due
// lists what is to be done; the keys make doing it twice harmless. The example of
// Record.On is a complete host.
//
// Then each message of the outbox is sent with alipayplus.Client.Deliver until it
// is acknowledged, at the times of alipayplus.Schedule. The acknowledgement never
// changes a payment.
//
// # Money
//
// The user is debited Amounts.Debit: surchargeAmount if there is one, else
// payToAmount. Alipay+'s numbers are authoritative. CheckAmounts reports those
// that do not follow from the quotes, and Calculation computes them as Alipay+
// does.
package payment
