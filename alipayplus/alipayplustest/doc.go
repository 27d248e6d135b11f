// Package alipayplustest plays Alipay+ in a test or a demonstration: in memory
// as an http.RoundTripper, without a socket and so fit for testing/synctest, or
// over HTTP as an http.Handler.
//
// # A wallet that calls Alipay+
//
// A [Gateway] answers what [Answer] scripts. A complete test of a wallet that
// decodes a code:
//
//	func TestDecode(t *testing.T) {
//		g := alipayplustest.New(t)
//		alipayplustest.Answer(g, mpm.UserInitiatedPay,
//			func(ctx context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
//				return &mpm.UserInitiatedPayResponse{PaymentRequestID: "P1"}, nil
//			})
//		client, err := alipayplus.NewClient(g.Config())
//		if err != nil {
//			t.Fatal(err)
//		}
//		g.Fail(mpm.UserInitiatedPay, alipayplustest.LoseAnswer(), alipayplustest.Unknown(alipayplus.CodeUnknownException))
//		answer, err := mpm.UserInitiatedPay.Call(t.Context(), client, &mpm.UserInitiatedPayRequest{
//			CodeValue: alipayplus.Conceal("281666040000000001"), CustomerID: "C1"})
//		// answer is the one of the third attempt; the order was decoded once.
//	}
//
// [Gateway.Fail] queues a [Fault] for each of the next calls, and
// [Gateway.Misbehave] lets chance decide about all of them. [Gateway.Calls]
// lists what arrived.
//
// The Gateway is as strict as the documents: it verifies the signature of every
// request, demands that scalars are strings and that nothing is empty, answers
// a repeated request as it answered the first, and refuses one that reuses an
// id for something else. What the SDK under test does wrong becomes an error of
// the test. Everything that the Gateway sends is signed, unless a fault says
// otherwise.
//
// # Alipay+ calls a wallet
//
// [Send] signs a request, sends it to the wallet's handler and verifies the
// answer; with [Remote] it does so over HTTP.
//
// # Clients, servers, keys and stores of your own
//
// What a wallet builds of its own is tested by suites: [TestClient],
// [TestHandler] and [TestSigner] for clients, servers and keys,
// [TestIdempotencyStore], [TestOutbox] and [TestQueue] for what it stores. Each
// names the rule that is broken. [TestBackend] runs the acceptance suite of
// package accept on a whole backend.
package alipayplustest
