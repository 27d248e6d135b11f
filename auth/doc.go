// Package auth is the authorization server of a wallet towards Alipay+:
// authorization codes, access tokens and refresh tokens, what Alipay+ asks
// about them (applyToken, cancelToken) and what it is told (authNotify,
// consultUnbinding).
//
// # What you write
//
//	stores, err := authsql.Open(ctx, store)
//	tokens, err := auth.NewService(auth.Config{
//		Stores: stores, Outbox: store.Outbox(), // of one database
//		Sealer: sealer, RoutingNumber: "666", // assigned by Alipay+
//		KeepAccessTokens: true, // users may end an authorization in the wallet
//	})
//	payments, err := payment.NewService(payment.ServiceConfig{…, OnChange: tokens.OnPaid})
//	handler, err := alipayplus.NewHandler(cfg, slices.Concat(payments.Routes("/alipayplus/"), tokens.Routes("/alipayplus/"))...)
//	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{…, Queue: store.Outbox(), Sealer: sealer})
//
// [Service.Run], which looks about every 20 seconds, and [alipayplus.Relay.Run]
// must run, each in at least one process and in any number of them. In memory,
// [NewMemoryStores] keeps codes and tokens.
//
// # What you get
//
// [Service.Routes] answer applyToken and cancelToken. [Service.OnPaid] issues
// the token of an agreement in the transaction of its payment, [Service.Check]
// says who pays with a token, [Service.IssueCode] answers getAuthCode of the
// client SDK, [Service.Unbind] and [Service.Cancel] end an authorization.
//
// # Payments in the Chinese mainland
//
// The merchant needs the user's id. The Alipay+ client SDK calls getAuthCode in
// the wallet's app, the app asks the wallet's backend, and that answers with
//
//	code, err := tokens.IssueCode(ctx, auth.Grant{
//		CustomerID:   session.CustomerID, // who is logged in
//		AuthClientID: request.AuthClientID,
//		Scopes:       consented, // what the user allowed
//	}, request.Scopes)
//
// whose JSON is for the client SDK. Alipay+ then sends the code to applyToken.
// A code is 32 characters: 281, the routing number, 13 and 24 random ones. It
// is valid for 10 minutes and redeemed once. Alipay+ repeats an applyToken that
// timed out, so for five minutes the same request gets the same answer; any
// other request for a spent code is refused.
//
// # One-click payments
//
// A user who pays may agree to pay this merchant without being asked again:
// isAuthorizationAndPay is "true", and authorizationInfo names the agreement.
// When the payment becomes paid and the user consented (Consent of
// payment.Confirmation, or the verification of Easy Pay), OnPaid makes the
// token of this agreement, once, and puts TOKEN_CREATED into the outbox.
// [GrantOf] returns what the token allows. Later a payment comes with the token
// as its paymentMethodId, and
//
//	grant, err := tokens.Check(ctx, token, auth.ScopeAgreementPay)
//
// says who pays, or why not. If the payment names a customerId, it must be
// grant.CustomerID.
//
// # What can go wrong
//
// A token and its message change in one transaction, so that neither is there
// without the other. The Relay delivers the message until Alipay+ acknowledges
// it, always the same bytes. Whatever Alipay+ answers, the token stays as it
// is. An F makes the message a dead letter, with an alarm, and so does a Sealer
// without its key: mend the cause and call Requeue of the outbox. Messages of
// one token arrive in their order.
//
// An error of OnPaid comes from the database and passes. It undoes a debit in
// the same database; after a debit elsewhere, which it cannot undo, OnPaid is
// called again. What would fail every time (the agreement belongs to another
// customer, a grant that authNotify cannot carry) is an alarm and no error: the
// user has paid, and there is no token.
//
// With an error of the database, applyToken and cancelToken answer U, and
// Alipay+ asks again. A method that returned an error may be called again.
//
// # How a token ends
//
//   - It expires: see Config.AccessTokenTTL.
//   - Alipay+ refreshes it: applyToken with the refresh token gives a new pair
//     and kills the old one. The same refresh token, again within five minutes,
//     gets the same new pair.
//   - The merchant's side ends it: cancelToken.
//   - The user ends it in the wallet: Unbind asks Alipay+ first. It needs
//     Config.KeepAccessTokens and Grant.ReferenceMerchantID, which GrantOf takes
//     from the order.
//   - The wallet ends it: Cancel.
//
// A cancelled agreement never gets another token. If its TOKEN_CREATED is not
// acknowledged when the token is cancelled or refreshed, it is withdrawn.
//
// # What is stored
//
// Digests. The text of a token exists only sealed, with AES-256-GCM: in the
// answer to a redeemed code and in the answer to a refresh, for five minutes,
// until Run erases it; in a message of the outbox, until it is acknowledged or
// withdrawn; and with Config.KeepAccessTokens the access token, as long as it
// lives. A copy of the database gives no token away. Keep the keys of the
// Sealer as long as something that they sealed is there.
//
// Tokens and codes are of type [alipayplus.Secret]: they print redacted, and
// encoding/json fails on them. [Token] and [Code] are stored with
// MarshalBinary.
//
// # How long rows live
//
// Run deletes a code five minutes after it was redeemed, or a day after it
// expired. The row of a token stays, because it is what makes the token of an
// agreement once. You may delete it some time after Token.End, when no payment
// of its agreement can come any more; cancelToken then answers INVALID_TOKEN.
//
// # Your own database
//
// [Stores] is six methods and a transaction. Package authtest has its contract
// as a test, package authsql implements it on SQL databases.
package auth
