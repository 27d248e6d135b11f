// Package accept accepts or refuses a wallet's whole backend, from outside and
// through HTTP alone, so that the backend may be written in any language. A
// wallet passes the certification of Alipay+ once; its own CI runs this suite
// every day.
//
// The suite plays Alipay+, the merchant, the wallet's app and its users. Each
// check has a number that never changes, says what a user or a merchant would
// lose, and where the documents have the rule. After each check the books are
// compared: the users' balances, Alipay+'s orders, the notifications and what
// the wallet answers to inquiries.
//
// # What a wallet offers
//
// accept.json says where the wallet is, which keys both sides have, who the
// test users are and which [Capability] there is. In its test environment the
// wallet serves a few calls of JSON over HTTP, most of which its app uses
// anyway: see CONTRACT.md, beside this package. [Driver] serves the rest for a
// wallet in Go.
//
//	go run github.com/alipayplus-mpp/alipayplus-go/examples/accept -new .
//	go run github.com/alipayplus-mpp/alipayplus-go/examples/accept accept.json
//
// # In Go
//
//	suite, err := accept.New(cfg)      // cfg from accept.Load
//	go http.Serve(listener, suite.Alipay())
//	report, err := suite.Run(ctx)      // err: the configuration does not fit the wallet
//	report.WriteText(os.Stdout)
//	err = report.Err()                 // the verdict
//
// [RunInMemory] runs a wallet of this process, without a socket and, in a
// testing/synctest bubble, without waiting. mpmtest.TestBackend and
// easypaytest.TestBackend are tests on top of it.
//
// # Runs
//
// The ids of a run have a [Config] Prefix and balances are compared as
// differences, so that the suite runs on a used database. Orders expire by a
// short paymentExpiryTime, not by a clock. The checks run one after the other,
// and nobody else may move the test users' money meanwhile.
//
// The package shares no code with the SDK: it has its own signatures and its
// own JSON, because a mistake on both sides would cancel out.
package accept
