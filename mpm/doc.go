// Package mpm is merchant-presented mode: a user scans a merchant's code with
// the wallet's app, and the wallet's backend tells the app what to do next.
// This is a wallet's whole backend:
//
//	client := must(alipayplus.NewClient(alipayplus.ClientConfig{Credentials: credentials, BaseURL: "https://open-sea-global.alipayplus.com"}))
//	store := must(sqlstore.Open(ctx, db, sqlstore.PostgreSQL))
//	payments := must(payment.NewService(payment.ServiceConfig{Client: client, Records: store.Payments(), Ledger: store.Ledger(bank{}), Check: check}))
//	identifier := must(codeid.Open(ctx, codeid.Config{Client: client, File: "coderules.json"}))
//	flow := must(mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier, Payments: payments}))
//	relay := must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: store.Outbox()}))
//	handler := must(alipayplus.NewHandler(
//		alipayplus.HandlerConfig{Credentials: credentials, Idempotency: store.Idempotency()},
//		payments.Routes("/alipayplus/")...)) // inquiryPayment, cancelPayment, refund
//
//	all.Go(func() error { return alipayplus.Serve(ctx, alipayplus.NewServer(":8443", handler)) })               // for Alipay+
//	all.Go(func() error { return alipayplus.Serve(ctx, alipayplus.NewServer(":8080", flow.Handler(customer))) }) // for the app
//	all.Go(func() error { return relay.Run(ctx) })      // delivers notifyPayment
//	all.Go(func() error { return payments.Run(ctx) })   // expires payments, and resumes after a crash
//	all.Go(func() error { return identifier.Run(ctx) }) // refreshes the code rules
//
// Three functions are the wallet's own: bank moves the money ([payment.Ledger],
// or [payment.RemoteLedger] for a service of its own), check is risk control,
// limits and PIN, customer is the login. Alarms go to slog.Default(), if a
// configuration names no other Logger. The example of this package is the same
// in memory, and runs.
//
// # What comes next
//
// [Flow] has four questions, each a method and a path of [Flow.Handler]:
//
//	Scan        POST /scan           the user scanned a code
//	Decode      POST /decode         the client SDK intercepted a code
//	Confirm     POST /confirm        the user agreed on the cashier page
//	ResultPage  GET  /payments/{id}  what became of the payment?
//
// The answer is a [Step], whose JSON says what the app does; APP.md, beside
// this package, has an example of every request and answer. A backend with a
// transport of its own calls the methods and sends json.Marshal of the steps.
//
//	what happened                                               the step
//	the filter keeps or rejects the code                        Local, Rejected
//	Alipay+ does not take the code                              Unsupported
//	an entry code                                               Launch
//	decoded, Check agrees, the payment is open                  Cashier
//	decoded or refused with an action for the client SDK        SDKAction
//	refused by Alipay+ or by Check; expired when Alipay+ answered;
//	an answer that misses something; somebody else's payment    Failed
//	no verified S or F, no code rules, the database is gone     Pending
//	scanned again, and the payment is not open any more         ResultPage
//
// An ActionForm is obeyed whether the decoding succeeded or failed. Scan and
// Decode open the payment before the app shows its cashier page, under the
// customer, the code and the origin of the code; a payment that is known never
// changes. Confirm debits once, however often it is called. From then on
// package payment is in charge, as in all products: [payment.Service] answers
// Alipay+.
//
// # What can go wrong
//
// A lost answer is Pending, never Failed: the app asks the same question again,
// which is safe at any time. An error of Confirm or ResultPage decides nothing
// unless it is one of the three that their comments name.
//
// An alarm is a line of level ERROR on Config.Logger: an S that misses
// something or whose surcharge cannot be debited, a payment of another customer
// or code, a paymentNotifyUrl that cannot be used, a database that fails.
//
// # What must run
//
// This package stores nothing and runs nothing by itself. Without payments.Run
// nothing expires, and without relay.Run Alipay+ is not told of results: each
// runs in at least one process, and in any number of them. Without
// identifier.Run the code rules grow old: it runs in every process that scans.
// How often they look, how long rows live and what may run again is on the
// pages of packages payment, alipayplus and codeid.
//
// # Which function does which step
//
// The numbered steps of the Alipay+ documents: the guide "Make a payment" with
// an order code (A) and an entry code (B), and the upgrade guide for payments
// in the Chinese mainland with an entry code (C) and an order code (D).
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
//	12-13  24-25  27     14,18  Scan or Decode opens the payment; step Cashier goes to the app
//	14-16  26-30  24-26  14-17  step SDKAction goes to the app: handleAction, or onSuccess of the decode callback
//	17     29     27     18     the user agrees: Flow.Confirm debits
//	18-19  30-31  27     18     alipayplus.Relay delivers notifyPayment
//	20     32                   Alipay+ tells the merchant
//	21-22  33-35  28-29  19-20  ResultPage goes to the app, and names the decode callback for an entry code
//	23-24  36-37                its redirect: paymentRedirectUrl in a WebView, or the wallet's home page
//
// The text of B gives 29 and 30 twice.
//
// For merchants in the Chinese mainland the client SDK also asks for an
// authorization code between launch and the order (getAuthCode, then
// applyToken; steps 10-28 of the appendix): that is package auth. What has to
// be arranged outside of a backend's code is in DEPLOYMENT.md beside this
// package.
//
// Package mpmtest plays all other parties, the app among them, in a wallet's
// tests. [MainlandInStore] and [MainlandEntryCode] are the limits that hold in
// the Chinese mainland.
package mpm
