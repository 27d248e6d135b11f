package mpmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// answer is every member that the JSON for the app may have.
type answer struct {
	Step string `json:"step"`

	RedirectURL    string `json:"redirectUrl"`
	UserAgent      string `json:"userAgent"`
	ACDecodeConfig string `json:"acDecodeConfig"`

	PaymentRequestID string          `json:"paymentRequestId"`
	MerchantName     string          `json:"merchantName"`
	StoreName        string          `json:"storeName"`
	OrderDescription string          `json:"orderDescription"`
	PaymentAmount    shown           `json:"paymentAmount"`
	PayToAmount      shown           `json:"payToAmount"`
	DebitAmount      shown           `json:"debitAmount"`
	SurchargeAmount  shown           `json:"surchargeAmount"`
	Savings          json.RawMessage `json:"savings"`
	Quote            json.RawMessage `json:"quote"`
	SurchargeQuote   json.RawMessage `json:"surchargeQuote"`
	ExpiryTime       string          `json:"expiryTime"`
	Consent          json.RawMessage `json:"consent"`

	ActionType       string `json:"actionType"`
	SDKActionPayload string `json:"sdkActionPayload"`

	Reason          string `json:"reason"`
	AskAgainAfterMS int64  `json:"askAgainAfterMs"`

	ResultCode string  `json:"resultCode"`
	Message    message `json:"message"`

	State    string `json:"state"`
	Redirect struct {
		To           string `json:"to"`
		URL          string `json:"url"`
		AfterSeconds int    `json:"afterSeconds"`
	} `json:"redirect"`

	// Call is the function of the client SDK to call.
	Call string `json:"call"`

	// Error is that of an answer without a step, Cashier the page to show then.
	Error   string  `json:"error"`
	Cashier *answer `json:"cashier"`
}

// message is a message for the user, or the text of an error.
type message struct {
	Key     string `json:"key"`
	Text    string `json:"text"`
	Support bool   `json:"support"`
}

// UnmarshalJSON reads both forms.
func (m *message) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &m.Text)
	}
	type fields message
	return json.Unmarshal(data, (*fields)(m))
}

// shown is an amount on a page.
type shown struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
	Display  string `json:"display"`
}

func (s shown) amount() (a alipayplus.Amount, err error) {
	if s == (shown{}) {
		return a, errors.New("it is absent")
	}
	text, err := json.Marshal(map[string]string{"currency": s.Currency, "value": s.Value})
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

func read(data []byte) (a answer, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err = d.Decode(&a); err != nil {
		return a, fmt.Errorf("mpmtest: JSON that the app does not understand: %w", err)
	}
	return a, nil
}
