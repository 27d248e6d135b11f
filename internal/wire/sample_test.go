package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// payRequest has the shape of the largest common message and every kind of
// field.
type payRequest struct {
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"required,max=64"`
	PaymentAmount    amount            `json:"paymentAmount,omitzero" wire:"required"`
	PayToAmount      amount            `json:"payToAmount,omitzero" wire:"check"`
	Order            order             `json:"order,omitzero" wire:"required"`
	PaymentMethod    method            `json:"paymentMethod,omitzero" wire:"required"`
	PaymentFactor    factor            `json:"paymentFactor,omitzero"`
	Authorization    authorization     `json:"authorizationInfo,omitzero"`
	RedirectURL      string            `json:"paymentRedirectUrl,omitzero" wire:"max=2048,https"`
	NotifyURL        token             `json:"paymentNotifyUrl,omitzero" wire:"https"`
	CodeQuantity     int8              `json:"codeQuantity,omitzero" wire:"check"`
	Installments     uint16            `json:"installments,omitzero"`
	AccessToken      token             `json:"accessToken,omitzero" wire:"max=8"`
	CustomerID       string            `json:"customerId,omitzero" wire:"max=64"`
	ExtendInfo       json.RawMessage   `json:"extendInfo,omitzero" wire:"max=32"`
	Labels           map[string]string `json:"labels,omitzero"`
	Tags             []string          `json:"tags,omitzero" wire:"check,max=4"`
	Note             *string           `json:"note,omitzero"`
	AcquirerID       string            `json:"acquirerId,omitzero"`
	PspID            string            `json:"pspId,omitzero"`
	Ignored          string            `json:"-"`
	hidden           string
}

type order struct {
	Header
	Amount   amount   `json:"orderAmount,omitzero"`
	Env      env      `json:"env,omitzero"`
	Merchant merchant `json:"merchant,omitzero"`
	Goods    []goods  `json:"goods,omitzero"`
}

type Header struct {
	ReferenceOrderID string `json:"referenceOrderId,omitzero" wire:"max=64"`
	Description      string `json:"orderDescription,omitzero" wire:"max=256"`
}

type env struct {
	TerminalType string `json:"terminalType,omitzero"`
}

type merchant struct {
	Name    string  `json:"merchantName,omitzero" wire:"max=256"`
	Display string  `json:"merchantDisplayName,omitzero"`
	MCC     string  `json:"merchantMCC,omitzero" wire:"max=32"`
	ID      string  `json:"referenceMerchantId,omitzero"`
	Address address `json:"merchantAddress,omitzero"`
}

type address struct {
	Region string `json:"region,omitzero"`
}

type goods struct {
	ReferenceGoodsID string `json:"referenceGoodsId,omitzero" wire:"required,max=64"`
	Name             string `json:"goodsName,omitzero"`
	UnitAmount       amount `json:"goodsUnitAmount,omitzero"`
	Quantity         int    `json:"goodsQuantity,omitzero"`
}

type method struct {
	ID       token    `json:"paymentMethodId,omitzero"`
	Type     string   `json:"paymentMethodType,omitzero"`
	MetaData metaData `json:"paymentMethodMetaData,omitzero" wire:"jsonstring,alias=metaData,alias=extraData"`
}

type metaData struct {
	LoginID token  `json:"userLoginId,omitzero"`
	Type    string `json:"userLoginIdType,omitzero" wire:"required"`
}

type factor struct {
	Agreement  bool `json:"isAgreementPayment,omitzero" wire:"check"`
	EasyPay    bool `json:"isEasyPayScenario,omitzero" wire:"check"`
	Evaluation bool `json:"isPaymentEvaluation,omitzero" wire:"check"`
	Cashier    bool `json:"isCashierPayment,omitzero"`
}

type authorization struct {
	ClientID  string `json:"authClientId,omitzero"`
	State     string `json:"authState,omitzero"`
	Agreement string `json:"referenceAgreementId,omitzero"`
}

// token is a secret as alipayplus.Secret is one.
type token struct{ heldText }

type heldText = wire.Held[string]

func conceal(s string) token { return token{wire.Hold(s)} }

func (t token) Reveal() string             { return wire.Look(t.heldText) }
func (t token) Equal(other token) bool     { return t.Reveal() == other.Reveal() }
func (token) MarshalJSON() ([]byte, error) { return nil, errors.New("not by encoding/json") }

// amount encodes itself and has rules of its own.
type amount struct {
	Currency string
	Minor    int64
}

func (a amount) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"currency":%q,"value":"%d"}`, a.Currency, a.Minor), nil
}

func (a *amount) UnmarshalJSON(data []byte) error {
	var w struct {
		Currency string `json:"currency" wire:"required"`
		Value    uint32 `json:"value" wire:"required"`
	}
	if len(data) == 0 || data[0] != '{' {
		return errors.New("want an object, not " + string(data))
	}
	if err := wire.Decode(data, &w); err != nil {
		return err
	}
	if w.Currency == "XXX" {
		return fmt.Errorf("amount: %w", currencyError(string(data)))
	}
	*a = amount{w.Currency, int64(w.Value)}
	return nil
}

func (a amount) WireRules() []string {
	if len(a.Currency) != 3 || strings.ToUpper(a.Currency) != a.Currency {
		return []string{"currency is not three upper-case letters"}
	}
	return nil
}

type currencyError string

func (e currencyError) Error() string  { return string(e) }
func (currencyError) WireRule() string { return "of no currency" }

// sample is a made-up body of the shape and size of a common pay request.
const sample = `{
    "acquirerId": "1020000000000000001",
    "extendInfo": "{\"acqToMerchantSettleFxMode\":\"NON_LOCKING\",\"fxRateBizScene\":\"COMMON_QUOTE\",\"settleContractId\":\"2022000000000000000000000000001\",\"merchantSettlementArea\":\"HK\",\"isLocalSettlement\":false,\"acqSiteMerchantInfo\":{\"merchantId\":\"2180000000000001\",\"merchantName\":\"Example Shop\"},\"fxPdCode\":\"Example_KA\",\"settleProductCode\":\"MC000000000000000001\"}",
    "order":
    {
        "env":
        {},
        "merchant":
        {
            "merchantAddress":
            {
                "region": "SG"
            },
            "merchantDisplayName": "Example Shop",
            "merchantMCC": "5021",
            "merchantName": "Example Shop",
            "referenceMerchantId": "2180000000000001"
        },
        "orderAmount":
        {
            "currency": "IDR",
            "value": "5000"
        },
        "orderDescription": "EXAMPLE_GIFT",
        "referenceOrderId": "order_20230101_093653_001"
    },
    "passThroughInfo": "{\"buyerId\":\"buyer.001\",\"gaid\":\"\",\"merchantTerminalType\":\"android\",\"pinRedirectUrl\":\"https://pay.example.com/page/checkout/index.html?paymentSessionData=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D%3D%26%26SG%26%26188&ps=EASY_PAY&pmct=WALLET&psv=2.0&app=app&en_US=en_US\",\"renderGroup\":\"h5\",\"securityCode\":\"****************************************************************\"}",
    "payToAmount":
    {
        "currency": "IDR",
        "value": "5000"
    },
    "paymentAmount":
    {
        "currency": "IDR",
        "value": "5000"
    },
    "paymentExpiryTime": "2023-01-01T09:47:51+08:00",
    "authorizationInfo":
    {
        "authClientId": "2180000000000001",
        "authState": "authState_0001",
        "referenceAgreementId": "2023010100000000000000000000001"
    },
    "paymentFactor":
    {
        "isAgreementPayment": "true",
        "isAuthorizationAndPay": "true",
        "isEasyPayScenario": "true"
    },
    "paymentMethod":
    {
        "paymentMethodMetaData":
        {
            "userLoginId": "000-00000000",
            "userLoginIdType": "MOBILE"
        },
        "paymentMethodType": "EXAMPLE_WALLET"
    },
    "paymentRequestId": "2023010100000000000000000000001",
    "pspId": "1020000000000000002",
    "paymentRedirectUrl":"https://pay.example.com/page/checkout/index.html?paymentSessionData=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D%3D%26%26SG%26%26188&ps=EASY_PAY&pmct=WALLET&psv=2.0&app=app&en_US=en_US"
}`
