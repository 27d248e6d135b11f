// Package easypay is Easy Pay: a payment at an online merchant that the user
// makes with a login id, a verification page of the wallet, and, if they agree,
// with one click from then on.
//
// # What you write
//
// Three things: a function Account that finds your customers, the verification
// page, and what compares the PIN or sends the OTP. [Service] does the rest on
// a [payment.Service], which moves the money:
//
//	payments, err := payment.NewService(payment.ServiceConfig{
//		Client:   client, // the Relay's
//		Records:  store.Payments(),
//		Ledger:   store.Ledger(bank{}),
//		Check:    w.check,       // limits, risk: for an evaluation, a creation and before the debit
//		OnChange: tokens.OnPaid, // package auth: the token of an agreement
//	})
//	service, err := easypay.NewService(easypay.Config{
//		Payments: payments,
//		Tokens:   tokens, // package auth
//		Sealer:   sealer,
//		PageURL:  "https://wallet.example/verify/",
//		Account:  w.account,
//	})
//	handler, err := alipayplus.NewHandler(cfg,
//		slices.Concat(service.Routes("/alipayplus/"), payments.Routes("/alipayplus/"))...)
//
// # A payment
//
// In the steps of the Alipay+ guide:
//
//	1-4   pay with isPaymentEvaluation: Account, Check; S, F or U
//	7-8   pay again: Account, Check; the payment is opened
//	9-11  the answer is U PAYMENT_IN_PROCESS with paymentUrl and paymentId, or F
//	12-13 the user opens the page and enters a PIN or an OTP; a right one is debited
//	14-15 the user goes to Page.Redirect
//	16-23 inquiryPayment and notifyPayment report the result
//	24-26 with isAuthorizationAndPay, once paid: OnChange issues a token, and its
//	      message authNotify waits in the outbox
//
// From then on the merchant pays with the token: pay, Check, debit, S. The
// comment of [Service] tells how the kinds of pay are told apart.
//
// # The verification page
//
// Its URL is PageURL with a link at its end. The link is sealed, because the
// merchant's systems know the payment's id; it is a secret of the user. So
// serve the page with "Referrer-Policy: no-referrer" and "Cache-Control:
// no-store", take it out of the logs of your web servers, and never load
// scripts of others.
//
// Four methods serve the page, and each says what it shows next, a [Page]:
//
//	page, err := service.Page(ctx, link)                // GET
//	page, err = service.Verify(ctx, link, w.compare)    // a PIN or an OTP was entered
//	page, err = service.Resend(ctx, link, w.sendOTP)    // the user wants another OTP
//	page, err = service.GiveUp(ctx, link)               // the user leaves for good
//	switch {
//	case errors.Is(err, easypay.ErrLink):
//		http.NotFound(rw, r)
//	case err != nil:
//		http.Error(rw, "Please try again.", http.StatusServiceUnavailable)
//	case !page.Redirect.IsZero():
//		http.Redirect(rw, r, page.Redirect.Reveal(), http.StatusSeeOther)
//	default: // render page.Record, page.TriesLeft, page.ResendsLeft
//	}
//
// Send the first OTP when you like, for example when the page is opened for the
// first time. Verify and Resend count before they call your function, so that
// parallel guesses gain nothing, and refuse to work in a transaction of yours,
// which could take the count back. TriesLeft 0 without Redirect means that the
// last PIN is still compared, or that the process died while it was: the user
// may leave, or the payment expires.
//
// Redirect says status=success as soon as the right PIN was entered, whatever
// became of the payment then, and else status=fail. A user who comes back later
// is sent on in the same way.
//
// # What can go wrong
//
// An error decides nothing. If the database, Account or Tokens fail, pay is
// answered U and comes again; an error of the page's methods may come although
// the event is recorded: show Page again. Account, Check and Tokens may be
// asked again for the same payment, the debit is made once.
//
// An order whose paymentNotifyUrl the Client of payment.ServiceConfig does not
// allow is refused with PARAM_ILLEGAL and an alarm that names the host. A
// one-click payment that the ledger refuses has failed for good, also if the
// refusal is payment.Retryable: no user is there to try again.
//
// # What must run
//
// Besides the handler, in at least one process and in any number of them:
// [payment.Service.Run], which looks every second for payments that expire;
// [alipayplus.Relay.Run], which delivers notifyPayment and authNotify (its
// RelayConfig gets the Sealer, too); and with tokens [auth.Service.Run].
//
// # How long rows live
//
// This package stores nothing: packages payment and auth say how long payments
// and tokens are kept. A link works as long as its payment is kept and the
// Sealer has the key that sealed it.
//
// # What may run again
//
// Alipay+ repeats what was not answered. The handler's IdempotencyStore repeats
// an answer that it kept; if it lost one, or the process died, the answer is
// made from the payment's record, always the same one. A repeated creation gets
// the same page and paymentId. A payment that is known and comes again with
// other amounts, another customer or as another kind is
// REPEAT_REQ_INCONSISTENT, with an alarm.
//
// Evaluation and creation have different idempotency keys even if they carry
// the same paymentRequestId, so that an evaluation's S is never repeated as the
// answer of a payment.
package easypay
