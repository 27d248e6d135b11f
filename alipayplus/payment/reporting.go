package payment

import (
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Notify puts Message into the outbox, in the transaction that stores the
// record. It stays there, unchanged, until Alipay+ acknowledges it or
// alipayplus.Schedule ends; neither changes the payment. (A pay that was
// answered S or F needs no notification, but one does no harm.)
type Notify struct {
	Message alipayplus.Message
}

// Withdraw takes the message from the outbox again if it is not acknowledged:
// the payment was cancelled.
type Withdraw struct{ Operation, Key string }

// notify makes the notification of the final result, once.
func (s *step) notify(result alipayplus.Result) error {
	req := NotifyPaymentRequest{PaymentResult: result, PaymentRequestID: s.PaymentRequestID}
	if result.Status == alipayplus.StatusSucceeded {
		req.PaymentID = s.PaymentID
		req.PaymentTime = s.PaidTime
		req.PaymentAmount = s.Amounts.PaymentAmount
		req.PayToAmount = s.Amounts.PayToAmount
		req.CustomerID = s.CustomerID
	}
	m, err := NotifyPayment.Prepare(&req)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrEvent, err.Error())
	}
	m.URL = s.NotifyURL
	s.Notice = m
	s.do = append(s.do, Notify{m})
	return nil
}
