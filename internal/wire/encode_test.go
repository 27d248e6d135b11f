package wire_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

func good() payRequest {
	return payRequest{
		PaymentRequestID: "1",
		PaymentAmount:    amount{"JPY", 100},
		Order:            order{Header: Header{ReferenceOrderID: "<&>"}, Goods: []goods{{ReferenceGoodsID: "g"}}},
		PaymentMethod:    method{Type: "A"},
	}
}

func TestEncode(t *testing.T) {
	r := good()
	r.PaymentFactor.Agreement = true
	r.ExtendInfo = json.RawMessage(`{ "a": 1 }`)
	r.Labels = map[string]string{"b": "x\"", "a": `:\"`}
	want := `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":"100"},"order":{"referenceOrderId":"<&>",` +
		`"goods":[{"referenceGoodsId":"g"}]},"paymentMethod":{"paymentMethodType":"A"},"paymentFactor":{"isAgreementPayment":true},` +
		`"extendInfo":{"a":1},"labels":{"a":":\\\"","b":"x\""}}`
	for _, v := range []any{r, &r} {
		got, err := wire.Encode(v)
		if err != nil || string(got) != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
		if got, err = wire.EncodeUnchecked(v); err != nil || string(got) != want {
			t.Errorf("unchecked: %v\ngot  %s", err, got)
		}
	}
}

// What Encode lets out comes back as it was, and passes Check.
func TestEncodeDecode(t *testing.T) {
	var first, second payRequest
	if p := decode(t, sample, &first); p != nil {
		t.Fatal(p)
	}
	_, err := wire.Encode(first)
	if err == nil || err.Error() != "invalid message: extendInfo: longer than 32 characters" {
		t.Fatal(err)
	}
	first.ExtendInfo = nil
	data, err := wire.Encode(first)
	if err != nil {
		t.Fatal(err)
	}
	if p := decode(t, string(data), &second); p != nil {
		t.Fatal(p)
	}
	if again, err := wire.Encode(second); err != nil || string(again) != string(data) {
		t.Errorf("%v\ngot  %s\nwant %s", err, again, data)
	}
}

func TestValidate(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) } // two bytes each: characters are counted
	text := "x"
	for _, test := range []struct {
		rule string
		edit func(*payRequest)
		want []string
	}{
		{"nothing wrong", func(*payRequest) {}, nil},
		{"required", func(r *payRequest) { *r = payRequest{} },
			[]string{"paymentRequestId: missing", "paymentAmount: missing", "order: missing", "paymentMethod: missing"}},
		{"required inside of an item", func(r *payRequest) { r.Order.Goods = []goods{{ReferenceGoodsID: "1"}, {Name: "A"}, {}} },
			[]string{"order.goods[1].referenceGoodsId: missing", "order.goods[2].referenceGoodsId: missing"}},
		{"required inside of an optional object", func(r *payRequest) { r.PaymentMethod.MetaData.LoginID = conceal("x") },
			[]string{"paymentMethod.paymentMethodMetaData.userLoginIdType: missing"}},
		{"max, just kept", func(r *payRequest) { r.PaymentRequestID = long(64) }, nil},
		{"max, exceeded", func(r *payRequest) { r.PaymentRequestID = long(65) }, []string{"paymentRequestId: longer than 64 characters"}},
		{"max of an embedded field", func(r *payRequest) { r.Order.ReferenceOrderID = long(65) },
			[]string{"order.referenceOrderId: longer than 64 characters"}},
		{"max of what is held, just kept", func(r *payRequest) { r.AccessToken = conceal(long(8)) }, nil},
		{"max of what is held, exceeded", func(r *payRequest) { r.AccessToken = conceal(long(9)) },
			[]string{"accessToken: longer than 8 characters"}},
		{"max of a slice, just kept", func(r *payRequest) { r.Tags = []string{"1", "2", "3", long(99)} }, nil},
		{"max of a slice, exceeded", func(r *payRequest) { r.Tags = []string{"1", "2", "3", "4", "5"} }, []string{"tags: more than 4 items"}},
		{"max of raw JSON", func(r *payRequest) { r.ExtendInfo = json.RawMessage(`"` + long(31) + `"`) }, []string{"extendInfo: longer than 32 characters"}},
		{"https", func(r *payRequest) { r.RedirectURL = "http://pay.example.com/" }, []string{"paymentRedirectUrl: not an absolute https URL"}},
		{"https of what is held", func(r *payRequest) { r.NotifyURL = conceal("pay.example.com") },
			[]string{"paymentNotifyUrl: not an absolute https URL"}},
		{"UTF-8", func(r *payRequest) { r.AcquirerID = "\xff" }, []string{"acquirerId: not valid UTF-8"}},
		{"UTF-8 of what is held", func(r *payRequest) { r.AccessToken = conceal("\xff") }, []string{"accessToken: not valid UTF-8"}},
		{"UTF-8 in slices, maps and behind pointers", func(r *payRequest) {
			bad := "\xff"
			r.Tags, r.Labels, r.Note = []string{"a", bad}, map[string]string{"a": bad}, &bad
		}, []string{"labels.*: not valid UTF-8", "tags[1]: not valid UTF-8", "note: not valid UTF-8"}},
		{"UTF-8 of names", func(r *payRequest) { r.Labels = map[string]string{"\xff": "a"} }, []string{"labels.*: its name is not valid UTF-8"}},
		{"no empty string", func(r *payRequest) {
			empty := ""
			r.Tags, r.Labels, r.Note = []string{"a", ""}, map[string]string{"a": ""}, &empty
		}, []string{"labels.*: empty: leave it out", "tags[1]: empty: leave it out", "note: empty: leave it out"}},
		{"a pointer with a text", func(r *payRequest) { r.Note = &text }, nil},
		{"a type's own rules", func(r *payRequest) { r.PayToAmount = amount{"jpy", 1} },
			[]string{"payToAmount: currency is not three upper-case letters"}},
		{"a type's own rules, in an item", func(r *payRequest) { r.Order.Goods[0].UnitAmount.Minor = 1 },
			[]string{"order.goods[0].goodsUnitAmount: currency is not three upper-case letters"}},
		{"raw JSON that is none", func(r *payRequest) { r.ExtendInfo = json.RawMessage(`{"a":}`) }, []string{"extendInfo: not valid JSON"}},
		{"raw JSON with duplicates", func(r *payRequest) { r.ExtendInfo = json.RawMessage(`{"a":1,"a":2}`) }, []string{"extendInfo: not valid JSON"}},
		{"raw JSON, two values", func(r *payRequest) { r.ExtendInfo = json.RawMessage(`{} {}`) }, []string{"extendInfo: not valid JSON"}},
		{"raw JSON of any kind", func(r *payRequest) { r.ExtendInfo = json.RawMessage(` [1, "a"] `) }, nil},
		{"fields that are not members", func(r *payRequest) { r.Ignored, r.hidden = "\xff", "\xff" }, nil},
		{"all at once", func(r *payRequest) {
			r.PaymentRequestID, r.PaymentAmount, r.Order.Description, r.RedirectURL = "", amount{"x", 1}, long(257), "x"
		}, []string{"paymentRequestId: missing", "paymentAmount: currency is not three upper-case letters",
			"order.orderDescription: longer than 256 characters", "paymentRedirectUrl: not an absolute https URL"}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r := good()
			test.edit(&r)
			for _, v := range []any{r, &r} {
				if got := problems(t, wire.Validate(v)); !slices.Equal(got, test.want) {
					t.Errorf("got  %q\nwant %q", got, test.want)
				}
			}
			data, err := wire.Encode(r)
			if got := problems(t, err); !slices.Equal(got, test.want) {
				t.Errorf("Encode: got %q", got)
			}
			if err == nil && wire.Check(data) != nil {
				t.Errorf("Encode made what Check refuses: %s", data)
			}
		})
	}
}

func TestValidateHTTPS(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://pay.example.com/a?b=c": true,
		"HTTPS://pay.example.com:8443":  true,
		"http://localhost:8080/a":       true,
		"http://127.0.0.1/a":            true,
		"http://[::1]:80/a":             true,
		"http://pay.example.com/a":      false,
		"http://10.0.0.1/a":             false,
		"http://localhost.example.com":  false,
		"ftp://localhost/a":             false,
		"javascript:alert(1)":           false,
		"//pay.example.com/a":           false,
		"/a":                            false,
		"https:pay.example.com":         false,
		"https:///a":                    false,
		"https://:443/a":                false,
		"https://pay example.com/":      false,
		"https://a\n.example.com/":      false,
	} {
		r := good()
		r.RedirectURL = text
		if err := wire.Validate(r); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

type careless struct {
	Text   string   `json:"text"`
	Flag   bool     `json:"flag"`
	List   []string `json:"list"`
	Blank  any      `json:"blank,omitzero"`
	Secret token    `json:"secret,omitempty"`
}

// blank encodes itself as an empty string.
type blank struct{}

func (blank) MarshalJSON() ([]byte, error) { return []byte(`""`), nil }

type optional struct {
	*Deep
	Text *string `json:"text,omitzero" wire:"max=2,https"`
	PP   **int   `json:"pp,omitzero"`
}

type Deep struct {
	ID string `json:"id,omitzero" wire:"required"`
}

// Fields of an embedded pointer that is nil are absent, and options reach
// through pointers.
func TestValidatePointers(t *testing.T) {
	text, none := "abc", (*int)(nil)
	for _, test := range []struct {
		rule string
		v    optional
		want []string
		text string
	}{
		{"nothing embedded", optional{}, []string{"id: missing"}, ""},
		{"embedded", optional{Deep: &Deep{"1"}}, nil, "r.id=1\n"},
		{"embedded and empty", optional{Deep: &Deep{}}, []string{"id: missing"}, ""},
		{"behind a pointer", optional{Deep: &Deep{"1"}, Text: &text, PP: &none},
			[]string{"text: longer than 2 characters", "text: not an absolute https URL"}, "r.id=1 r.text=abc r.pp=<nil>\n"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := problems(t, wire.Validate(test.v)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := logged(test.v); strings.TrimSpace(got) != strings.TrimSpace(test.text) {
				t.Errorf("got %s, want %s", got, test.text)
			}
		})
	}
}

// A tag without omitzero must not bring an empty string on the wire.
func TestEncodeNeverSendsEmptyStrings(t *testing.T) {
	if p := problems(t, wire.Validate(careless{})); !slices.Equal(p, []string{"text: empty: leave it out"}) {
		t.Error(p)
	}
	// Here only the encoding shows it: the type encodes its zero value as "".
	data, err := wire.Encode(careless{Text: `x:"`, Blank: blank{}})
	if p := problems(t, err); !slices.Equal(p, []string{": holds an empty string"}) || data != nil {
		t.Errorf("%v %s", p, data)
	}
	for _, text := range []string{`:"`, `["`, `,"`, `""`, `:""`, `\"`, `:`, `[`, `,`} {
		if _, err := wire.Encode(careless{Text: text, Secret: conceal(text), List: []string{text, text}}); err != nil {
			t.Errorf("%s taken for an empty string: %v", text, err)
		}
	}
	for _, raw := range []string{`{"a": ""}`, `["", 1]`, `[1, ""]`} {
		r := good()
		r.ExtendInfo = json.RawMessage(raw)
		if _, err := wire.Encode(r); err == nil {
			t.Errorf("%s sent", raw)
		}
	}
}

func TestValidateDepth(t *testing.T) {
	chain := func(n int) *loop {
		l := &loop{}
		for range n - 1 {
			l = &loop{Next: l}
		}
		return l
	}
	if err := wire.Validate(chain(32)); err != nil {
		t.Error(err)
	}
	if err := wire.Validate(chain(33)); err == nil {
		t.Error("33 levels pass")
	}
	circle := &loop{}
	circle.Next = circle
	if err := wire.Validate(circle); err == nil {
		t.Error("a circle passes")
	}
	if _, err := wire.EncodeUnchecked(circle); err == nil {
		t.Error("a circle is encoded")
	}
}

func TestEncodeWhatIsNoMessage(t *testing.T) {
	for _, v := range []any{nil, (*payRequest)(nil), "text", map[string]string{}, []payRequest{}} {
		if data, err := wire.Encode(v); err == nil {
			t.Errorf("%T encoded as %s", v, data)
		}
	}
	if data, err := wire.EncodeUnchecked(nil); err == nil {
		t.Errorf("nil encoded as %s", data)
	}
}

// Errors of encoding/json quote values; ours must not.
func TestEncodeErrorsQuoteNothing(t *testing.T) {
	type odd struct {
		Number float64         `json:"number"`
		Raw    json.RawMessage `json:"raw,omitzero"`
		Any    any             `json:"any"`
	}
	for _, v := range []odd{
		{Number: math.Inf(1)},
		{Raw: json.RawMessage(`CANARY`)},
		{Any: good()},
		{Any: careless{Text: "CANARY\xff"}},
		{Any: failing{}},
	} {
		for _, encode := range []func(any) ([]byte, error){wire.Encode, wire.EncodeUnchecked} {
			if _, err := encode(v); err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "Inf")) {
				t.Error(err)
			}
		}
	}
	if p := problems(t, wire.Validate(odd{Any: careless{Text: "\xff"}})); !slices.Equal(p, []string{"any.text: not valid UTF-8"}) {
		t.Error(p)
	}
	if _, err := wire.Encode(odd{Any: failing{}}); err == nil {
		t.Error("encoded though MarshalJSON failed")
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, currencyError("CANARY") }
