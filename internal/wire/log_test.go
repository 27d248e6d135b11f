package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

const canary = "CANARY"

// full has something of every kind to log, and a canary wherever something is
// held.
func full() payRequest {
	r := good()
	r.Order.Merchant.Name = "Example Shop"
	r.Order.Goods = append(r.Order.Goods, goods{ReferenceGoodsID: "h", Quantity: 2}, goods{Name: "i"}, goods{Name: "j"})
	r.PaymentFactor.Agreement = true
	r.CodeQuantity, r.Installments = -1, 3
	r.ExtendInfo = json.RawMessage(`{"a":"CANARY"}`)
	r.Labels = map[string]string{canary: canary}
	note := "two\nlines"
	r.Note = &note
	r.CustomerID = "C1"
	r.AccessToken = conceal(canary)
	r.PaymentMethod = method{ID: conceal(canary), MetaData: metaData{LoginID: conceal(canary)}}
	r.Ignored, r.hidden = canary, canary
	return r
}

func logged(v any) string {
	var text bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "r", wire.LogValue(v))
	_, rest, _ := strings.Cut(text.String(), " msg=m ")
	return rest
}

func TestLogValue(t *testing.T) {
	r := full()
	for _, v := range []any{r, &r} {
		want := `r.paymentRequestId=1 r.paymentAmount.currency=JPY r.paymentAmount.minor=100 r.order.referenceOrderId=<&> ` +
			`r.order.merchant.merchantName="Example Shop" ` +
			`r.order.goods.0.referenceGoodsId=g r.order.goods.1.referenceGoodsId=h r.order.goods.1.goodsQuantity=2 ` +
			`r.order.goods.2.goodsName=i r.order.goods.of=4 ` +
			`r.paymentMethod.paymentMethodId=[redacted] r.paymentMethod.paymentMethodMetaData.userLoginId=[redacted] ` +
			`r.paymentFactor.isAgreementPayment=true r.codeQuantity=-1 r.installments=3 r.accessToken=[redacted] r.customerId=C1 ` +
			`r.extendInfo="[14 bytes]" r.labels="[1 entries]" r.note="two\nlines"` + "\n"
		if got := logged(v); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
	if got := wire.LogValue((*payRequest)(nil)).String(); got != "<nil>" {
		t.Error(got)
	}
}

// corners holds secrets in every kind of container, and values that have no
// plain form.
type corners struct {
	Ptr      *token           `json:"ptr"`
	List     []token          `json:"list"`
	Array    [2]token         `json:"array"`
	Ptrs     []*metaData      `json:"ptrs"`
	Map      map[string]token `json:"map"`
	Any      any              `json:"any"`
	Err      error            `json:"err"`
	Bytes    []byte           `json:"bytes"`
	Sum      [4]byte          `json:"sum"`
	Took     time.Duration    `json:"took"`
	At       time.Time        `json:"at"`
	Rate     float64          `json:"rate"`
	Func     func()           `json:"func"`
	HTTPCode int              // no wire name: the Go name, made to look like one
}

func TestLogCorners(t *testing.T) {
	secret := conceal(canary)
	full := corners{
		Ptr: &secret, List: []token{secret, {}}, Array: [2]token{secret}, Ptrs: []*metaData{{LoginID: secret}, nil},
		Map: map[string]token{canary: secret}, Any: map[string]any{"x": secret}, Err: errors.New(canary),
		Bytes: []byte(canary), Sum: [4]byte([]byte(canary)), Took: time.Second,
		At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Rate: 1.5, Func: func() {}, HTTPCode: 200,
	}
	want := `r.ptr=[redacted] r.list.0=[redacted] r.list.1=[redacted] r.array.0=[redacted] r.array.1=[redacted] ` +
		`r.ptrs.0.userLoginId=[redacted] r.ptrs.1=<nil> r.map="[1 entries]" r.any="[1 entries]" r.err=[errors.errorString] ` +
		`r.bytes="[6 bytes]" r.sum="[4 bytes]" r.took=1s r.at="2025-01-02 03:04:05 +0000 UTC" r.rate=1.5 r.func=[func()] r.httpCode=200` + "\n"
	if got := logged(full); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	for _, anything := range []any{secret, &secret, payRequest{AccessToken: secret}, full, &full, []token{secret}, []any{secret}, nil} {
		full.Any = anything
		if got := logged(full) + logged(anything); strings.Contains(got, canary) {
			t.Error(got)
		}
	}
}

func TestLogCircle(t *testing.T) {
	circle := &loop{}
	circle.Next = circle
	if got := logged(circle); !strings.Contains(got, "…") {
		t.Error(got)
	}
}
