// Package easypay is Easy Pay: a payment at an online merchant that the user
// makes with a login id, a verification page of the wallet, and, if they agree,
// with one click from then on.
//
// Alipay+ calls pay for all of it, at one path. Service tells the kinds of calls
// apart and gives each to a function of the wallet that can only return what is
// allowed there:
//
//	service := easypay.Service{
//		Evaluate: w.evaluate, // would the account support the payment? no money moves
//		Create:   w.create,   // make the order and a verification page
//		Pay:      w.pay,      // one-click payment with a token
//		Tokens:   tokens,     // package auth
//	}
//	handler, err := alipayplus.NewHandler(cfg,
//		service.Handle("/alipayplus/pay"),
//		payment.InquiryPayment.Handle("/alipayplus/inquiryPayment", w.inquire),
//		…)
//
// A payment goes like this, in the steps of the Alipay+ guide:
//
//	1-4   pay with isPaymentEvaluation: Evaluate answers S, F or U
//	7-8   pay again: Create makes a payment.Record with a Verification (payment.Opened)
//	9-11  the answer is U PAYMENT_IN_PROCESS with paymentUrl and paymentId; it cannot be S
//	12-13 the user enters a PIN or an OTP: payment.VerificationTried, then
//	      payment.Verified or payment.VerificationFailed
//	14-15 the user goes back to Redirect(url, record.Verified())
//	16-23 inquiryPayment and notifyPayment report the result, both from the record
//	24-26 with isAuthorizationAndPay, once paid: package auth issues a token and
//	      reports it with authNotify
//
// # The verification page
//
// It is the wallet's. Each thing that happens there is an event of the record,
// in one transaction with the ledger (see payment.Record.On):
//
//	record, do, err := record.On(payment.VerificationTried{At: now}) // or OTPResent, GaveUp
//	… // store it: the try is counted before it is compared
//	if err == nil && record.State == payment.StateVerifying {
//		// compare, and report the result of this try
//		record, do, err = record.On(payment.Verified{Try: len(record.Tried), At: now}) // or VerificationFailed
//	}
//
// As soon as the state is not StateVerifying any more, whatever happened, the user
// goes back:
//
//	url, err := easypay.Redirect(record.RedirectURL, record.Verified())
//
// # Consent
//
// With Creation.Consent the record keeps AuthorizationInfo. When it becomes
// StatePaid, a token is due, in the transaction of the debit:
//
//	if info := record.AuthorizationInfo; record.Consented {
//		token, err := tokens.NewToken(auth.Grant{
//			CustomerID:           record.CustomerID,
//			AuthClientID:         info.AuthClientID,
//			ReferenceAgreementID: info.ReferenceAgreementID,
//		})
//		… // insert token, unless its ID is there
//	}
//
// Package auth tells other ways, and reports the token. A payment that is not
// paid gets none.
//
// # Repetitions
//
// The handler's Store repeats an answer that it kept. If it lost one, or the
// process died, the function runs again: so Create and Pay find the payment by
// paymentRequestId and answer with VerificationOf and PaidOf its record. Then a
// repeated creation gets the same page and paymentId, and nobody is debited
// twice, whatever the Store forgot.
//
// Evaluation and creation have different idempotency keys even if they carry the
// same paymentRequestId, so that an evaluation's S is never repeated as the
// answer of a payment.
package easypay
