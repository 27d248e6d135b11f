package easypay

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Page is what the verification page shows next.
type Page struct {
	Record      payment.Record // merchant, amounts, expiry
	TriesLeft   int            // how many more PINs or OTPs the user may enter
	ResendsLeft int            // how many more OTPs they may ask for
	// Redirect, if it is not absent, is where the user is to go now: the
	// verification is over. It is paymentRedirectUrl with the verification's
	// status; see the function Redirect.
	Redirect alipayplus.Secret
}

// ErrLink is the error of a link that this wallet did not make, and of one
// whose payment is not there any more. Answer it with HTTP 404.
var ErrLink = errors.New("easypay: the link opens no verification page")

// errInTransaction is the error of Verify and Resend in a transaction of the
// caller: its rollback would take back what was counted.
var errInTransaction = errors.New("easypay: a PIN or an OTP cannot be counted in a transaction of the caller")

// Page returns what the page shows when it is opened, or opened again.
func (s *Service) Page(ctx context.Context, link alipayplus.Secret) (Page, error) {
	record, err := s.find(ctx, link)
	if err != nil {
		return Page{}, err
	}
	return s.page(ctx, record)
}

// Verify takes a PIN or an OTP that the user entered. It counts the try, and
// only then has check compare it, outside of transactions and at most
// Config.Tries times for each payment, however many guesses come at once. A
// right one debits the user at once. Call it outside of transactions: in one of
// the caller it does nothing and returns an error.
//
// check is not called if no try is left or the verification is over: the Page
// says so. It gets the record of the payment. Compare in constant time, and
// count the wrong PINs of a customer over all payments by yourself, to lock the
// PIN.
//
// An error of check is returned, and the try counts as a wrong one. An error of
// Verify itself does not mean that nothing happened: show the Page again. If
// the PIN was right and the debit could not be made, because the database or
// payment.ServiceConfig.Check failed, the user enters the PIN again, which is
// another try.
func (s *Service) Verify(ctx context.Context, link alipayplus.Secret, check func(ctx context.Context, r payment.Record) (right bool, err error)) (Page, error) {
	record, counted, err := s.count(ctx, link, payment.VerificationTried{At: time.Now()}, payment.ErrTries)
	if err != nil {
		return Page{}, err
	}
	if !counted {
		return s.page(ctx, record)
	}
	try := len(record.Tried)
	right, failed := check(ctx, record)
	var result payment.Event = payment.VerificationFailed{Try: try, At: time.Now()}
	if right && failed == nil {
		result = payment.Verified{Try: try, At: time.Now()}
	}
	// A user who went away meanwhile still entered it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyTimeout)
	defer cancel()
	record, err = s.cfg.Payments.On(ctx, record.PaymentRequestID, result)
	if err = errors.Join(failed, err); err != nil {
		return Page{}, err
	}
	return s.page(ctx, record)
}

// verifyTimeout bounds what follows a comparison, in the database and at a
// payment.RemoteLedger.
const verifyTimeout = 30 * time.Second

// Resend sends another OTP, for a user who got none. It counts it, and only
// then calls send, at most Config.Resends times for each payment; if none is
// left or the verification is over, the Page says so. An error of send is
// returned; the OTP is counted all the same. Like Verify it returns an error in
// a transaction of the caller.
func (s *Service) Resend(ctx context.Context, link alipayplus.Secret, send func(ctx context.Context, r payment.Record) error) (Page, error) {
	record, counted, err := s.count(ctx, link, payment.OTPResent{At: time.Now()}, payment.ErrResends)
	if err != nil {
		return Page{}, err
	}
	if counted {
		if err := send(ctx, record); err != nil {
			return Page{}, err
		}
	}
	return s.page(ctx, record)
}

// GiveUp ends the payment, because the user left the page for good. After the
// verification it changes nothing.
func (s *Service) GiveUp(ctx context.Context, link alipayplus.Secret) (Page, error) {
	record, err := s.find(ctx, link)
	if err != nil {
		return Page{}, err
	}
	if record, err = s.cfg.Payments.On(ctx, record.PaymentRequestID, payment.GaveUp{}); err != nil {
		return Page{}, err
	}
	return s.page(ctx, record)
}

// count stores what e counts. It reports false if nothing may follow, because
// none is left or the verification is over.
func (s *Service) count(ctx context.Context, link alipayplus.Secret, e payment.Event, none error) (r payment.Record, counted bool, err error) {
	if s.cfg.Payments.Joined(ctx) {
		return r, false, errInTransaction
	}
	if r, err = s.find(ctx, link); err != nil {
		return r, false, err
	}
	next, err := s.cfg.Payments.On(ctx, r.PaymentRequestID, e)
	switch {
	case errors.Is(err, none):
		r, err = s.cfg.Payments.Find(ctx, r.PaymentRequestID)
		return r, false, err
	case err != nil:
		return r, false, err
	}
	return next, next.State == payment.StateVerifying, nil
}

// page returns the Page of a record. It closes a payment that has expired, if
// Run did not do that yet.
func (s *Service) page(ctx context.Context, r payment.Record) (Page, error) {
	if expiry, ok := r.ExpiryTime.Time(); ok && r.State == payment.StateVerifying && time.Now().After(expiry) {
		var err error
		if r, err = s.cfg.Payments.On(ctx, r.PaymentRequestID, payment.Expired{At: time.Now()}); err != nil {
			return Page{}, err
		}
	}
	page := Page{Record: r, TriesLeft: r.TriesLeft(), ResendsLeft: r.ResendsLeft()}
	if r.State != payment.StateVerifying {
		url, err := Redirect(r.RedirectURL.Reveal(), r.Verified())
		if err != nil {
			return Page{}, err
		}
		page.Redirect = alipayplus.Conceal(url)
	}
	return page, nil
}

// linkPurpose binds a link to this page.
const linkPurpose = "easypay verification page"

// maxLink is longer than the link of any paymentRequestId.
const maxLink = 512

// link returns the URL of the page of a payment. The link in it is sealed,
// because the merchant's systems know the payment's id.
func (s *Service) link(paymentRequestID string) alipayplus.Secret {
	sealed := s.cfg.Sealer.Seal(linkPurpose, []byte(paymentRequestID))
	return alipayplus.Conceal(s.cfg.PageURL + base64.RawURLEncoding.EncodeToString(sealed))
}

// find returns the record of the payment that link names.
func (s *Service) find(ctx context.Context, link alipayplus.Secret) (payment.Record, error) {
	text := link.Reveal()
	if len(text) > maxLink || strings.ContainsAny(text, "\r\n") { // base64 skips line ends
		return payment.Record{}, ErrLink
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return payment.Record{}, ErrLink
	}
	id, err := s.cfg.Sealer.Open(linkPurpose, sealed)
	if err != nil {
		return payment.Record{}, ErrLink
	}
	record, err := s.cfg.Payments.Find(ctx, string(id))
	if err == nil && record.Verification.URL.IsZero() {
		return payment.Record{}, ErrLink
	}
	return record, err
}
