package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// SurchargeInfo is what Alipay+ collects on behalf of the MPP, a value-added
// service. It comes when PaymentFactor.NeedSurcharge is true.
type SurchargeInfo struct {
	// SurchargeAmount, if present, is what the user is debited instead of
	// payToAmount (in a refund: what the user gets back instead of
	// refundFromAmount). It is the whole sum, not an addition.
	SurchargeAmount alipayplus.Amount `json:"surchargeAmount,omitzero" wire:"check"`
	SurchargeQuote  Quote             `json:"surchargeQuote,omitzero"`
}

// PromoInfo is paymentPromoInfo: the promotions that Alipay+ gave.
// paymentAmount, payToAmount and surchargeAmount are already reduced by them.
type PromoInfo struct {
	PaymentPromoDetails []PromoDetail `json:"paymentPromoDetails,omitzero"`
}

// PromoDetail is one promotion of a payment.
type PromoDetail struct {
	PromoID       string            `json:"promoId,omitzero" wire:"max=64"`    // ≤ 64
	PromoName     string            `json:"promoName,omitzero" wire:"max=256"` // ≤ 256
	PromoType     string            `json:"promoType,omitzero" wire:"max=64"`  // an open set
	SavingsAmount alipayplus.Amount `json:"savingsAmount,omitzero"`            // what the user saves
}

// RefundPromoInfo tells how a refund touches the promotions of its payment.
type RefundPromoInfo struct {
	RefundPromoDetails []RefundPromoDetail `json:"refundPromoDetails,omitzero"`
}

// RefundPromoDetail is one promotion of a refund.
type RefundPromoDetail struct {
	PromoID      string            `json:"promoId,omitzero" wire:"max=64"`    // ≤ 64
	PromoName    string            `json:"promoName,omitzero" wire:"max=256"` // ≤ 256
	PromoType    string            `json:"promoType,omitzero" wire:"max=64"`  // an open set
	RefundAmount alipayplus.Amount `json:"refundAmount,omitzero"`             // the part of the promotion that is not refunded yet
}
