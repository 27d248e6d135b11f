package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// customer is your login: who asks? Here a proxy has authenticated the app and
// replaces this header.
func customer(r *http.Request) (id string, err error) {
	if id = r.Header.Get("X-Customer"); id == "" {
		return "", errors.New("nobody is signed in")
	}
	return id, nil
}

// customers are the wallet's users: tables login and pin.
type customers struct {
	db     *sql.DB
	pepper []byte // a copy of the table does not give the PINs away
}

// check is your risk engine, limits and PIN. It runs outside of transactions:
// when an order is decoded or asked for, before the user sees it, and before the
// debit. It may run again.
func (c customers) check(ctx context.Context, k payment.Check) error {
	if k.Terms.Order.Merchant.MerchantMCC == "7995" {
		return alipayplus.CodeRiskReject // for good
	}
	if k.Stage != payment.StageDebit || k.Terms.CodeValueDigest == "" {
		return nil // only the cashier page of a scanned code sends a PIN
	}
	right, err := c.pin(ctx, k.Terms.CustomerID, k.Proof.Reveal())
	if err == nil && !right {
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return err
}

// account finds the customer whom Alipay+ names.
func (c customers) account(ctx context.Context, a easypay.Account) (customer string, err error) {
	kind, login := a.UserLoginIDType, a.UserLoginID
	if !a.PaymentMethodID.IsZero() {
		kind, login = "paymentMethodId", a.PaymentMethodID
	}
	err = c.db.QueryRowContext(ctx, `SELECT customer FROM login WHERE kind = $1 AND login = $2`, kind, login.Reveal()).Scan(&customer)
	if errors.Is(err, sql.ErrNoRows) {
		return "", alipayplus.CodeUserNotExist
	}
	return customer, err
}

// pin compares a PIN. One statement compares and counts, so that guesses at the
// same time gain nothing, and neither a crash nor payments side by side take a
// try away from who knows the PIN. Five wrong ones lock it for all payments.
func (c customers) pin(ctx context.Context, customer, pin string) (right bool, err error) {
	err = c.db.QueryRowContext(ctx, `UPDATE pin SET tries = CASE WHEN mac = $2 THEN 0 ELSE tries + 1 END
		WHERE customer = $1 AND tries < 5 RETURNING mac = $2`, customer, c.mac(customer, pin)).Scan(&right)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // locked, or there is none
	}
	return right, err
}

// mac is what the table keeps of a PIN.
func (c customers) mac(customer, pin string) string {
	h := hmac.New(sha256.New, c.pepper)
	h.Write([]byte(customer + "\x00" + pin))
	return hex.EncodeToString(h.Sum(nil))
}
