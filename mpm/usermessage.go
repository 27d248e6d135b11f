package mpm

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// UserMessage is what the app tells the user when a payment cannot go on.
type UserMessage struct {
	// Key is stable, for the wallet's own translations: "order_closed". Several
	// result codes share a key.
	Key string `json:"key"`
	// Text is the English text.
	Text string `json:"text"`
	// Support is true if the user can do nothing about it: show the result code
	// with the message, so that support can find it.
	Support bool `json:"support"`
}

// The messages. UserMessageOf chooses among them.
var (
	messageExpiredCode  = UserMessage{Key: "code_expired", Text: "This code has expired. Please ask for a new one."}
	messageInvalidCode  = UserMessage{Key: "code_invalid", Text: "This code is not valid. Please ask for a new one."}
	messageOrderClosed  = UserMessage{Key: "order_closed", Text: "This order is closed. Please ask for a new code."}
	messageBalance      = UserMessage{Key: "balance_too_low", Text: "Your balance is too low for this payment."}
	messageLimit        = UserMessage{Key: "limit_exceeded", Text: "This payment is above your limit."}
	messageVerification = UserMessage{Key: "verification_failed", Text: "The verification failed. Nothing was charged."}
	messageKYC          = UserMessage{Key: "identity_check_needed", Text: "Please complete your identity check first."}
	messageAccount      = UserMessage{Key: "account_unavailable", Text: "Your account cannot make this payment.", Support: true}
	messageRefused      = UserMessage{Key: "payment_refused", Text: "This payment cannot be made.", Support: true}
)

// UserMessageOf returns the message for a result code of userInitiatedPay or of
// a payment result. The documents ask for messages for EXPIRED_CODE,
// INVALID_CODE and ORDER_IS_CLOSED. A code that the user can do nothing about
// gives "payment_refused", for support.
func UserMessageOf(code alipayplus.ResultCode) UserMessage {
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
