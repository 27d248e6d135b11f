// Package auth is the authorization server of a wallet towards Alipay+:
// authorization codes, access tokens and refresh tokens, what Alipay+ asks about
// them (applyToken, cancelToken) and what it is told (authNotify,
// consultUnbinding).
//
// # Setting up
//
//	sealer, err := auth.NewSealer(key) // 32 random bytes, not from the database
//	service, err := auth.NewService(auth.Config{
//		Tokens: tokens, Codes: codes, // your database; see Stores
//		Sealer: sealer, RoutingNumber: "666", // assigned by Alipay+
//	})
//	handler, err := alipayplus.NewHandler(cfg,
//		auth.ApplyToken.Handle("/alipayplus/applyToken", service.ApplyToken),
//		auth.CancelToken.Handle("/alipayplus/cancelToken", service.CancelToken),
//	)
//	for range time.Tick(5 * time.Second) { // in a goroutine of yours
//		_, err := service.Work(ctx, client)
//	}
//
// # Payments in the Chinese mainland
//
// The merchant needs the user's id. The Alipay+ client SDK calls getAuthCode in
// the wallet's app, the app asks the wallet's backend, and that answers with
//
//	code, err := service.IssueCode(ctx, auth.Grant{
//		CustomerID:   session.CustomerID, // who is logged in
//		AuthClientID: request.AuthClientID,
//		Scopes:       consented, // what the user allowed
//	}, request.Scopes)
//
// whose JSON is for the client SDK. Alipay+ then sends the code to applyToken.
// A code is 32 characters: 281, the routing number, 13 and 24 random ones. It is
// valid for 10 minutes and redeemed once. Alipay+ repeats an applyToken that
// timed out, so for five minutes the same request gets the same answer; any other
// request for a spent code is refused.
//
// # One-click payments
//
// A user who pays may agree to pay this merchant without being asked again:
// isAuthorizationAndPay is "true", and authorizationInfo names the agreement.
// When the payment succeeded,
//
//	token, err := service.Issue(ctx, auth.Grant{
//		CustomerID:           payment.CustomerID,
//		AuthClientID:         info.AuthClientID,
//		ReferenceAgreementID: info.ReferenceAgreementID,
//		ReferenceMerchantID:  order.Merchant.ReferenceMerchantID,
//		AcquirerID:           request.AcquirerID,
//		PSPID:                request.PSPID,
//		UserLoginID:          alipayplus.Conceal("62-857****6473"),
//	})
//
// makes the token of this agreement, once, and Work tells Alipay+ by authNotify
// TOKEN_CREATED. Later a payment comes with the token as its paymentMethodId:
//
//	grant, err := service.Check(ctx, token, auth.ScopeAgreementPay)
//
// says who pays, or why not.
//
// # Nothing is lost between the debit and authNotify
//
// The record of a token holds its notification, so that both are stored in one
// step. If your TokenStore can take part in a transaction that ctx carries, call
// Issue in the transaction of the debit; or insert the record of NewToken there
// yourself. Else call Issue after the commit, for every debit that is marked as
// due, and unmark it when Issue returned nil: it makes no second token.
//
// Work sends the notification until Alipay+ acknowledges it, always the same
// bytes, over more than a day. Whatever Alipay+ answers, the token stays as it
// is. An F parks the notification and raises an alarm: mend the cause and call
// Resend.
//
// # How a token ends
//
//   - It expires: see Config.AccessTokenTTL.
//   - Alipay+ refreshes it: applyToken with the refresh token gives a new pair
//     and kills the old one. The same refresh token, again within five minutes,
//     gets the same new pair.
//   - The merchant's side ends it: cancelToken.
//   - The user ends it in the wallet: Unbind asks Alipay+ first.
//   - The wallet ends it: Cancel.
//
// A cancelled agreement never gets another token.
//
// # What is stored
//
// Digests only. The text of a token exists in three places, each of them sealed
// with AES-256-GCM and erased by Work when its time is over: the answer to a
// redeemed code, for five minutes; the answer to a refresh, for five minutes;
// and a notification, until it is acknowledged. A copy of the database gives no
// token away.
//
// That has a price. consultUnbinding and authNotify TOKEN_CANCELED name the
// token, so a wallet whose users may end an authorization in the wallet sets
// Config.KeepAccessTokens: the access token then stays, sealed, as long as it
// lives.
//
// Tokens and codes are of type alipayplus.Secret: they print redacted, and
// encoding/json fails on them.
//
// # Stores
//
// CodeStore and TokenStore have three methods each: find, save over the version
// that was read, and what is due. In SQL:
//
//	CREATE TABLE auth_code (
//		digest char(64) PRIMARY KEY, version bigint NOT NULL,
//		erase_at timestamptz NOT NULL, record jsonb NOT NULL);
//	CREATE TABLE auth_token (
//		id char(64) PRIMARY KEY, version bigint NOT NULL, due timestamptz,
//		access char(64) UNIQUE, refresh char(64) UNIQUE,
//		old_access char(64) UNIQUE, old_refresh char(64) UNIQUE,
//		customer_id text NOT NULL, record jsonb NOT NULL);
//
//	-- SaveToken; no row: ErrConflict, and so is a unique violation
//	INSERT INTO auth_token … ON CONFLICT DO NOTHING;     -- Version 1
//	UPDATE auth_token SET … WHERE id = $1 AND version = $2 - 1;
//
// Package authtest has the contract of both as tests. MemoryStore is both of
// them, for tests.
package auth
