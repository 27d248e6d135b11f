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
//	12-13 the user enters a PIN or an OTP: payment.Verified or payment.VerificationFailed
//	14-15 the user goes back to Redirect(url, verified)
//	16-23 inquiryPayment and notifyPayment report the result, both from the record
//	24-26 with isAuthorizationAndPay, once paid: package auth issues a token and
//	      reports it with authNotify
//
// Evaluation and creation have different idempotency keys even if they carry the
// same paymentRequestId, so that an evaluation's S is never repeated as the
// answer of a payment.
package easypay
