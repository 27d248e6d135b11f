package alipayplus

import "fmt"

// ResultStatus is result.resultStatus of a message: S, F or U. Only exactly S
// and F decide; every other text, also in lower case or empty, means that the
// outcome is unknown. The text that came in is kept.
type ResultStatus string

// The statuses of the protocol.
const (
	StatusSucceeded ResultStatus = "S"
	StatusFailed    ResultStatus = "F"
	StatusUnknown   ResultStatus = "U"
)

// Result is the result object that every answer carries. It is an error, too:
// the function of an inbound API refuses with
//
//	return nil, alipayplus.Result{Code: "MY_CODE", Status: alipayplus.StatusFailed}
type Result struct {
	// Code says what happened, at most 64 characters. Codes that this version
	// of the SDK does not know are legal and kept.
	Code ResultCode `json:"resultCode,omitzero" wire:"max=64,alias=resultCodeId"`
	// Status decides; see ResultStatus.
	Status ResultStatus `json:"resultStatus,omitzero" wire:"max=1"`
	// Message explains the code to a developer, at most 256 characters.
	Message string `json:"resultMessage,omitzero" wire:"max=256,alias=resultMsg"`
}

// Error returns the status and the code, for example "F ORDER_IS_CLOSED".
func (r Result) Error() string {
	if r == (Result{}) {
		return "no result"
	}
	return fmt.Sprintf("%s %s", sanitize(string(r.Status), 8), sanitize(string(r.Code), 64))
}

// Is reports whether target is r's code, so that errors.Is(err,
// CodeProcessFail) holds for a Result as it does for the bare code.
func (r Result) Is(target error) bool {
	code, ok := target.(ResultCode)
	return ok && code == r.Code && code != ""
}

// ResultCode is result.resultCode. It is an error, too, so that a function
// of an inbound API refuses with a bare code and a caller asks
// errors.Is(err, alipayplus.CodeOrderIsClosed).
type ResultCode string

// Error returns the code itself.
func (c ResultCode) Error() string { return sanitize(string(c), 64) }

// Result returns the code with the status that the documents give it and no
// message. A code that they do not know gets status U, which never claims more
// than is known.
func (c ResultCode) Result() Result { return Result{Code: c, Status: c.status()} }

func (c ResultCode) status() ResultStatus {
	if status, ok := statusOf[c]; ok {
		return status
	}
	return StatusUnknown
}

// The result codes of the Alipay+ documents, with the APIs that they occur in.
const (
	// Every API.
	CodeSuccess                   ResultCode = "SUCCESS"                      // S
	CodeUnknownException          ResultCode = "UNKNOWN_EXCEPTION"            // U
	CodeRequestTrafficExceedLimit ResultCode = "REQUEST_TRAFFIC_EXCEED_LIMIT" // U: call less often
	CodeAccessDenied              ResultCode = "ACCESS_DENIED"
	CodeInvalidAPI                ResultCode = "INVALID_API"
	CodeInvalidClient             ResultCode = "INVALID_CLIENT"
	CodeInvalidSignature          ResultCode = "INVALID_SIGNATURE"
	CodeKeyNotFound               ResultCode = "KEY_NOT_FOUND"
	CodeMediaTypeNotAcceptable    ResultCode = "MEDIA_TYPE_NOT_ACCEPTABLE"
	CodeMethodNotSupported        ResultCode = "METHOD_NOT_SUPPORTED"
	CodeNoInterfaceDef            ResultCode = "NO_INTERFACE_DEF"
	CodeParamIllegal              ResultCode = "PARAM_ILLEGAL"
	CodeProcessFail               ResultCode = "PROCESS_FAIL"            // do not retry
	CodeRepeatReqInconsistent     ResultCode = "REPEAT_REQ_INCONSISTENT" // same id, other content

	// pay, userInitiatedPay and the payment result.
	CodePaymentInProcess              ResultCode = "PAYMENT_IN_PROCESS" // U
	CodeBusinessNotSupport            ResultCode = "BUSINESS_NOT_SUPPORT"
	CodeCurrencyNotSupport            ResultCode = "CURRENCY_NOT_SUPPORT"
	CodeInvalidContract               ResultCode = "INVALID_CONTRACT"
	CodeRegulationRestriction         ResultCode = "REGULATION_RESTRICTION"
	CodeInvalidCode                   ResultCode = "INVALID_CODE"
	CodeExpiredCode                   ResultCode = "EXPIRED_CODE"
	CodeOrderIsClosed                 ResultCode = "ORDER_IS_CLOSED"
	CodeUserBalanceNotEnough          ResultCode = "USER_BALANCE_NOT_ENOUGH"
	CodeUserNotExist                  ResultCode = "USER_NOT_EXIST"
	CodeUserStatusAbnormal            ResultCode = "USER_STATUS_ABNORMAL"
	CodeUserKYCNotQualified           ResultCode = "USER_KYC_NOT_QUALIFIED"
	CodeUserAmountExceedLimit         ResultCode = "USER_AMOUNT_EXCEED_LIMIT"
	CodeUserPaymentVerificationFailed ResultCode = "USER_PAYMENT_VERIFICATION_FAILED"
	CodePaymentAmountExceedLimit      ResultCode = "PAYMENT_AMOUNT_EXCEED_LIMIT"
	CodePaymentCountExceedLimit       ResultCode = "PAYMENT_COUNT_EXCEED_LIMIT"
	CodeRiskReject                    ResultCode = "RISK_REJECT"
	CodeUnavailablePaymentMethod      ResultCode = "UNAVAILABLE_PAYMENT_METHOD"
	CodeMerchantNotRegistered         ResultCode = "MERCHANT_NOT_REGISTERED"

	// inquiryPayment, cancelPayment and refund.
	CodeOrderNotExist      ResultCode = "ORDER_NOT_EXIST"
	CodeCancelWindowExceed ResultCode = "CANCEL_WINDOW_EXCEED"
	CodeRefundWindowExceed ResultCode = "REFUND_WINDOW_EXCEED"
	CodeRefundAmountExceed ResultCode = "REFUND_AMOUNT_EXCEED"

	// Tokens: applyToken, cancelToken and pay with a token.
	CodeInvalidToken        ResultCode = "INVALID_TOKEN"
	CodeExpiredAccessToken  ResultCode = "EXPIRED_ACCESS_TOKEN"
	CodeInvalidRefreshToken ResultCode = "INVALID_REFRESH_TOKEN"
	CodeExpiredRefreshToken ResultCode = "EXPIRED_REFRESH_TOKEN"
)

var statusOf = map[ResultCode]ResultStatus{
	CodeSuccess: StatusSucceeded,

	CodeUnknownException:          StatusUnknown,
	CodeRequestTrafficExceedLimit: StatusUnknown,
	CodePaymentInProcess:          StatusUnknown,

	CodeAccessDenied:                  StatusFailed,
	CodeInvalidAPI:                    StatusFailed,
	CodeInvalidClient:                 StatusFailed,
	CodeInvalidSignature:              StatusFailed,
	CodeKeyNotFound:                   StatusFailed,
	CodeMediaTypeNotAcceptable:        StatusFailed,
	CodeMethodNotSupported:            StatusFailed,
	CodeNoInterfaceDef:                StatusFailed,
	CodeParamIllegal:                  StatusFailed,
	CodeProcessFail:                   StatusFailed,
	CodeRepeatReqInconsistent:         StatusFailed,
	CodeBusinessNotSupport:            StatusFailed,
	CodeCurrencyNotSupport:            StatusFailed,
	CodeInvalidContract:               StatusFailed,
	CodeRegulationRestriction:         StatusFailed,
	CodeInvalidCode:                   StatusFailed,
	CodeExpiredCode:                   StatusFailed,
	CodeOrderIsClosed:                 StatusFailed,
	CodeUserBalanceNotEnough:          StatusFailed,
	CodeUserNotExist:                  StatusFailed,
	CodeUserStatusAbnormal:            StatusFailed,
	CodeUserKYCNotQualified:           StatusFailed,
	CodeUserAmountExceedLimit:         StatusFailed,
	CodeUserPaymentVerificationFailed: StatusFailed,
	CodePaymentAmountExceedLimit:      StatusFailed,
	CodePaymentCountExceedLimit:       StatusFailed,
	CodeRiskReject:                    StatusFailed,
	CodeUnavailablePaymentMethod:      StatusFailed,
	CodeMerchantNotRegistered:         StatusFailed,
	CodeOrderNotExist:                 StatusFailed,
	CodeCancelWindowExceed:            StatusFailed,
	CodeRefundWindowExceed:            StatusFailed,
	CodeRefundAmountExceed:            StatusFailed,
	CodeInvalidToken:                  StatusFailed,
	CodeExpiredAccessToken:            StatusFailed,
	CodeInvalidRefreshToken:           StatusFailed,
	CodeExpiredRefreshToken:           StatusFailed,
}

// sanitize makes text from the network fit for an error or a log line: only
// printable ASCII without spaces, at most n characters.
func sanitize(text string, n int) string {
	clean := len(text) <= n
	for i := 0; clean && i < len(text); i++ {
		clean = text[i] > ' ' && text[i] < 0x7f
	}
	if clean {
		return text
	}
	out := make([]byte, 0, n)
	for i := 0; i < len(text) && len(out) < n; i++ {
		c := text[i]
		if c <= ' ' || c >= 0x7f {
			c = '?'
		}
		out = append(out, c)
	}
	return string(out)
}
