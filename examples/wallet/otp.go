package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"math/big"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// openVerification shows the verification page, and sends the first OTP when it
// is opened for the first time.
func (w *wallet) openVerification(ctx context.Context, link alipayplus.Secret) (easypay.Page, error) {
	page, err := w.easyPay.Page(ctx, link)
	if err != nil || !page.Redirect.IsZero() {
		return page, err
	}
	if _, sent, err := w.otp(ctx, page.Record.PaymentRequestID); err != nil || sent {
		return page, err
	}
	return page, w.sendOTP(ctx, page.Record)
}

// sendOTP makes another one-time password and sends it to the customer's phone;
// here the phone reads it from the table.
func (w *wallet) sendOTP(ctx context.Context, r payment.Record) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	_, err = w.db.ExecContext(ctx, `INSERT INTO wallet_otp (payment_request_id, customer_id, otp) VALUES ($1, $2, $3)
		ON CONFLICT (payment_request_id) DO UPDATE SET otp = $3`, r.PaymentRequestID, r.CustomerID, fmt.Sprintf("%06d", n))
	return err
}

// compareOTP is for easypay.Service.Verify.
func (w *wallet) compareOTP(entered string) func(context.Context, payment.Record) (bool, error) {
	return func(ctx context.Context, r payment.Record) (bool, error) {
		otp, sent, err := w.otp(ctx, r.PaymentRequestID)
		return sent && subtle.ConstantTimeCompare([]byte(otp), []byte(entered)) == 1, err
	}
}

func (w *wallet) otp(ctx context.Context, paymentRequestID string) (otp string, sent bool, err error) {
	err = w.db.QueryRowContext(ctx, `SELECT otp FROM wallet_otp WHERE payment_request_id = $1`, paymentRequestID).Scan(&otp)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return otp, err == nil, err
}
