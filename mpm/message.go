package mpm

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Message is what the app tells the user when a payment cannot go on.
type Message struct {
	// Key is stable, for the wallet's own translations: "order_closed". Several
	// result codes share a key.
	Key string `json:"key"`
	// Text is the English text.
	Text string `json:"text"`
	// Support says that the user can do nothing about it: show the result code
	// with the message, so that support can find it.
	Support bool `json:"support"`
}

// The messages. MessageOf chooses among them.
var (
	messageExpiredCode  = Message{Key: "code_expired", Text: "This code has expired. Please ask for a new one."}
	messageInvalidCode  = Message{Key: "code_invalid", Text: "This code is not valid. Please ask for a new one."}
	messageOrderClosed  = Message{Key: "order_closed", Text: "This order is closed. Please ask for a new code."}
	messageBalance      = Message{Key: "balance_too_low", Text: "Your balance is too low for this payment."}
	messageLimit        = Message{Key: "limit_exceeded", Text: "This payment is above your limit."}
	messageVerification = Message{Key: "verification_failed", Text: "The verification failed. Nothing was charged."}
	messageKYC          = Message{Key: "identity_check_needed", Text: "Please complete your identity check first."}
	messageAccount      = Message{Key: "account_unavailable", Text: "Your account cannot make this payment.", Support: true}
	messageRefused      = Message{Key: "payment_refused", Text: "This payment cannot be made.", Support: true}
)

// MessageOf is the message for a result code of userInitiatedPay or of a payment
// result. The documents name texts for EXPIRED_CODE, INVALID_CODE and
// ORDER_IS_CLOSED; a code that tells the user nothing gives "payment_refused",
// for support.
func MessageOf(code alipayplus.ResultCode) Message {
	switch code {
	case alipayplus.CodeExpiredCode:
		return messageExpiredCode
	case alipayplus.CodeInvalidCode:
		return messageInvalidCode
	case alipayplus.CodeOrderIsClosed:
		return messageOrderClosed
	case alipayplus.CodeUserBalanceNotEnough:
		return messageBalance
	case alipayplus.CodePaymentAmountExceedLimit, alipayplus.CodeUserAmountExceedLimit,
		alipayplus.CodePaymentCountExceedLimit:
		return messageLimit
	case alipayplus.CodeUserPaymentVerificationFailed:
		return messageVerification
	case alipayplus.CodeUserKYCNotQualified:
		return messageKYC
	case alipayplus.CodeUserNotExist, alipayplus.CodeUserStatusAbnormal, alipayplus.CodeUnavailablePaymentMethod:
		return messageAccount
	default:
		return messageRefused
	}
}
