// Package mpm is merchant-presented mode: a user scans a merchant's code with
// the wallet's app, and the wallet's backend tells the app what to do next.
//
//	flow, err := mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier, Filter: filter})
//	…
//	step, err := flow.Scan(ctx, alipayplus.Conceal(scanned), customerID)
//	if err != nil {
//		return err // an empty code or customer
//	}
//	if cashier, ok := step.(mpm.Cashier); ok {
//		// open the payment before the app shows the cashier page
//		cashier.Terms.PaymentID = newPaymentID()
//		record, refused, err := happened(payment.Opened{Terms: cashier.Terms, At: time.Now()})
//		switch {
//		case err != nil:
//			return err
//		case refused != nil: // the payment is somebody else's: raise an alarm
//			code := alipayplus.CodeRepeatReqInconsistent
//			step = mpm.Failed{Code: code, Message: mpm.MessageOf(code), Origin: cashier.Origin}
//		case record.State != payment.StateOpen: // a code that was scanned before
//			return answer(mpm.Outcome{Record: record, Origin: cashier.Origin})
//		}
//	}
//	return answer(step) // its JSON: what the app does next
//
// Everything that can happen is one Step of a closed set; see Step. In
// particular a lost answer is Pending, never Failed, and an ActionForm is obeyed
// whether the decoding succeeded or failed.
//
// After that the payment is in the hands of package payment: it is the same for
// all products, and the example of its Record.On is the function happened. Store
// the Origin beside the record. Outcome tells the app how the payment stands.
//
// # Which function does which step
//
// The numbered steps of the Alipay+ documents: the guide "Make a payment" with an
// order code (A) and an entry code (B), and the upgrade guide for payments in the
// Chinese mainland with an entry code (C) and an order code (D).
//
//	A      B      C      D
//	1-4    1-4                  the app renders the Scan page with getAcceptanceMarkLogos of the client SDK
//	              1      1-3    the merchant shows a code
//	5      5      2      4      the user scans it
//	6      6      3      5      the app sends it to the backend: Flow.Scan
//	7-8    7-8    4      6      codeid.Filter and codeid.Identifier, called by Scan
//	       9      5             step Launch goes to the app
//	       10     6             the app calls launch of the client SDK
//	       11-18  7-14          merchant, Alipay+ and the client SDK make an order code and intercept it
//	       19     15            the client SDK calls the app's decode
//	       20     16            the app sends the code to the backend: Flow.Decode
//	9      21     17     7      UserInitiatedPay, called by Scan or Decode
//	10-11  22-23  18-23  8-13   Alipay+ answers; Scan or Decode judges actionForm
//	12-13  24-25  27     14,18  payment.Opened is recorded; step Cashier goes to the app
//	14-16  26-30  24-26  14-17  step SDKAction goes to the app: handleAction, or onSuccess of the decode callback
//	17     29     27     18     the user confirms: payment.Confirmed, the debit, payment.Debited
//	18-19  30-31  27     18     payment.Notify: Client.Deliver sends the Message
//	20     32                   Alipay+ tells the merchant
//	21-22  33-35  28-29  19-20  Outcome goes to the app: result page, and the decode callback for an entry code
//	23-24  36-37                Outcome's redirect: paymentRedirectUrl in a WebView, or the wallet's home page
//
// The text of B gives 29 and 30 twice.
//
// For merchants in the Chinese mainland the client SDK also asks for an
// authorization code between launch and the order (getAuthCode, then applyToken;
// steps 10-28 of the appendix): that is package auth. What has to be arranged
// outside of a backend's code is in DEPLOYMENT.md beside this package.
//
// Package mpmtest plays all other parties, the app among them, in a wallet's
// tests.
package mpm
