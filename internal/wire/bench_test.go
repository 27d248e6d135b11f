package wire_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// pairs runs a and b in turns and reports how many times as long a takes: the
// median of the pairs, so that a busy machine slows both or neither.
func pairs(b *testing.B, unit string, f, floor func()) {
	const batch = 20
	took := func(f func()) time.Duration {
		start := time.Now()
		for range batch {
			f()
		}
		return time.Since(start)
	}
	b.ReportAllocs()
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, float64(took(f))/float64(took(floor)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], unit)
}

func BenchmarkCheck(b *testing.B) {
	data := []byte(sample)
	pairs(b, "x-json.Valid",
		func() {
			if wire.Check(data) != nil {
				b.Fatal("refused")
			}
		},
		func() {
			if !json.Valid(data) {
				b.Fatal("refused")
			}
		})
}

// plain types, so that both decoders do the same work.
type plainRequest struct {
	PaymentRequestID string      `json:"paymentRequestId"`
	AcquirerID       string      `json:"acquirerId"`
	PspID            string      `json:"pspId"`
	ExtendInfo       string      `json:"extendInfo"`
	PassThroughInfo  string      `json:"passThroughInfo"`
	ExpiryTime       string      `json:"paymentExpiryTime"`
	RedirectURL      string      `json:"paymentRedirectUrl"`
	PaymentAmount    plainAmount `json:"paymentAmount"`
	PayToAmount      plainAmount `json:"payToAmount"`
	Order            struct {
		Amount      plainAmount `json:"orderAmount"`
		Description string      `json:"orderDescription"`
		ID          string      `json:"referenceOrderId"`
		Merchant    merchant    `json:"merchant"`
	} `json:"order"`
	Authorization authorization `json:"authorizationInfo"`
	Method        struct {
		Type     string `json:"paymentMethodType"`
		MetaData struct {
			LoginID string `json:"userLoginId"`
			Type    string `json:"userLoginIdType"`
		} `json:"paymentMethodMetaData"`
	} `json:"paymentMethod"`
}

type plainAmount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

func BenchmarkDecode(b *testing.B) {
	data := []byte(sample)
	pairs(b, "x-encoding/json",
		func() {
			var r plainRequest
			if wire.Decode(data, &r) != nil {
				b.Fatal("refused")
			}
		},
		func() {
			var r plainRequest
			if json.Unmarshal(data, &r) != nil {
				b.Fatal("refused")
			}
		})
}
