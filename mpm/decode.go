package mpm

import (
	"context"
	"errors"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// maxCodeValue is the longest code value of userInitiatedPay, in characters.
const maxCodeValue = 512

// The action types of an ActionForm.
const (
	actionByPSP = "HANDLE_BY_PSP"
	actionBySDK = "HANDLE_BY_SDK"
)

// Decode asks Alipay+ for the order of a code that the client SDK intercepted
// in the entry-code flow, opens the payment, and returns what comes next:
// [Cashier], [SDKAction], [Pending], [Failed] or [ResultPage]. The code needs
// no identification.
//
// Errors are as in Scan.
func (f *Flow) Decode(ctx context.Context, code alipayplus.Secret, customerID string) (Step, error) {
	code = clean(code)
	if err := checkUse(code, customerID); err != nil {
		return nil, err
	}
	return f.decode(ctx, code, customerID, Intercepted), nil
}

func checkUse(code alipayplus.Secret, customerID string) error {
	var problems []alipayplus.Problem
	if code.IsZero() {
		problems = append(problems, alipayplus.Problem{Path: "codeValue", Rule: "missing"})
	}
	switch {
	case customerID == "":
		problems = append(problems, alipayplus.Problem{Path: "customerId", Rule: "missing"})
	case utf8.RuneCountInString(customerID) > 64:
		problems = append(problems, alipayplus.Problem{Path: "customerId", Rule: "longer than 64 characters"})
	}
	if problems == nil {
		return nil
	}
	return &alipayplus.ValidationError{Problems: problems}
}

func (f *Flow) decode(ctx context.Context, code alipayplus.Secret, customerID string, origin Origin) Step {
	if utf8.RuneCountInString(code.Reveal()) > maxCodeValue {
		return f.failed(ctx, alipayplus.CodeInvalidCode, origin, "a code value of over 512 characters, which is never sent")
	}
	var info alipayplus.Info
	answer, err := f.decoder.Call(ctx, f.client, &UserInitiatedPayRequest{CodeValue: code, CustomerID: customerID}, alipayplus.WithInfo(&info))
	switch alipayplus.OutcomeOf(err) {
	case alipayplus.OutcomeSucceeded:
		return f.decoded(ctx, answer, info.SignedAt, code, customerID, origin)
	case alipayplus.OutcomeFailed:
		return f.refused(ctx, err, origin)
	case alipayplus.OutcomeNotSent:
		var invalid *alipayplus.ValidationError
		if errors.As(err, &invalid) { // it can never be sent
			return f.failed(ctx, alipayplus.CodeInvalidCode, origin, "a code value that cannot be sent: "+err.Error())
		}
	case alipayplus.OutcomeUnknown: // a ValidationError here is about the answer
	}
	after := f.askAgainAfter
	if errors.Is(err, alipayplus.CodeRequestTrafficExceedLimit) {
		after *= 4 // Alipay+ asks to be called less often
	}
	return Pending{Reason: "no final answer from Alipay+", AskAgainAfter: after, Err: err}
}

// refused reads a verified F, which may hold an action.
func (f *Flow) refused(ctx context.Context, err error, origin Origin) Step {
	var e *alipayplus.Error
	errors.As(err, &e)
	answer, ok := f.decoder.AnswerIn(err)
	if ok && wantsSDK(answer.ActionForm) {
		if !answer.ActionForm.SDKActionPayload.IsZero() {
			return SDKAction{answer.ActionForm.ActionType, answer.ActionForm.SDKActionPayload, origin, e.Result.Code}
		}
		return f.failed(ctx, e.Result.Code, origin, "an action for the client SDK without a payload")
	}
	return f.failed(ctx, e.Result.Code, origin, "")
}

// decoded judges a verified S, which Alipay+ sent at the time sent.
func (f *Flow) decoded(ctx context.Context, a *UserInitiatedPayResponse, sent time.Time, code alipayplus.Secret, customerID string, origin Origin) Step {
	if wantsSDK(a.ActionForm) {
		if !a.ActionForm.SDKActionPayload.IsZero() {
			return SDKAction{a.ActionForm.ActionType, a.ActionForm.SDKActionPayload, origin, a.Result.Code}
		}
		return f.failed(ctx, alipayplus.CodeProcessFail, origin, "an action for the client SDK without a payload")
	}
	amounts := payment.Amounts{
		PaymentAmount:    a.PaymentAmount,
		PayToAmount:      a.PayToAmount,
		PaymentQuote:     a.PaymentQuote,
		SurchargeInfo:    a.SurchargeInfo,
		PaymentPromoInfo: a.PaymentPromoInfo,
	}
	alarm := ""
	switch {
	case a.CodeType != "ORDER_CODE":
		alarm = "codeType is not ORDER_CODE"
	case !isID(a.PaymentRequestID):
		alarm = "paymentRequestId is missing or cannot be an id"
	case a.Order.ReferenceOrderID == "" && a.Order.OrderAmount.IsZero() && a.Order.Merchant.ReferenceMerchantID == "" &&
		a.Order.OrderDescription == "" && a.Order.Merchant.MerchantName == "":
		alarm = "order is missing"
	case a.PaymentAmount.IsZero():
		alarm = "paymentAmount is missing"
	case a.PayToAmount.IsZero():
		alarm = "payToAmount is missing"
	case amounts.Validate() != nil:
		alarm = amounts.Validate().Error()
	case a.PaymentFactor.IsPaymentEvaluation == alipayplus.True:
		alarm = "isPaymentEvaluation is true"
	case a.PaymentFactor.NeedSurcharge == alipayplus.True && a.SurchargeInfo.SurchargeAmount.IsZero():
		alarm = "needSurcharge is true and surchargeAmount is missing"
	}
	if _, ok := a.PaymentExpiryTime.Time(); !ok && !a.PaymentExpiryTime.IsZero() {
		alarm = "paymentExpiryTime is no time"
	}
	if alarm != "" {
		return f.failed(ctx, alipayplus.CodeProcessFail, origin, "decoded with S, but "+alarm)
	}
	terms := payment.Terms{
		PaymentRequestID: a.PaymentRequestID,
		CustomerID:       customerID,
		AcquirerID:       a.AcquirerID,
		PSPID:            a.PSPID,
		CodeValueDigest:  code.Digest(),
		Origin:           string(origin),
		Amounts:          amounts,
		Order:            a.Order,
		ExpiryTime:       a.PaymentExpiryTime,
		NotifyURL:        a.PaymentNotifyURL,
		RedirectURL:      a.PaymentRedirectURL,
	}
	if a.PaymentFactor.IsAuthorizationAndPay == alipayplus.True {
		terms.AuthorizationInfo = a.AuthorizationInfo
		if a.AuthorizationInfo.AuthClientID == "" {
			f.log.ErrorContext(ctx, "mpm: isAuthorizationAndPay without authorizationInfo; the user is not asked for consent",
				slog.String("paymentRequestId", a.PaymentRequestID))
		}
	}
	if redirect := a.PaymentRedirectURL.Reveal(); redirect != "" && !weburl.IsOpenable(redirect) {
		f.log.ErrorContext(ctx, "mpm: paymentRedirectUrl is not an http or https URL; the user will go to the wallet's home page",
			slog.String("paymentRequestId", a.PaymentRequestID))
		terms.RedirectURL = alipayplus.Secret{}
	}
	for _, d := range payment.CheckAmounts(terms.Amounts) {
		f.log.WarnContext(ctx, "mpm: an amount does not follow from the quote",
			slog.String("paymentRequestId", a.PaymentRequestID), slog.String("discrepancy", d.String()))
	}
	return f.open(ctx, payment.Opened{Terms: terms, SentAt: sent}, a)
}

// open stores the payment, or finds it as it is stored.
func (f *Flow) open(ctx context.Context, opened payment.Opened, answer *UserInitiatedPayResponse) Step {
	origin := Origin(opened.Origin)
	record, err := f.payments.Open(ctx, opened)
	switch result, refused := alipayplus.RefusalOf(err); {
	case err == nil:
	case refused && errors.Is(err, payment.ErrOtherCustomer):
		return f.failed(ctx, result.Code, origin, "the payment is known already, of another customer")
	case refused && errors.Is(err, payment.ErrInconsistent):
		return f.failed(ctx, result.Code, origin, "the payment is known already, by another code")
	case refused && errors.Is(err, payment.ErrParam):
		return f.failed(ctx, alipayplus.CodeProcessFail, origin, "decoded with S, but the payment cannot be opened: "+err.Error())
	case refused: // by ServiceConfig.Check
		f.log.InfoContext(ctx, "mpm: an order is refused before the user sees it",
			slog.String("paymentRequestId", opened.PaymentRequestID), slog.String("resultCode", result.Code.Error()))
		return f.failed(ctx, result.Code, origin, "")
	default: // also if the payment is stored and the answer of the database was lost
		f.log.Log(ctx, levelOf(ctx), "mpm: a payment cannot be opened; the app asks again",
			slog.String("paymentRequestId", opened.PaymentRequestID), slog.Any("error", err))
		return Pending{Reason: "the payment cannot be stored yet", AskAgainAfter: f.askAgainAfter, Err: err}
	}
	record.Origin = opened.Origin // the app passes the outcome on to who asks now
	expiry, _ := record.ExpiryTime.Time()
	switch {
	case record.State == payment.StateOpen:
		return Cashier{Record: record, Answer: *answer}
	case record.State == payment.StateClosed && !expiry.IsZero() && opened.SentAt.After(expiry): // when Alipay+ answered
		return f.failed(ctx, alipayplus.CodeOrderIsClosed, origin, "")
	}
	return f.resultPage(ctx, record)
}

// wantsSDK reports whether the form asks for the client SDK: everything but an
// absent type, null and HANDLE_BY_PSP does.
func wantsSDK(form payment.ActionForm) bool {
	switch form.ActionType {
	case "", "null", actionByPSP:
		return false
	}
	return true
}

func (f *Flow) failed(ctx context.Context, code alipayplus.ResultCode, origin Origin, alarm string) Step {
	if alarm != "" {
		f.log.ErrorContext(ctx, "mpm: a code cannot be paid", slog.String("resultCode", code.Error()), slog.String("alarm", alarm))
	}
	return Failed{Code: code, Message: f.message(ctx, code), Origin: origin, Alarm: alarm}
}
