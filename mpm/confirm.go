package mpm

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Confirm debits the user, who agreed on the cashier page, and returns the
// result page of what came of it: paid, failed, closed, processing, or open
// again with the reason, if the user may try again. A second call for the same
// payment debits nothing.
//
// The errors are those of [payment.Service.Confirm]. [payment.ErrUnknownOrder]
// means that no user ever saw the payment, [payment.ErrOtherCustomer] that it
// is somebody else's, and [payment.ErrAmountChanged] that the user saw another
// amount: show the cashier page again, Cashier{Record: …} with what
// [payment.Service.Find] returns. Any other error decides nothing: ask
// ResultPage, or call Confirm again.
func (f *Flow) Confirm(ctx context.Context, c payment.Confirmation) (ResultPage, error) {
	err := payment.ErrUnknownOrder
	var record payment.Record
	if isID(c.PaymentRequestID) {
		record, err = f.payments.Confirm(ctx, c)
	}
	if err == nil {
		err = belongs(record, c.CustomerID)
	}
	if err != nil {
		return ResultPage{}, fmt.Errorf("mpm: %w", err)
	}
	return f.resultPage(ctx, record), nil
}

// ResultPage returns the result page of a payment of the customer.
//
// The errors are [payment.ErrUnknownOrder], if no user ever saw the payment,
// [payment.ErrOtherCustomer], if it is somebody else's, and those of the
// database.
func (f *Flow) ResultPage(ctx context.Context, paymentRequestID, customerID string) (ResultPage, error) {
	record, err := f.find(ctx, paymentRequestID, customerID)
	if err != nil {
		return ResultPage{}, err
	}
	return f.resultPage(ctx, record), nil
}

// find returns a payment of the customer.
func (f *Flow) find(ctx context.Context, paymentRequestID, customerID string) (payment.Record, error) {
	err := payment.ErrUnknownOrder
	var record payment.Record
	if isID(paymentRequestID) {
		record, err = f.payments.Find(ctx, paymentRequestID)
	}
	if err == nil {
		err = belongs(record, customerID)
	}
	if err != nil {
		return payment.Record{}, fmt.Errorf("mpm: %w", err)
	}
	return record, nil
}

// belongs returns an error if record is not a payment of the customer. A
// payment that was cancelled before anybody saw it belongs to nobody.
func belongs(record payment.Record, customerID string) error {
	switch record.CustomerID {
	case "":
		return payment.ErrUnknownOrder
	case customerID:
		return nil
	}
	return payment.ErrOtherCustomer
}

// resultPage returns the result page of record, in the words of Config.Message.
func (f *Flow) resultPage(ctx context.Context, record payment.Record) ResultPage {
	page := ResultPage{Record: record}
	if _, code := page.state(); code != "" {
		page.Message = f.message(ctx, code)
	}
	return page
}

// isID reports whether text can be a paymentRequestId: 1 to 64 characters, no
// control characters among them, which a database might refuse.
func isID(text string) bool {
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > 64 {
		return false
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}
