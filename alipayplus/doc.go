// Package alipayplus is the engine of an SDK for Alipay+ Mobile Payment
// Providers (MPPs): wallets whose users scan a merchant's code abroad and pay
// at home. It signs, sends, verifies and decodes what passes between a wallet's
// backend and Alipay+, in both directions, and says what is known when
// something goes wrong.
//
// It is a library for an existing backend. It has no service of its own, no
// global state and no environment variable, and it starts no goroutine that
// outlives the call that started it (unless a signer, a store or a transport of
// the host ignores its context).
//
// # The packages
//
//   - payment: what all products share, from the order to notifyPayment,
//     inquiryPayment, cancelPayment and refund; payment states; money; and the
//     Service that hosts a wallet's payments.
//   - sqlstore: payments, outbox and idempotency on PostgreSQL, MySQL, MariaDB
//     or SQLite.
//   - codeid: whether a scanned code belongs to Alipay+, and how it is
//     processed.
//   - mpm: merchant-presented mode, from the scan to the next step of the app.
//   - easypay: Easy Pay, with evaluation, creation and one-click payments.
//   - auth: authorization codes and tokens.
//   - alipayplustest: Alipay+ in memory, for tests without network and sleep.
//
// # Calling Alipay+
//
// An API is declared once, as a value. An [Outbound] one is called with a
// [Client]:
//
//	credentials, err := alipayplus.ParseCredentials(id, "1", privateKey, alipayKey)
//	…
//	client, err := alipayplus.NewClient(alipayplus.ClientConfig{
//		Credentials: credentials, BaseURL: "https://open-sea-global.alipayplus.com",
//	})
//	…
//	request := &mpm.UserInitiatedPayRequest{
//		CodeValue: alipayplus.Conceal(scanned), CustomerID: customer,
//	}
//	order, err := mpm.UserInitiatedPay.Call(ctx, client, request)
//
// A call returns an answer or an error, never both. A nil error is a verified
// answer with status S. Everything else is an [*Error], and [OutcomeOf] says
// whether Alipay+ processed the request:
//
//	switch alipayplus.OutcomeOf(err) {
//	case alipayplus.OutcomeSucceeded: // err is nil
//	case alipayplus.OutcomeFailed:    // a verified F
//	case alipayplus.OutcomeNotSent:   // proved that nothing left this machine
//	case alipayplus.OutcomeUnknown:   // ask again with the same request
//	}
//
// Unknown is never "failed": the money may have moved. errors.Is(err,
// alipayplus.CodeOrderIsClosed) asks for a result code.
//
// [Outbound.AnswerIn] returns what a verified F or U says besides its code.
// What an answer claims that does not verify is in Error.Claimed, for a
// diagnosis; it decides nothing.
//
// # What an answer means
//
// Only a verified answer decides. The first row that fits:
//
//	    observed                                             outcome    again?
//	1   dial or TLS failure in every attempt so far, and     not sent   yes (a)
//	    no transport read a byte of the body
//	2   the context is done                                  unknown(b) no
//	3   verified, S                                          succeeded  no
//	4   verified, F                                          failed     no
//	5   verified, any other status or none; stale            unknown    yes
//	5b  verified, but the JSON breaks the rules or does      unknown    no (c)
//	    not fit the type
//	6   bad signature, another client id, or one of          unknown    yes (d)
//	    Signature and Response-Time alone
//	7   unsigned, claims S                                   unknown    yes (d)
//	8   unsigned 3xx, which is never followed; 101; larger   unknown    no
//	    than 4 MiB
//	9   unsigned 5xx, 408, 421, 425, 429; empty; truncated;  unknown    yes
//	    connection lost
//	10  unsigned, claims U                                   unknown    yes
//	11  unsigned, claims F                                   unknown    no
//	12  anything else                                        unknown    no
//
// (a) not if a certificate does not verify; (b) not sent if row 1 holds; (c) an
// alarm in the log; (d) a security event in the log.
//
// "Again" sends the same bytes with a fresh time and signature. It happens only
// where repeating is safe (for an API with an idempotency key or one that only
// reads, and for every API while row 1 holds) and if the [RetryPolicy] and the
// [Budget] agree. [Backoff] is the default policy.
//
// # Delivering messages
//
// What must reach Alipay+ even if this process dies is a [Message]:
// [Outbound.Prepare] checks and encodes a request once, and [Client.Deliver]
// sends those bytes as often as it takes. Messages wait in an outbox:
//
//   - An [Outbox] takes a message in the transaction that makes it true.
//   - A [Queue] is its other side. It leases messages that are due, in their
//     order within a group, and keeps those that are given up as dead letters.
//   - A [Relay] works through a queue: one attempt for each lease, then again
//     by the [Schedule], until a verified S acknowledges the message. Any
//     number of processes may run one.
//   - A [Sealer] encrypts the bodies that hold tokens before they are put, and
//     opens them in the relay.
//
// [Memory] is an outbox and its queue in one, for tests and demonstrations;
// package sqlstore has both on a database. One outbox serves all APIs and all
// products.
//
//	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{
//		Client: client, Queue: queue, Sealer: sealer,
//	})
//	…
//	go relay.Run(ctx)
//
// A message may arrive twice, always with the same bytes, which Alipay+ takes
// for one.
//
// # Answering Alipay+
//
// An [Inbound] API is served by a function of the wallet:
//
//	handler, err := alipayplus.NewHandler(
//		alipayplus.HandlerConfig{Credentials: credentials, Idempotency: store},
//		payment.InquiryPayment.Handle("/alipayplus/inquiryPayment", wallet.inquire),
//		payment.Refund.Handle("/alipayplus/refund", wallet.refund),
//	)
//	…
//	err = alipayplus.Serve(ctx, alipayplus.NewServer(":8443", handler))
//
// The function gets a verified and checked request. It returns an answer, a
// refusal (a [ResultCode]), or any other error, which is answered U because
// money may have moved: see [Inbound.Handle]. The [IdempotencyStore] repeats a
// final answer to a repeated request and lets one run at a time decide an open
// one; [MemoryIdempotencyStore] is for tests, package sqlstore has one for use.
//
// [NewServer] sets the limits that keep slow and oversized requests away, and
// [Serve] runs it until its context ends and lets the requests that run end.
//
// # Signatures
//
// Both sides sign with RSA and SHA-256 over the method, the target, the client
// id, a time and the body. [Content] is the one place where that happens, and
// nothing reaches a caller or a function that did not verify. There is no
// switch that turns it off. A [Signer] holds the wallet's key, in memory or in
// a KMS or HSM; a [KeyRing] holds those of Alipay+, several while they rotate.
//
// An answer names no request, so that somebody who breaks TLS could exchange
// two answers of the same API. Package payment therefore refuses a decoded
// payment that is already known under another code or customer.
//
// See SIGNATURES.md beside this package when a signature does not verify, and
// PERFORMANCE.md for what costs what.
//
// # Money, time, flags
//
// An [Amount] is a whole number of the smallest unit of its [Currency]. A
// [Time] keeps the text that came in. A [Bool] may be absent. Optional objects
// are values: absent, null and {} are one thing, and nothing is nil.
//
// # Secrets
//
// What must not be seen has a type. A [Secret] is a text (token, code, login
// id, body, URL with session data), a [Personal] is an object (buyer, shipping,
// device). Both print as "[redacted]", and encoding/json, text encoders and SQL
// drivers fail on them: nothing leaks, and nothing is stored redacted by
// accident. Three functions do on purpose what those refuse:
//
//   - [Marshal] writes the JSON of a message or record with its secrets, and
//     [Unmarshal] reads it.
//   - MarshalBinary, of messages and records, writes one for a database.
//   - [Loggable] makes a message or record fit for log/slog: its fields by
//     their names on the wire, without its secrets.
//
// # What is logged
//
// Logger fields take a *slog.Logger; nil means the one that slog.Default
// returned when the value was made, so that no alarm is lost by an omission.
// slog.New(slog.DiscardHandler) is silent. No line holds a body, a secret, a
// URL or a header.
//
//   - ERROR: security events (an answer that claims what it cannot prove),
//     alarms (a verified answer that cannot be used, an answer S that lacks
//     what S requires, a dead letter), a panic, an error of a function, a store
//     or a signer.
//   - WARN: an unknown key version, a stale or odd time, requests that do not
//     verify (one line a second at most, with a count), a message that is not
//     acknowledged yet.
//   - INFO: a function's refusals, with its reasons.
//
// The error that a function or a store returns is logged in the host's own
// words: secrets do not belong there. [Hooks] see every call, attempt and
// request, for metrics and traces.
//
// One leak cannot be closed from here. When a gateway sends bytes that nobody
// asked for, net/http writes a line "Unsolicited response received on idle HTTP
// channel starting with …" to the process's global log, and a late answer shows
// its headers and its body there. A process that keeps secrets out of its logs
// calls log.SetOutput with a writer that drops such lines.
package alipayplus
