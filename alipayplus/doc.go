// Package alipayplus is the engine of an SDK for Alipay+ Mobile Payment
// Providers (MPPs): wallets whose users scan a merchant's code abroad and pay at
// home. It signs, sends, verifies and decodes what passes between a wallet's
// backend and Alipay+, in both directions, and says what is known when something
// goes wrong.
//
// It is a library for an existing backend: no service of its own, no goroutine
// that outlives the call that started it (unless a signer, a store or a transport
// of the host ignores its context), no global state, no environment variable.
//
// # The packages
//
//   - payment: what all products share, from the order to notifyPayment,
//     inquiryPayment, cancelPayment and refund; payment states; money.
//   - codeid: whether a scanned code belongs to Alipay+, and how.
//   - mpm: merchant-presented mode, from the scan to the next step of the app.
//   - easypay: Easy Pay, with evaluation, creation and one-click payments.
//   - auth: authorization codes and tokens.
//   - alipayplustest: Alipay+ in memory, for tests without network and sleep.
//
// # Calling Alipay+
//
// An API is declared once, as a value. An Outbound one is called with a Client:
//
//	credentials, err := alipayplus.ParseCredentials(id, "1", privateKey, alipayKey)
//	…
//	client, err := alipayplus.NewClient(alipayplus.ClientConfig{
//		Credentials: credentials, BaseURL: "https://open-sea-global.alipayplus.com",
//	})
//	…
//	order, err := mpm.UserInitiatedPay.Call(ctx, client, &mpm.UserInitiatedPayRequest{
//		CodeValue: alipayplus.Conceal(scanned), CustomerID: customer,
//	})
//
// A call returns an answer or an error, never both. A nil error is a verified
// answer with status S. Everything else is an *Error:
//
//	switch alipayplus.OutcomeOf(err) {
//	case alipayplus.OutcomeSucceeded: // err is nil
//	case alipayplus.OutcomeFailed:    // a verified F; errors.Is(err, alipayplus.CodeOrderIsClosed)
//	case alipayplus.OutcomeNotSent:   // proved that nothing left this machine
//	case alipayplus.OutcomeUnknown:   // ask again with the same request; never "failed"
//	}
//
// What must reach Alipay+ even if this process dies is prepared, stored and
// delivered: Outbound.Prepare makes a Message of exact bytes, Client.Deliver
// sends it, Schedule says when to try again.
//
// # What an answer means
//
// Only a verified answer decides. The first row that fits:
//
//	    observed                                                  outcome    again?
//	1   dial or TLS failure in every attempt so far, and nobody   not sent   yes; not if the certificate is refused
//	    read a byte of the body
//	2   the context is done                                       unknown, or not sent if row 1 holds
//	3   verified, S                                               succeeded
//	4   verified, F                                               failed
//	5   verified, any other status or none; stale                 unknown    yes
//	5b  verified, but the JSON breaks the rules                   unknown    no, alarm
//	6   bad signature, other client id, half of the headers       unknown    yes, security event
//	7   unsigned, claims S                                        unknown    yes, security event
//	8   a redirect, 101, or larger than 4 MiB                     unknown    no
//	9   5xx, 408, 421, 425, 429, truncated, empty,                unknown    yes
//	    connection lost
//	10  unsigned, claims U                                        unknown    yes
//	11  unsigned, claims F                                        unknown    no
//	12  anything else                                             unknown    no
//
// "Again" asks the RetryPolicy and the Budget, sends the same bytes with a fresh
// time and signature, and happens only where repeating is safe: for an API with
// an idempotency key or one that only reads, and for all after row 1.
//
// # Answering Alipay+
//
// An Inbound API is served by a function of the wallet:
//
//	handler, err := alipayplus.NewHandler(
//		alipayplus.HandlerConfig{Credentials: credentials, Idempotency: store},
//		payment.InquiryPayment.Handle("/alipayplus/inquiryPayment", wallet.inquire),
//		payment.Refund.Handle("/alipayplus/refund", wallet.refund),
//	)
//	…
//	err = alipayplus.Serve(ctx, alipayplus.NewServer(":8443", handler))
//
// The function gets a verified and checked request and returns an answer, a
// refusal (a ResultCode), or any other error, which answers U: see
// Inbound.Handle. The IdempotencyStore repeats a final answer to a repeated
// request.
//
// # Signatures
//
// Both sides sign with RSA and SHA-256 over the method, the target, the client
// id, a time and the body; Content is the one place where that happens, Verify
// the only way to an answer. There is no switch that turns it off. An answer
// names no request, so that two answers to the same API could be exchanged by
// somebody who breaks TLS; package payment refuses a decoded payment that is
// already known under another code or customer.
//
// See SIGNATURES.md beside this package when a signature does not verify, and
// PERFORMANCE.md for what costs what.
//
// # Money, secrets, time
//
// An [Amount] is a whole number of the smallest unit of its currency. A [Time]
// keeps the text that came in. No error text shows a value of a message, a body,
// a URL or a header.
//
// What must not be seen has a type: a [Secret] is a text (token, code, login id,
// body, URL with session data), a [Personal] an object (buyer, shipping, device).
// Both print as "[redacted]", and encoding/json, text encoders and SQL drivers
// fail on them: nothing leaks, and nothing is stored redacted by accident.
// [Marshal] writes a message with its secrets, MarshalBinary a record for a
// database, and [Loggable] makes a message fit for log/slog.
//
// Logs show, in the host's own words, what a function or a store returned as an
// error. One leak cannot be closed from here: net/http writes a line "Unsolicited
// response received on idle HTTP channel starting with …" to the process's global
// log when a gateway sends bytes that nobody asked for, and a late answer shows
// its headers and its body there. A process that keeps secrets out of its logs
// sets log.SetOutput to a writer that drops such lines.
package alipayplus
