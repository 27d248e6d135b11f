// Package payment holds what all Alipay+ products share: the objects of the
// messages, the APIs pay, notifyPayment, inquiryPayment, cancelPayment and
// refund, the states of a payment, the arithmetic of its amounts, and
// [Service], the host of a wallet's payments.
//
// # The APIs
//
// Alipay+ calls [Pay], which package easypay answers, and [InquiryPayment],
// [CancelPayment] and [Refund], which [Service.Routes] answer. The wallet calls
// [NotifyPayment]: Service puts the message into the outbox, and
// [alipayplus.Relay] delivers it.
//
// Optional objects are plain values: absent, null, "" and {} are one thing, the
// zero value, and nothing is nil. Members that this version does not know are
// in the raw body ([alipayplus.RequestInfo], [alipayplus.WithInfo]). Field
// comments give the maximal length in characters (≤ 64) and what the documents
// call REQUIRED.
//
// # Service
//
// [Service] is the host of a wallet's payments: it loads the record, applies
// the rules, moves the money, puts the notification into the outbox and stores
// the record, in one transaction. Nobody else carries that out.
//
// You write
//
//   - the money: a [Ledger] in the same database, or a [RemoteLedger];
//   - what you like of ServiceConfig: Check (risk, limits, PIN), OnChange
//     (purchase history, tokens), AfterCommit (push messages), Client (where a
//     paymentNotifyUrl may point to, besides alipayplus.com).
//
// You get
//
//   - [Service.Open] and [Service.Confirm] for the cashier page (packages mpm and
//     easypay call them), [Service.On] for every other event, [Service.Find];
//   - [Service.Routes] for inquiryPayment, cancelPayment and refund;
//   - notifyPayment, put into the outbox with the change that makes it true.
//
// The payments are kept by [Records]: in a SQL database by package sqlstore, in
// memory by [NewMemoryRecords]. The example of Service shows a payment from its
// beginning to its refund. Package paymenttest tests a ledger of your own.
//
// # What must run
//
// Two loops must run as long as the wallet does, in at least one process, and
// in any number of them:
//
//   - [Service.Run] closes payments that expire, and resumes what a crash or a
//     silent RemoteLedger left open. It looks every second. Without it nothing
//     is lost, but payments stay open and debits undecided.
//   - [alipayplus.Relay.Run] delivers the outbox, at once after a commit. Without
//     it Alipay+ learns results from its inquiries only, and the merchant waits.
//
// # What can go wrong
//
// An error of On, Open or Confirm does not mean that nothing happened: the
// answer to a commit can be lost. Call again with the same arguments, or Find
// the record. Only a refusal ([alipayplus.RefusalOf]) decides: the errors of
// this package that name a result code, and what Check refuses at open. The
// functions of Routes answer F for a refusal and U for every other error, and
// Alipay+ asks again. A refusal of a debit is no error: it is recorded, and
// Record.State and Record.Code say so.
//
// What may run again, and so must be harmless when it does:
//
//   - Ledger: after a rollback of its transaction, with the same Key.
//   - RemoteLedger: with the same Key, in parallel, late, and after a crash. It
//     is asked again after 10, 20, 40 seconds and so on, at most 10 minutes,
//     until the end is known; until then the payment is paying, or its
//     cancellation or refund is answered U.
//   - Check: for the same payment, at every stage.
//   - OnChange: after a rollback. What it does in the transaction happens once.
//
// AfterCommit is called at most once. A panic of one of these functions is an
// error, with an alarm.
//
// An alarm is a line of level ERROR on ServiceConfig.Logger, for a human: a
// panic, a payment that cannot be opened as Alipay+ asks for it, OnChange that
// fails after money moved, a database that fails in Run, refunds that are cut.
// The Relay raises those about dead letters.
//
// # How long rows live
//
// A payment can be refunded for 366 days: keep it 400 days (Purge of package
// sqlstore does). A message loses its body when Alipay+ acknowledges it, and
// its row stays 30 days, so that nothing puts it again. Keep the Keys of a
// ledger's entries as long as the payment. A pay that somebody recorded and sends
// again when its payment was deleted opens one that has expired already.
//
// # One payment, one Record
//
// A [Record] is everything that is remembered of one payment. All rules are in
// one pure function, without clock and storage:
//
//	next, do, err := record.On(event)
//
// An [Event] says what happened (Confirmed, Debited, Cancelled …), an [Effect]
// what to do (Debit, Credit, Notify …); the end of a Debit or a Credit is the
// next event. What Alipay+ is told ([Record.PayAnswer], [Record.InquiryAnswer],
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
// # Money
//
// The user is debited [Amounts.Debit]: surchargeAmount if there is one, else
// payToAmount. Alipay+'s numbers are authoritative; only what cannot be debited
// is refused ([Amounts.Validate]). [CheckAmounts] reports sums that do not
// follow from the quotes, and [Calculation] computes them as Alipay+ does. The
// user never gets back more than was debited: what rounding makes of the parts
// of a refund is cut, and RefundEntry.Cut says so.
package payment
