package payment

import (
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func (e Refunded) on(s *step) error {
	req := e.Request
	if err := s.sameID(req.PaymentRequestID); err != nil {
		return err
	}
	entry := RefundEntry{
		RefundRequestID:  req.RefundRequestID,
		RefundID:         e.RefundID,
		RefundTime:       alipayplus.TimeOf(e.At),
		RefundAmount:     req.RefundAmount,
		RefundFromAmount: req.RefundFromAmount,
		SurchargeAmount:  req.SurchargeInfo.SurchargeAmount,
	}
	if old, ok := s.refund(entry.RefundRequestID); ok {
		if old.RefundAmount != entry.RefundAmount || old.RefundFromAmount != entry.RefundFromAmount ||
			old.SurchargeAmount != entry.SurchargeAmount {
			return ErrInconsistent
		}
		return nil
	}
	switch s.State {
	case StatePaid:
	case "":
		return ErrUnknownOrder
	case StateClosed:
		return ErrClosed
	default:
		return ErrState
	}
	if e.At.IsZero() || tooLong(e.RefundID) {
		return fmt.Errorf("%w: Refunded needs At and a RefundID of at most 64 characters", ErrEvent)
	}
	if err := s.fits(req, entry); err != nil {
		return err
	}
	paid, _ := s.PaidTime.Time()
	if e.At.After(paid.Add(refundWindow)) && !e.IgnoreWindow {
		return ErrRefundWindow
	}
	s.Refunds = append(s.Refunds, entry)
	if s.overRefunded() {
		return ErrRefundAmount
	}
	s.credit(refundKey(entry.RefundRequestID), entry.credit())
	return nil
}

// fits checks what a refund must share with its payment.
func (r Record) fits(req RefundRequest, entry RefundEntry) error {
	switch {
	case entry.RefundRequestID == "":
		return fmt.Errorf("%w: refundRequestId is missing", ErrParam)
	case req.PaymentID != "" && req.PaymentID != r.PaymentID:
		return fmt.Errorf("%w: another paymentId", ErrParam)
	case entry.RefundAmount.Currency != r.Amounts.PaymentAmount.Currency,
		entry.RefundFromAmount.Currency != r.Amounts.PayToAmount.Currency,
		entry.credit().Currency != r.Amounts.Debit().Currency:
		return fmt.Errorf("%w: another currency", ErrParam)
	case outOfRange(entry.RefundAmount), outOfRange(entry.RefundFromAmount), outOfRange(entry.credit()):
		return fmt.Errorf("%w: an amount out of range", ErrParam)
	}
	return nil
}

// outOfRange reports whether a could not stand in a message: it is absent,
// negative, over 16 digits, or in no currency.
func outOfRange(a alipayplus.Amount) bool { return a.IsZero() || len(a.WireRules()) > 0 }

// overRefunded reports whether the refunds together are more than the payment.
// In the payment's currency that is exact. The converted sums may be over by one
// rounding for each refund.
func (r Record) overRefunded() bool {
	var refunded, from, credits int64
	for _, e := range r.Refunds {
		// No sum overflows: it was within its limit before the last addition, and
		// no amount has more than 16 digits.
		refunded += e.RefundAmount.Minor
		from += e.RefundFromAmount.Minor
		credits += e.credit().Minor
	}
	slack := int64(len(r.Refunds))
	debit := r.Amounts.Debit()
	return refunded > r.Amounts.PaymentAmount.Minor ||
		from > r.Amounts.PayToAmount.Minor+slack*unit(r.Amounts.PayToAmount.Currency) ||
		credits > debit.Minor+slack*unit(debit.Currency)
}

// RefundExcess is by how much the refundFromAmounts together exceed payToAmount,
// which rounding can make happen: at most one smallest unit for each refund
// (100 for IDR). It is zero if they do not. Watch it; it is no error.
func (r Record) RefundExcess() alipayplus.Amount {
	excess := alipayplus.Amount{Currency: r.Amounts.PayToAmount.Currency, Minor: -r.Amounts.PayToAmount.Minor}
	for _, e := range r.Refunds {
		excess.Minor += e.RefundFromAmount.Minor
	}
	if excess.Minor <= 0 {
		return alipayplus.Amount{}
	}
	return excess
}

func refundKey(refundRequestID string) string { return "refund/" + refundRequestID }

func (r Record) refund(refundRequestID string) (RefundEntry, bool) {
	for _, e := range r.Refunds {
		if e.RefundRequestID == refundRequestID {
			return e, true
		}
	}
	return RefundEntry{}, false
}
