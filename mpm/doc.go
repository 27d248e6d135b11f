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
//		record, err = open(ctx, payment.Opened{Terms: cashier.Terms, At: time.Now()})
//	}
//	return json.NewEncoder(w).Encode(step) // what the app does next
//
// Everything that can happen is one Step of a closed set; see Step. In
// particular a lost answer is Pending, never Failed, and an ActionForm is obeyed
// whether the decoding succeeded or failed.
//
// After that the payment is in the hands of package payment: it is the same for
// all products. Outcome tells the app how it ended.
//
// # Which function does which step
//
// The numbered steps of the Alipay+ guide "Make a payment", order code (left)
// and entry code (right):
//
//	 1-4   1-4   the app renders the Scan page with getAcceptanceMarkLogos of the client SDK
//	 5     5     the user scans the code
//	 6-8   6-8   Flow.Scan: codeid.Filter and codeid.Identifier
//	       9     step Launch goes to the app
//	       10-19 the app calls launch; merchant, Alipay+ and the client SDK make an order code
//	       20    Flow.Decode gets it
//	 9     21    UserInitiatedPay, called by Scan or Decode
//	 10-11 22-23 Alipay+ answers; Scan or Decode judges actionForm
//	 12-13 24-25 step Cashier goes to the app; payment.Opened is recorded
//	 14-16 26-30 step SDKAction goes to the app: handleAction, or onSuccess of the decode callback
//	 17    29    payment.Confirmed, the debit, payment.Debited
//	 18-19 30-31 payment.Notify: Client.Deliver sends the Message
//	 20    32    Alipay+ tells the merchant
//	 21-22 33-35 Outcome goes to the app: result page, and the decode callback for an entry code
//	 23-24 36-37 Outcome's redirect: paymentRedirectUrl in a WebView, or the wallet's home page
//
// For merchants in the Chinese mainland the client SDK also asks for an
// authorization code between launch and the order (getAuthCode, then applyToken):
// that is package auth. What has to be arranged outside of a backend's code is in
// DEPLOYMENT.md beside this package.
package mpm
