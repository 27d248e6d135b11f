package main

import (
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// Where the codes of the sheet lead.
const (
	orderPrefix  = "https://qr.example/281"
	entryPrefix  = "https://shop.example/entry/"
	countryEntry = "https://pay.example/national?code="
	resultPage   = "https://shop.example/result/" // of a shop; the order's id follows
	localPrefix  = "harbour:"
	blockedHost  = "lottery.example"
)

// codeRules is what Alipay+ answers to inquiryCodeRules: which codes it takes.
const codeRules = `{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"example-1","codeRules":[
{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},
 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},
{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/entry/"},
 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}},
{"codeMatchPattern":{"matchMethod":"EMVCO","priority":60,"emvMatchRules":[{"primitiveMerchant":false,"extendedMerchantTag":"00","extendedMerchantValue":"EX.COUNTRYQR"}]},
 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"CONSTRUCT_DYNAMIC_URL","dynamicUrlExpression":"https://pay.example/national?code=${codeValue}"},
 "extendInfo":"{\"matchPattern\":\"{\\\"countryCode\\\":\\\"TH\\\",\\\"transactionAmount\\\":\\\"N<NULL>\\\"}\"}"},
{"codeMatchPattern":{"matchMethod":"EMVCO","priority":60,"emvMatchRules":[{"primitiveMerchant":false,"extendedMerchantTag":"00","extendedMerchantValue":"EX.COUNTRYQR"}]},
 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"},
 "extendInfo":"{\"matchPattern\":\"{\\\"countryCode\\\":\\\"TH\\\",\\\"transactionAmount\\\":\\\"N<NOT_NULL>\\\"}\"}"}]}`

// rates say how many HKD cents the smallest unit of a currency costs. (A won and
// a yen have no cents.)
var rates = map[alipayplus.Currency]payment.Price{"JPY": "5.1240", "CNY": "1.0765", "THB": "0.2318", "KRW": "0.5470"}

// goods are what is on a sign of the sheet.
type goods struct {
	ID    string
	Title string // what is special
	Note  string // what a person will see
	Group string
	Shop  string
	What  string
	Price alipayplus.Amount // zero: no order is placed for it
	fixed string            // the code, if it is always the same one
	life  time.Duration     // of the order; 0 means 10 minutes
}

// sheet is all that can be scanned.
var sheet = []goods{
	{ID: "order", Title: "Order code", Note: "Pay a price in yen.", Group: "pay", Shop: "Example Shoes", What: "Canvas shoes", Price: jpy(4_980)},
	{ID: "entry", Title: "Entry code", Note: "You enter the amount.", Group: "pay", Shop: "Corner Noodles", What: "Lunch", fixed: entryPrefix + "M0001"},
	{ID: "surcharge", Title: "With a surcharge", Note: "You pay more than the price.", Group: "pay", Shop: "Island Ferry", What: "Two tickets", Price: amount("THB", 900_00)},
	{ID: "promotion", Title: "With a promotion", Note: "You pay less than the price.", Group: "pay", Shop: "Seoul Records", What: "Vinyl", Price: amount("KRW", 32_000)},
	{ID: "consent", Title: "Order and agreement", Note: "The shop asks for later payments with one click.", Group: "pay", Shop: "Daily Coffee", What: "Beans", Price: jpy(1_450)},
	{ID: "country", Title: "National QR, no amount", Note: "A country’s own standard.", Group: "pay", Shop: "Example Noodles", What: "Dinner", fixed: nationalQR("")},
	{ID: "countryamount", Title: "National QR, with amount", Note: "Decoded by Alipay+ at once.", Group: "pay", Shop: "Example Noodles", What: "Dinner", Price: amount("THB", 120_00)},
	{ID: "hurry", Title: "Closes in 20 seconds", Note: "Look at it too long and it is gone.", Group: "pay", Shop: "Quick Kiosk", What: "Water", Price: jpy(150), life: 20 * time.Second},
	{ID: "limit", Title: "Over the mainland limit", Note: "Alipay+ explains, nobody pays.", Group: "refused", Shop: "Jade Street", What: "Bracelet", Price: amount("CNY", 7_000_01)},
	{ID: "expired", Title: "Expired code", Note: "Too old.", Group: "refused", Shop: "Example Shoes", What: "Socks", Price: jpy(600)},
	{ID: "closed", Title: "Closed order", Note: "The shop took it back.", Group: "refused", Shop: "Example Shoes", What: "Laces", Price: jpy(300)},
	{ID: "phishing", Title: "Look-alike", Note: "Begins like a real one.", Group: "other", fixed: "https://qr.example@pay-here.example/28100004000000000000000001"},
	{ID: "blocked", Title: "Blocked", Note: "On the wallet’s blocklist.", Group: "other", fixed: "https://" + blockedHost + "/you-won"},
	{ID: "foreign", Title: "Another network", Note: "Not for Alipay+.", Group: "other", fixed: "https://othernet.example/pay/77123"},
	{ID: "local", Title: "The wallet’s own", Note: "Between two users of the wallet.", Group: "other", fixed: localPrefix + "pay/bob"},
}

func goodsOf(id string) (goods, bool) {
	for _, g := range sheet {
		if g.ID == id {
			return g, true
		}
	}
	return goods{}, false
}

// entries are the pages that the client SDK opens for an entry code.
func entryGoods(redirectURL string) (g goods, in alipayplus.Currency, ok bool) {
	switch {
	case strings.HasPrefix(redirectURL, entryPrefix):
		g, ok = goodsOf("entry")
		return g, "JPY", ok
	case strings.HasPrefix(redirectURL, countryEntry):
		g, ok = goodsOf("country")
		return g, "THB", ok
	}
	return goods{}, "", false
}

func amount(c alipayplus.Currency, minor int64) alipayplus.Amount {
	return alipayplus.Amount{Currency: c, Minor: minor}
}
func jpy(n int64) alipayplus.Amount { return amount("JPY", n) }

// order is what a shop placed with Alipay+.
type order struct {
	ID      string // paymentRequestId
	Code    string // what is scanned; "" for an order of the online shop
	Kind    string // of the goods
	Shop    string
	Price   alipayplus.Amount
	Expires time.Time
	Result  alipayplus.Result // what the wallet reported

	Cancelled bool // taken back for the shop
}

// amounts are the sums of an order in both currencies.
func (o order) amounts() (payment.Amounts, error) {
	c := payment.Calculation{Asked: o.Price, PaymentQuote: payment.Quote{
		QuoteID: "Q-" + string(o.Price.Currency), QuoteCurrencyPair: string(o.Price.Currency) + "/HKD", QuotePrice: rates[o.Price.Currency],
	}}
	var promotion payment.PromoInfo
	switch o.Kind {
	case "promotion":
		saved, err := c.PaymentQuote.Convert(amount(o.Price.Currency, o.Price.Minor/10), payment.HalfUp)
		if err != nil {
			return payment.Amounts{}, err
		}
		c.Promotions = []alipayplus.Amount{saved}
		promotion.PaymentPromoDetails = []payment.PromoDetail{{PromoID: "PROMO-1", PromoName: "Autumn coupon", PromoType: "COUPON", SavingsAmount: saved}}
	case "surcharge":
		c.SurchargeQuote = payment.Quote{QuoteID: "S-THB", QuoteCurrencyPair: "THB/HKD", QuotePrice: "0.2388"}
	}
	sums, err := c.Sums()
	return payment.Amounts{
		PaymentAmount: sums.PaymentAmount, PayToAmount: sums.PayToAmount, PaymentQuote: c.PaymentQuote,
		SurchargeInfo:    payment.SurchargeInfo{SurchargeAmount: sums.SurchargeAmount, SurchargeQuote: c.SurchargeQuote},
		PaymentPromoInfo: promotion,
	}, err
}

// details are the order as messages have it.
func (o order) details() payment.Order {
	g, _ := goodsOf(o.Kind)
	what := g.What
	if what == "" {
		what = "Gift box"
	}
	return payment.Order{
		ReferenceOrderID: "ORDER-" + o.ID, OrderDescription: what, OrderAmount: o.Price,
		Merchant: payment.Merchant{
			ReferenceMerchantID: "M-" + strings.ReplaceAll(o.Shop, " ", "-"), MerchantMCC: "5999", MerchantName: o.Shop,
			Store: payment.Store{ReferenceStoreID: "S0001", StoreName: "Main branch", StoreMCC: "5999"},
		},
	}
}

// answer is what Alipay+ answers when the order's code is decoded.
func (o order) answer(errorPage func(text string) payment.ActionForm) (*mpm.UserInitiatedPayResponse, error) {
	switch {
	case o.Kind == "limit":
		return &mpm.UserInitiatedPayResponse{
			Result: alipayplus.CodeRegulationRestriction.Result(), ActionForm: errorPage("This payment is above the limit of CNY 7,000 for visitors. Nothing was charged."),
		}, nil
	case o.Kind == "closed", o.Cancelled:
		return nil, alipayplus.CodeOrderIsClosed
	case o.Kind == "expired" || time.Now().After(o.Expires):
		return nil, alipayplus.CodeExpiredCode
	}
	sums, err := o.amounts()
	if err != nil {
		return nil, err
	}
	a := &mpm.UserInitiatedPayResponse{
		AcquirerID: "ACQUIRER01", PSPID: "WALLET01", CodeType: "ORDER_CODE", PaymentRequestID: o.ID, Order: o.details(),
		PaymentFactor: payment.Factor{IsInStorePayment: alipayplus.True, IsCashierPayment: alipayplus.True},
		PaymentAmount: sums.PaymentAmount, PayToAmount: sums.PayToAmount, PaymentQuote: sums.PaymentQuote,
		SurchargeInfo: sums.SurchargeInfo, PaymentPromoInfo: sums.PaymentPromoInfo,
		PaymentRedirectURL: alipayplus.Conceal(resultPage + o.ID), PaymentExpiryTime: alipayplus.TimeOf(o.Expires),
		ActionForm: payment.ActionForm{ActionType: "HANDLE_BY_PSP"},
	}
	if !a.SurchargeInfo.SurchargeAmount.IsZero() {
		a.PaymentFactor.NeedSurcharge = alipayplus.True
	}
	if o.Kind == "consent" {
		a.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
		a.AuthorizationInfo = agreementOf(o)
	}
	return a, nil
}

// agreementOf is what the shop asks for together with the order.
func agreementOf(o order) payment.AuthorizationInfo {
	return payment.AuthorizationInfo{
		ReferenceAgreementID: "A-" + o.ID, AuthClientID: o.details().Merchant.ReferenceMerchantID, AuthState: alipayplus.Conceal("state-" + o.ID),
	}
}

// nationalQR is a code of an invented country's standard, in the form of EMVCo,
// with an amount if it is not empty, and a reference that makes it unique.
func nationalQR(baht string) string {
	point := "11"
	if baht != "" {
		point = "12"
	}
	code := field("00", "01") + field("01", point) + field("29", field("00", "EX.COUNTRYQR")+field("01", "SHOP0007")) + field("52", "5812") + field("53", "764")
	if baht != "" {
		code += field("54", baht)
	}
	code += field("58", "TH") + field("59", "EXAMPLE NOODLES") + field("60", "BANGKOK")
	if baht != "" {
		code += field("62", field("05", random(8)))
	}
	code += "6304"
	return code + fmt.Sprintf("%04X", checksum(code))
}

func field(tag, value string) string { return fmt.Sprintf("%s%02d%s", tag, len(value), value) }

// checksum is CRC-16/CCITT-FALSE, as EMVCo codes have it.
func checksum(text string) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range []byte(text) {
		sum ^= uint16(b) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}

// random is n random letters and digits.
func random(n int) string {
	text := make([]byte, n)
	fillRandom(text)
	return base32.StdEncoding.EncodeToString(text)[:n]
}
