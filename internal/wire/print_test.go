package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

const canary = "CANARY"

// open has something to show of every kind.
func open() payRequest {
	r := good()
	r.Order.Merchant.Name = "Example Shop"
	r.Order.Goods = append(r.Order.Goods, goods{ReferenceGoodsID: "h", Quantity: 2}, goods{Name: "i"}, goods{Name: "j"})
	r.PaymentFactor.Agreement = true
	r.CodeQuantity, r.Installments = -1, 3
	r.ExtendInfo = json.RawMessage(`{"a":"CANARY"}`)
	r.Labels = map[string]string{canary: canary}
	note := "two\nlines"
	r.Note = &note
	return r
}

// closed has a canary wherever something is private.
func closed() payRequest {
	r := open()
	r.CustomerID = canary
	r.AccessToken = conceal(canary)
	r.PaymentMethod = method{ID: conceal(canary), MetaData: metaData{LoginID: conceal(canary)}}
	r.Ignored, r.hidden = canary, canary
	return r
}

const printed = `payRequest{paymentRequestId:1 paymentAmount:{currency:JPY minor:100} ` +
	`order:{referenceOrderId:<&> merchant:{merchantName:Example Shop} ` +
	`goods:[{referenceGoodsId:g} {referenceGoodsId:h goodsQuantity:2} {goodsName:i} …]} ` +
	`paymentMethod:{paymentMethodId:[redacted] paymentMethodMetaData:{userLoginId:[redacted]}} ` +
	`paymentFactor:{isAgreementPayment:true} codeQuantity:-1 installments:3 accessToken:[redacted] customerId:[redacted] ` +
	`extendInfo:[14 bytes] labels:[1 entries] note:"two\nlines"}`

func TestFormat(t *testing.T) {
	r := closed()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%10.2v", "%-5s"} {
		for _, v := range []any{r, &r} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s: %s", verb, got)
			}
			if got != printed {
				t.Errorf("%s\ngot  %s\nwant %s", verb, got, printed)
			}
		}
	}
	if got := fmt.Sprint(payRequest{}); got != "payRequest{}" {
		t.Error(got)
	}
	if got := fmt.Sprintf("%+v %v", []payRequest{{CustomerID: "1"}}, struct{ R any }{payRequest{CustomerID: "1"}}); got !=
		"[payRequest{customerId:[redacted]}] {payRequest{customerId:[redacted]}}" {
		t.Error(got)
	}
	if got := fmt.Sprint((*payRequest)(nil)); got != "<nil>" {
		t.Error(got)
	}
}

func TestLogValue(t *testing.T) {
	var text, doc bytes.Buffer
	r := closed()
	for _, v := range []any{r, &r} {
		text.Reset()
		doc.Reset()
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "r", v)
		slog.New(slog.NewJSONHandler(&doc, nil)).Info("m", "r", v)
		if strings.Contains(text.String()+doc.String(), canary) {
			t.Errorf("%s%s", &text, &doc)
		}
		want := ` msg=m r.paymentRequestId=1 r.paymentAmount.currency=JPY r.paymentAmount.minor=100 r.order.referenceOrderId=<&> ` +
			`r.order.merchant.merchantName="Example Shop" ` +
			`r.order.goods="[{referenceGoodsId:g} {referenceGoodsId:h goodsQuantity:2} {goodsName:i} …]" ` +
			`r.paymentMethod.paymentMethodId=[redacted] r.paymentMethod.paymentMethodMetaData.userLoginId=[redacted] ` +
			`r.paymentFactor.isAgreementPayment=true r.codeQuantity=-1 r.installments=3 r.accessToken=[redacted] r.customerId=[redacted] ` +
			`r.extendInfo="[14 bytes]" r.labels="[1 entries]" r.note="two\nlines"` + "\n"
		if !strings.HasSuffix(text.String(), want) {
			t.Errorf("got  %swant %s", &text, want)
		}
	}
	var got struct {
		R struct {
			ID     string                               `json:"paymentRequestId"`
			Count  json.Number                          `json:"codeQuantity"`
			Factor map[string]bool                      `json:"paymentFactor"`
			Method map[string]json.RawMessage           `json:"paymentMethod"`
			Order  struct{ Merchant map[string]string } `json:"order"`
		} `json:"r"`
	}
	if err := json.Unmarshal(doc.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.R.ID != "1" || got.R.Count != "-1" || !got.R.Factor["isAgreementPayment"] || string(got.R.Method["paymentMethodId"]) != `"[redacted]"` ||
		got.R.Order.Merchant["merchantName"] != "Example Shop" {
		t.Errorf("%s", &doc)
	}
	if got := wire.LogValue((*payRequest)(nil)).String(); got != "<nil>" {
		t.Error(got)
	}
}

// corners holds private things in every kind of container, and values that have no plain form.
type corners struct {
	Ptr      *token           `json:"ptr"`
	List     []token          `json:"list"`
	Array    [2]token         `json:"array"`
	Ptrs     []*metaData      `json:"ptrs"`
	Map      map[string]token `json:"map"`
	Any      any              `json:"any"`
	Err      error            `json:"err"`
	Private  []string         `json:"private" wire:"private"`
	Object   address          `json:"object" wire:"private"`
	Bytes    []byte           `json:"bytes"`
	Sum      [4]byte          `json:"sum"`
	Took     time.Duration    `json:"took"`
	At       time.Time        `json:"at"`
	Rate     float64          `json:"rate"`
	Func     func()           `json:"func"`
	HTTPCode int              // no wire name: the Go name, made to look like one
	MSISDN   pointerSecret
	Embedded
}

type Embedded struct {
	Inner string `json:"inner" wire:"private"`
}

// pointerSecret has its method at the pointer, where a value in an interface does not offer it.
type pointerSecret string

func (s *pointerSecret) Reveal() string { return string(*s) }

func (c corners) Format(s fmt.State, verb rune) { wire.Format(s, verb, c) }
func (c corners) LogValue() slog.Value          { return wire.LogValue(c) }

func TestPrintCorners(t *testing.T) {
	secret := conceal(canary)
	full := corners{
		Ptr: &secret, List: []token{secret, {}}, Array: [2]token{secret}, Ptrs: []*metaData{{LoginID: secret}, nil},
		Map: map[string]token{canary: secret}, Any: map[string]any{"x": secret}, Err: errors.New(canary), Private: []string{canary},
		Object: address{canary}, Bytes: []byte(canary), Sum: [4]byte([]byte(canary)), Took: time.Second,
		At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Rate: 1.5, Func: func() {}, HTTPCode: 200, MSISDN: canary,
		Embedded: Embedded{canary},
	}
	want := `corners{ptr:[redacted] list:[[redacted] [redacted]] array:[[redacted] [redacted]] ptrs:[{userLoginId:[redacted]} <nil>] ` +
		`map:[1 entries] any:[1 entries] err:[errors.errorString] private:[redacted] object:[redacted] bytes:[6 bytes] sum:[4 bytes] ` +
		`took:1s at:2025-01-02 03:04:05 +0000 UTC rate:1.5 func:[func()] httpCode:200 msisdn:[redacted] inner:[redacted]}`
	if got := fmt.Sprintf("%+v", full); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "r", full)
	for _, anything := range []any{secret, &secret, closed(), full, &full, pointerSecret(canary), []any{pointerSecret(canary)}, []token{secret}, nil} {
		full.Any = anything
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "r", full)
		fmt.Fprintf(&log, "%#v", full)
		fmt.Fprint(&log, formatted{anything})
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "r", wire.LogValue(anything))
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("%s", &log)
	}
}

// formatted gives any value at all to Format.
type formatted struct{ v any }

func (f formatted) Format(s fmt.State, verb rune) { wire.Format(s, verb, f.v) }

func TestPrintCircle(t *testing.T) {
	circle := &loop{}
	circle.Next = circle
	if got := fmt.Sprint(formatted{circle}); !strings.Contains(got, "…") {
		t.Error(got)
	}
	if got := wire.LogValue(circle).String(); !strings.Contains(got, "…") {
		t.Error(got)
	}
}

// A text must not be able to start a line of its own in a log.
func TestFormatKeepsToOneLine(t *testing.T) {
	for _, text := range []string{"a\nb", "a\rb", "a\u2028b", "a\x1b[31mb", "\xff"} {
		r := payRequest{PspID: text, Tags: []string{text}}
		if got := fmt.Sprint(r); strings.Contains(got, text) {
			t.Errorf("%q", got)
		}
	}
	if got := fmt.Sprint(payRequest{PspID: "日本 é"}); got != "payRequest{pspId:日本 é}" {
		t.Error(got)
	}
}
