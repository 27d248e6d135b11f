package payment

import (
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// MaxRefunds is how many refunds one payment can have. It bounds the size of a
// Record.
const MaxRefunds = 100

const refundWindow = 366 * 24 * time.Hour

// Refunded says that Alipay+ sent refund. A repeat of an accepted one changes
// nothing.
type Refunded struct {
	Request  RefundRequest
	RefundID string // ≤ 64: the MPP's id of the refund, chosen by the host
	At       time.Time
	// IgnoreWindow refunds after 366 days, too.
	IgnoreWindow bool
}

// RefundEntry is a refund that was accepted.
type RefundEntry struct {
	RefundRequestID  string            `json:"refundRequestId"`
	RefundID         string            `json:"refundId"` // the MPP's
	RefundTime       alipayplus.Time   `json:"refundTime"`
	RefundAmount     alipayplus.Amount `json:"refundAmount"`
	RefundFromAmount alipayplus.Amount `json:"refundFromAmount"`
	SurchargeAmount  alipayplus.Amount `json:"surchargeAmount,omitzero"`
	// Cut is what the user gets less, because the refunds together would be
	// more than was debited: the parts were rounded. Absent almost always.
	// Report it.
	Cut alipayplus.Amount `json:"cut,omitzero"`
}

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
	case StatePaying:
		return ErrPending
	case StateClosed:
		return ErrClosed
	default:
		return ErrNotPaid
	}
	if e.At.IsZero() || noID(e.RefundID) {
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
	switch {
	case s.overRefunded():
		return ErrRefundAmount
	case len(s.Refunds) > MaxRefunds:
		return ErrRefundCount
	}
	last := &s.Refunds[len(s.Refunds)-1]
	last.Cut = s.excess()
	s.giveBack(CreditEntry{
		Key: s.refundKey(entry.RefundRequestID), Amount: last.credit(), Reason: CreditRefund, Attempt: len(s.Attempts),
	})
	return nil
}

// fits checks what a refund must share with its payment.
func (r Record) fits(req RefundRequest, entry RefundEntry) error {
	surcharge := entry.SurchargeAmount
	switch {
	case noID(entry.RefundRequestID):
		return fmt.Errorf("%w: refundRequestId is missing or over 64 characters", ErrParam)
	case req.PaymentID != "" && req.PaymentID != r.PaymentID:
		return fmt.Errorf("%w: another paymentId", ErrParam)
	case entry.RefundAmount.Currency != r.Amounts.PaymentAmount.Currency,
		entry.RefundFromAmount.Currency != r.Amounts.PayToAmount.Currency,
		entry.credit().Currency != r.Amounts.Debit().Currency:
		return fmt.Errorf("%w: another currency", ErrParam)
	case outOfRange(entry.RefundAmount), outOfRange(entry.RefundFromAmount), outOfRange(entry.credit()):
		return fmt.Errorf("%w: an amount out of range", ErrParam)
	case entry.RefundAmount.Minor == 0:
		return fmt.Errorf("%w: refundAmount is zero", ErrParam)
	case !surcharge.IsZero() && surcharge.Minor == 0 && entry.RefundFromAmount.Minor > unit(surcharge.Currency):
		return fmt.Errorf("%w: surchargeAmount is zero and refundFromAmount is not", ErrParam)
	}
	return nil
}

// noID reports whether text cannot be an id: it is empty or over 64 characters.
func noID(text string) bool { return text == "" || utf8.RuneCountInString(text) > 64 }

// credit returns what the user gets.
func (e RefundEntry) credit() alipayplus.Amount {
	amount := e.RefundFromAmount
	if !e.SurchargeAmount.IsZero() {
		amount = e.SurchargeAmount
	}
	amount.Minor -= e.Cut.Minor
	return amount
}

// overRefunded reports whether the refunds together are more than the payment.
// In the payment's currency that is exact; the converted sums may be more by
// what rounding explains.
func (r Record) overRefunded() bool {
	var refunded, from, credits int64
	for _, e := range r.Refunds {
		// No sum overflows: they are at most MaxRefunds and one more, and no
		// amount has more than 16 digits.
		refunded += e.RefundAmount.Minor
		from += e.RefundFromAmount.Minor
		credits += e.credit().Minor
	}
	over := func(sum int64, limit alipayplus.Amount, q Quote) bool {
		excess := new(big.Rat).SetInt64(sum - limit.Minor)
		return excess.Cmp(r.Amounts.tolerance(limit.Currency, q, int64(len(r.Refunds)))) > 0
	}
	quote := r.Amounts.PaymentQuote
	if !r.Amounts.SurchargeInfo.SurchargeAmount.IsZero() {
		quote = r.Amounts.SurchargeInfo.SurchargeQuote
	}
	return refunded > r.Amounts.PaymentAmount.Minor ||
		over(from, r.Amounts.PayToAmount, r.Amounts.PaymentQuote) ||
		over(credits, r.Amounts.Debit(), quote)
}

// excess returns by how much the credits of all refunds are more than the
// debit.
func (r Record) excess() alipayplus.Amount {
	excess := r.Amounts.Debit()
	excess.Minor = -excess.Minor
	for _, e := range r.Refunds {
		excess.Minor += e.credit().Minor
	}
	if excess.Minor <= 0 {
		return alipayplus.Amount{}
	}
	return excess
}

// refundKey returns the Key of a refund's credit, which is unique over all
// payments: ids may contain a slash, so that the one in the middle is escaped.
func (r Record) refundKey(refundRequestID string) string {
	return "refund/" + noSlash.Replace(r.PaymentRequestID) + "/" + refundRequestID
}

var noSlash = strings.NewReplacer("%", "%25", "/", "%2F")

func (r Record) refund(refundRequestID string) (RefundEntry, bool) {
	for _, e := range r.Refunds {
		if e.RefundRequestID == refundRequestID {
			return e, true
		}
	}
	return RefundEntry{}, false
}
