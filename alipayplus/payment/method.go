package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Factor is paymentFactor: what kind of payment this is. A flag that is absent
// is Unset, which is not the same as False.
type Factor struct {
	IsInStorePayment       alipayplus.Bool `json:"isInStorePayment,omitzero"`                     // the user is in a store
	IsCashierPayment       alipayplus.Bool `json:"isCashierPayment,omitzero"`                     // the wallet shows its cashier page
	NeedSurcharge          alipayplus.Bool `json:"needSurcharge,omitzero"`                        // surchargeInfo is present
	InStorePaymentScenario string          `json:"inStorePaymentScenario,omitzero" wire:"max=32"` // PaymentCode, OrderCode, EntryCode

	// These four decide what a pay request asks for, so that an odd value is
	// refused.
	IsAgreementPayment    alipayplus.Bool `json:"isAgreementPayment,omitzero" wire:"check"`    // Auto Debit, Easy Pay
	IsEasyPayScenario     alipayplus.Bool `json:"isEasyPayScenario,omitzero" wire:"check"`     // Easy Pay
	IsPaymentEvaluation   alipayplus.Bool `json:"isPaymentEvaluation,omitzero" wire:"check"`   // evaluate only: no money moves
	IsAuthorizationAndPay alipayplus.Bool `json:"isAuthorizationAndPay,omitzero" wire:"check"` // bind the account, too

	// Left out by Alipay+ since release 1.5.5.
	IsAuthorizationPayment  alipayplus.Bool `json:"isAuthorizationPayment,omitzero"`
	IsDeferredPayment       alipayplus.Bool `json:"isDeferredPayment,omitzero"`
	IsCrossborderSettlement alipayplus.Bool `json:"isCrossborderSettlement,omitzero"`
	NeedCheckCompliance     alipayplus.Bool `json:"needCheckCompliance,omitzero"`
	NeedOTPVerification     alipayplus.Bool `json:"needOtpVerification,omitzero"`
}

// Method is paymentMethod of pay: who pays. A payment code or an access token
// is in PaymentMethodID; Easy Pay names the user by PaymentMethodMetaData
// instead, if PaymentMethodID is absent.
type Method struct {
	PaymentMethodType     string            `json:"paymentMethodType,omitzero" wire:"max=64"`      // REQUIRED, ≤ 64: CONNECT_WALLET, ALIPAY_HK, …, an open set
	PaymentMethodID       alipayplus.Secret `json:"paymentMethodId,omitzero" wire:"check,max=128"` // ≤ 128
	CustomerID            string            `json:"customerId,omitzero" wire:"check,max=64"`       // ≤ 64: the MPP's user id
	PaymentMethodMetaData MethodMetaData    `json:"paymentMethodMetaData,omitzero" wire:"check,jsonstring"`
}

// MethodMetaData is paymentMethod.paymentMethodMetaData. It may arrive as a
// JSON object or as one in a string.
type MethodMetaData struct {
	PaymentCodeRegion string            `json:"paymentCodeRegion,omitzero" wire:"check,max=2"` // payment codes: ISO 3166, must be the code's region
	UserLoginID       alipayplus.Secret `json:"userLoginId,omitzero" wire:"check,max=64"`      // Easy Pay: the id that the user logs in with
	UserLoginIDType   string            `json:"userLoginIdType,omitzero" wire:"check,max=32"`  // Easy Pay: MOBILE
	AuthClientID      string            `json:"authClientId,omitzero" wire:"max=64"`           // ≤ 64
}

// ActionForm tells the wallet what to do with a decoded code. It must be obeyed
// with result status S and with F.
type ActionForm struct {
	// ActionType is HANDLE_BY_PSP or absent (go on), or HANDLE_BY_SDK (hand
	// ActionType and SDKActionPayload to the app, for the Alipay+ client SDK).
	ActionType string `json:"actionType,omitzero" wire:"check,max=64"`
	// SDKActionPayload is opaque: pass it on byte for byte.
	SDKActionPayload alipayplus.Secret `json:"sdkActionPayload,omitzero" wire:"check"`
}

// AuthorizationInfo is the agreement that the user makes together with a
// payment. It comes when PaymentFactor.IsAuthorizationAndPay is true.
type AuthorizationInfo struct {
	ReferenceAgreementID string            `json:"referenceAgreementId,omitzero" wire:"check,max=64"` // ≤ 64: the auth client's id of the agreement
	AuthClientID         string            `json:"authClientId,omitzero" wire:"check,max=64"`         // ≤ 64: usually the merchant
	AuthState            alipayplus.Secret `json:"authState,omitzero" wire:"check,max=256"`           // ≤ 256: made by the auth client
}
