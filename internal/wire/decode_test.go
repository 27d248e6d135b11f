package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// decode decodes body and returns the problems as "path: rule".
func decode(t *testing.T, body string, into any) []string {
	t.Helper()
	return problems(t, wire.Decode([]byte(body), into))
}

func problems(t *testing.T, err error) (list []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*wire.InvalidError](err)
	if !ok || len(invalid.Problems) == 0 {
		t.Fatalf("want an InvalidError with problems, got %T %v", err, err)
	}
	for _, p := range invalid.Problems {
		list = append(list, p.Path+": "+p.Rule)
	}
	return list
}

func TestDecodeSample(t *testing.T) {
	var got payRequest
	if p := decode(t, sample, &got); p != nil {
		t.Fatal(p)
	}
	if got.PaymentMethod.MetaData.LoginID.Reveal() != "000-00000000" {
		t.Error("userLoginId lost")
	}
	if !strings.HasPrefix(string(got.ExtendInfo), `"{\"acqTo`) {
		t.Errorf("extendInfo is not the raw text: %s", got.ExtendInfo)
	}
	got.PaymentMethod.MetaData.LoginID, got.ExtendInfo = token{}, nil
	want := payRequest{
		PaymentRequestID: "2023010100000000000000000000001",
		PaymentAmount:    amount{"IDR", 5000},
		PayToAmount:      amount{"IDR", 5000},
		Order: order{
			Header:   Header{"order_20230101_093653_001", "EXAMPLE_GIFT"},
			Amount:   amount{"IDR", 5000},
			Merchant: merchant{"Example Shop", "Example Shop", "5021", "2180000000000001", address{"SG"}},
		},
		PaymentMethod: method{Type: "EXAMPLE_WALLET", MetaData: metaData{Type: "MOBILE"}},
		PaymentFactor: factor{Agreement: true, EasyPay: true},
		Authorization: authorization{"2180000000000001", "authState_0001", "2023010100000000000000000000001"},
		RedirectURL:   sample[strings.Index(sample, `Url":"https`)+6 : len(sample)-3],
		AcquirerID:    "1020000000000000001",
		PspID:         "1020000000000000002",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// kinds has a field of every kind that Decode knows, each twice: checked and
// not.
type kinds struct {
	Text   string          `json:"text"`
	Named  name            `json:"named"`
	Int    int             `json:"int"`
	Small  int8            `json:"small"`
	Uint   uint8           `json:"uint"`
	Bool   bool            `json:"bool"`
	Object address         `json:"object"`
	Own    amount          `json:"own"`
	Secret token           `json:"secret"`
	List   []string        `json:"list"`
	Lines  []address       `json:"lines"`
	Map    map[name]string `json:"map"`
	Raws   rawMap          `json:"raws"`
	Raw    json.RawMessage `json:"raw"`
	Ptr    *address        `json:"ptr"`
	Number float64         `json:"number"`
}

type name string

type rawMap map[string]json.RawMessage

type checkedKinds struct {
	Text   string          `json:"text" wire:"check"`
	Named  name            `json:"named" wire:"check"`
	Int    int             `json:"int" wire:"check"`
	Small  int8            `json:"small" wire:"check"`
	Uint   uint8           `json:"uint" wire:"check"`
	Bool   bool            `json:"bool" wire:"check"`
	Object address         `json:"object" wire:"check"`
	Own    amount          `json:"own" wire:"check"`
	Secret token           `json:"secret" wire:"check"`
	List   []string        `json:"list" wire:"check"`
	Lines  []address       `json:"lines" wire:"check"`
	Map    map[name]string `json:"map" wire:"check"`
	Raws   rawMap          `json:"raws" wire:"check"`
	Raw    json.RawMessage `json:"raw" wire:"check"`
	Ptr    *address        `json:"ptr" wire:"check"`
	Number float64         `json:"number" wire:"check"`
}

var kindNames = []string{"text", "named", "int", "small", "uint", "bool", "object", "own", "secret", "list", "lines", "map",
	"raws", "raw", "ptr", "number"}

func TestDecodeReadableForms(t *testing.T) {
	for _, test := range []struct {
		rule, body string
		want       kinds
	}{
		{"string", `{"text":"a","named":"b"}`, kinds{Text: "a", Named: "b"}},
		{"escapes", `{"text":"\u0041\u00e9\u20AC\b\f\n\r\t\"\\\/\ud83d\uDE00é"}`, kinds{Text: "Aé€\b\f\n\r\t\"\\/😀é"}},
		{"native number as text: its literal", `{"text":1.50,"named":-1e9}`, kinds{Text: "1.50", Named: "-1e9"}},
		{"native boolean as text", `{"text":true,"named":false}`, kinds{Text: "true", Named: "false"}},
		{"native integer", `{"int":-12,"small":127,"uint":255}`, kinds{Int: -12, Small: 127, Uint: 255}},
		{"integer as string", `{"int":"-12","small":"+7","uint":"+8"}`, kinds{Int: -12, Small: 7, Uint: 8}},
		{"escaped digits", `{"int":"\u0031\u0032"}`, kinds{Int: 12}},
		{"native boolean", `{"bool":true}`, kinds{Bool: true}},
		{"boolean as string, any case", `{"bool":"TrUe"}`, kinds{Bool: true}},
		{"false as string", `{"bool":"FALSE"}`, kinds{}},
		{"object", `{"object":{"region":"SG"},"ptr":{"region":"HK"}}`, kinds{Object: address{"SG"}, Ptr: &address{"HK"}}},
		{"own UnmarshalJSON", `{"own":{"currency":"JPY","value":"100"}}`, kinds{Own: amount{"JPY", 100}}},
		{"list with native and absent items", `{"list":["a",1,true,null,"","b"]}`, kinds{List: []string{"a", "1", "true", "", "", "b"}}},
		{"list of objects, indexes stay", `{"lines":[{},{"region":"SG"},null]}`, kinds{Lines: []address{{}, {"SG"}, {}}}},
		{"map, absent members left out", `{"map":{"a":"1","b":2,"c":null,"d":""}}`, kinds{Map: map[name]string{"a": "1", "b": "2"}}},
		{"map of raw values", `{"raws":{"a": [1, 2] ,"b":{}}}`, kinds{Raws: rawMap{"a": json.RawMessage(`[1, 2]`)}}},
		{"raw value as it stands", `{"raw":{ "a" : 1.0 }}`, kinds{Raw: json.RawMessage(`{ "a" : 1.0 }`)}},
		{"any other type as encoding/json does", `{"number":1.5}`, kinds{Number: 1.5}},
		{"names in any case", `{"TEXT":"a","NaMeD":"b","iNT":1}`, kinds{Text: "a", Named: "b", Int: 1}},
		{"escaped name", `{"te\u0078t":"a"}`, kinds{Text: "a"}},
		{"unknown members", `{"other":{"text":[{"text":"no"}]},"text":"a","` + strings.Repeat("x", 100) + `":1}`, kinds{Text: "a"}},
		{"only ASCII case is folded", `{"te\u212Ast":"a","ſmall":1}`, kinds{}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got kinds
			p := decode(t, test.body, &got)
			if p != nil || !cmp.Equal(got, test.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", p, got, test.want)
			}
			// What is readable is readable where it is checked, too.
			if p := decode(t, test.body, new(checkedKinds)); p != nil {
				t.Error(p)
			}
		})
	}
}

// null, "", {} and [] mean absent for every type, and never touch a field.
func TestDecodeAbsent(t *testing.T) {
	for _, absent := range []string{"null", `""`, "{}", "{ \n}", "[]", "[ ]"} {
		for _, field := range kindNames {
			body := fmt.Sprintf(`{%q:%s}`, field, absent)
			var got checkedKinds
			if p := decode(t, body, &got); p != nil {
				t.Errorf("%s: %v", body, p)
			}
			if !reflect.ValueOf(got).IsZero() {
				t.Errorf("%s: not zero: %+v", body, got)
			}
		}
	}
}

func TestDecodeUnreadable(t *testing.T) {
	for _, test := range []struct{ member, problem string }{
		{`"text":{"a":1}`, "text: not readable as string"},
		{`"text":["a"]`, "text: not readable as string"},
		{`"named":{"a":1}`, "named: not readable as string"},
		{`"int":1.0`, "int: not readable as integer"},
		{`"int":1e3`, "int: not readable as integer"},
		{`"int":"1.0"`, "int: not readable as integer"},
		{`"int":" 1"`, "int: not readable as integer"},
		{`"int":"1_000"`, "int: not readable as integer"},
		{`"int":"0x10"`, "int: not readable as integer"},
		{`"int":"-"`, "int: not readable as integer"},
		{`"int":9223372036854775808`, "int: not readable as integer"},
		{`"int":true`, "int: not readable as integer"},
		{`"int":{"a":1}`, "int: not readable as integer"},
		{`"small":128`, "small: not readable as integer"},
		{`"uint":-1`, "uint: not readable as integer"},
		{`"uint":"++1"`, "uint: not readable as integer"},
		{`"uint":"256"`, "uint: not readable as integer"},
		{`"bool":"Y"`, "bool: not readable as boolean"},
		{`"bool":"falſe"`, "bool: not readable as boolean"},
		{`"bool":1`, "bool: not readable as boolean"},
		{`"bool":[true]`, "bool: not readable as boolean"},
		{`"object":"SG"`, "object: not readable as object"},
		{`"object":"{\"region\":\"SG\"}"`, "object: not readable as object"},
		{`"object":[{"region":"SG"}]`, "object: not readable as object"},
		{`"object":0`, "object: not readable as object"},
		{`"own":"100 JPY"`, "own: not readable as amount"},
		{`"own":{"currency":"JPY","value":"1.5"}`, "own: not readable as amount"},
		{`"own":{"currency":"XXX","value":"1"}`, "own: of no currency"},
		{`"secret":["CANARY"]`, "secret: not readable as string"},
		{`"list":"a"`, "list: not readable as array"},
		{`"list":{"a":1}`, "list: not readable as array"},
		{`"list":["a",["b"]]`, "list[1]: not readable as string"},
		{`"lines":[{"region":"SG"},5]`, "lines[1]: not readable as object"},
		{`"map":["a"]`, "map: not readable as object"},
		{`"map":{"CANARY":["a"]}`, "map.*: not readable as string"},
		{`"raws":1`, "raws: not readable as object"},
		{`"ptr":"SG"`, "ptr: not readable as object"},
		{`"number":"1.5"`, "number: not readable as float64"},
	} {
		body := "{" + test.member + "}"
		if got := decode(t, body, new(checkedKinds)); !slices.Equal(got, []string{test.problem}) {
			t.Errorf("%s: got %q, want %q", body, got, test.problem)
		}
		var got kinds
		if p := decode(t, body, &got); p != nil {
			t.Errorf("%s, where nothing is checked: %v", body, p)
		}
		got.List, got.Lines = nil, nil // of these the other items stay
		if !reflect.ValueOf(got).IsZero() {
			t.Errorf("%s left something: %+v", body, got)
		}
	}
}

func TestDecodeUnreadableItemsKeepTheirPlace(t *testing.T) {
	var got kinds
	decode(t, `{"lines":[{"region":"A"},5,{"region":"B"}],"list":["a",{"x":1},"b"],"map":{"a":"1","b":[1]}}`, &got)
	want := kinds{Lines: []address{{"A"}, {}, {"B"}}, List: []string{"a", "", "b"}, Map: map[name]string{"a": "1"}}
	if !cmp.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// Every problem is reported, under the path that the documents use, and nothing
// else is.
func TestDecodeReportsAll(t *testing.T) {
	for _, test := range []struct {
		rule, body string
		want       []string
	}{
		{"required and absent", `{}`, []string{"paymentRequestId: missing", "paymentAmount: missing", "order: missing", "paymentMethod: missing"}},
		{"required and null, empty, without content", `{"paymentRequestId":null,"paymentAmount":"","order":{},"paymentMethod":[]}`,
			[]string{"paymentRequestId: missing", "paymentAmount: missing", "order: missing", "paymentMethod: missing"}},
		{"an object of absent members is absent", `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":1},
			"order":{"env":{"terminalType":""},"goods":[{},null]},"paymentMethod":{"paymentMethodMetaData":{"userLoginId":""}}}`,
			[]string{"order: missing", "paymentMethod: missing"}},
		{"an object of unknown members does not stand for a required one", `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":1},
			"order":{"other":1},"paymentMethod":{"paymentMethodType":"A"}}`, []string{"order: missing"}},
		{"a required value inside of an optional object that is there", `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":1},
			"order":{"goods":[{"referenceGoodsId":"1"},{"goodsName":"A"},{},{"other":1}]},"paymentMethod":{"metaData":{"userLoginId":"A"}}}`,
			[]string{"order.goods[1].referenceGoodsId: missing", "order.goods[3].referenceGoodsId: missing",
				"paymentMethod.paymentMethodMetaData.userLoginIdType: missing"}},
		{"what is wrong inside is not missing as well", `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":1},
			"order":{"referenceOrderId":"1"},"paymentMethod":{"paymentMethodMetaData":{"other":1}}}`,
			[]string{"paymentMethod.paymentMethodMetaData.userLoginIdType: missing"}},
		{"required and unreadable is not missing as well", `{"paymentRequestId":{"a":1},"paymentAmount":5,"order":"A","paymentMethod":[1]}`,
			[]string{"paymentRequestId: not readable as string", "paymentAmount: not readable as amount", "order: not readable as object",
				"paymentMethod: not readable as object"}},
		{"odd values where nobody looks", `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":1},
			"order":{"orderAmount":{"currency":"XXX","value":"1"},"merchant":5,"goods":[{"referenceGoodsId":"1","goodsQuantity":"many"}],"env":[1]},
			"paymentMethod":{"paymentMethodType":"A"},"paymentFactor":{"isCashierPayment":"Y"},"authorizationInfo":7,"installments":-1,"labels":[1]}`, nil},
		{"odd values where it matters", `{"paymentRequestId":"1","paymentAmount":{"currency":"XXX","value":1},
			"payToAmount":"5","order":{"merchant":{"merchantName":"A"}},"paymentMethod":{"paymentMethodType":"A"},
			"paymentFactor":{"isAgreementPayment":"Y","isCashierPayment":"N"},"codeQuantity":"1.0","tags":{"a":1}}`,
			[]string{"paymentAmount: of no currency", "payToAmount: not readable as amount",
				"paymentFactor.isAgreementPayment: not readable as boolean", "codeQuantity: not readable as integer", "tags: not readable as array"}},
		{"lengths never matter", `{"paymentRequestId":"` + strings.Repeat("9", 65) + `","paymentAmount":{"currency":"JPY","value":1},
			"order":{"merchant":{"merchantMCC":"` + strings.Repeat("9", 33) + `"}},"paymentMethod":{"paymentMethodType":"A"},
			"tags":["1","2","3","4","5"],"paymentRedirectUrl":"ftp://x"}`, nil},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := decode(t, test.body, new(payRequest)); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestDecodeRequiredContainers(t *testing.T) {
	type containers struct {
		List []string          `json:"list" wire:"required"`
		Map  map[string]string `json:"map" wire:"required"`
		Ptr  *address          `json:"ptr" wire:"required"`
		Raw  json.RawMessage   `json:"raw" wire:"required"`
	}
	for body, want := range map[string][]string{
		`{"list":["a"],"map":{"a":"b"},"ptr":{"region":"SG"},"raw":0}`:            nil,
		`{"list":[null,"a"],"map":{"a":"","b":"b"},"ptr":{"region":1},"raw":" "}`: nil,
		`{"list":[null,"",{}],"map":{"a":null},"ptr":{"region":""},"raw":""}`:     {"list: missing", "map: missing", "ptr: missing", "raw: missing"},
		`{"list":[[1]],"map":{"a":[1]},"ptr":[1],"raw":[1]}`: {"list[0]: not readable as string", "map.*: not readable as string",
			"ptr: not readable as object"},
	} {
		if got := decode(t, body, new(containers)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

type twins struct {
	Code   string  `json:"resultCode" wire:"alias=resultCodeId,alias=code"`
	Bool   bool    `json:"flag" wire:"alias=isFlag"`
	Int    int     `json:"count" wire:"alias=number"`
	Object address `json:"object" wire:"alias=thing,jsonstring"`
	List   []twins `json:"list"`
}

// Two members that fill one field are an error with different values, whatever
// the tags say.
func TestDecodeTwoMembersOfOneField(t *testing.T) {
	const twice = ": given twice with different values"
	for _, test := range []struct {
		rule, body string
		want       twins
		problems   []string
	}{
		{"an alias", `{"resultCodeId":"A"}`, twins{Code: "A"}, nil},
		{"a second alias, in another case", `{"CODE":"A"}`, twins{Code: "A"}, nil},
		{"equal values", `{"resultCode":"A","resultCodeId":"A"}`, twins{Code: "A"}, nil},
		{"equal values, one escaped", `{"resultCode":"A","resultCodeId":"\u0041"}`, twins{Code: "A"}, nil},
		{"equal values, one native", `{"count":20,"number":"20","flag":"true","isFlag":true}`, twins{Int: 20, Bool: true}, nil},
		{"first one empty", `{"resultCode":"","resultCodeId":"A","code":null}`, twins{Code: "A"}, nil},
		{"last one empty", `{"resultCode":"A","resultCodeId":{},"code":[]}`, twins{Code: "A"}, nil},
		{"first one an object of absent members", `{"object":{"region":""},"thing":{"region":"SG"}}`, twins{Object: address{"SG"}}, nil},
		{"equal objects", `{"object":{"region":"SG","x":[1,true]},"thing":{ "x":["1","true"], "region":"SG", "y":null }}`, twins{Object: address{"SG"}}, nil},
		{"equal object, as a string", `{"object":{"region":"SG"},"thing":"{\"region\":\"SG\"}"}`, twins{Object: address{"SG"}}, nil},
		{"different values", `{"resultCode":"A","resultCodeId":"B"}`, twins{Code: "A"}, []string{"resultCode" + twice}},
		{"different case variants", `{"resultCode":"A","RESULTCODE":"B"}`, twins{Code: "A"}, []string{"resultCode" + twice}},
		{"three, reported once", `{"resultCode":"A","resultCodeId":"B","code":"C"}`, twins{Code: "A"}, []string{"resultCode" + twice}},
		{"third one different", `{"resultCode":"A","resultCodeId":"A","code":"C"}`, twins{Code: "A"}, []string{"resultCode" + twice}},
		{"different objects", `{"object":{"region":"SG"},"thing":{"region":"HK"}}`, twins{Object: address{"SG"}}, []string{"object" + twice}},
		{"different in what nobody reads", `{"object":{"region":"SG","x":1},"thing":{"region":"SG","x":2}}`, twins{Object: address{"SG"}}, []string{"object" + twice}},
		{"longer than before", `{"object":{"region":"SG","x":""},"thing":{"region":"SG"},"OBJECT":{"region":"SG","x":2}}`, twins{Object: address{"SG"}}, []string{"object" + twice}},
		{"unreadable both times, but different", `{"flag":"Y","isFlag":"N"}`, twins{}, []string{"flag" + twice}},
		{"unreadable first", `{"count":"x","number":"1"}`, twins{}, []string{"count" + twice}},
		{"deep down", `{"list":[{"count":1},{"list":[{"code":"A","resultcode":"B"}]}]}`,
			twins{List: []twins{{Int: 1}, {List: []twins{{Code: "A"}}}}}, []string{"list[1].list[0].resultCode" + twice}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got twins
			if p := decode(t, test.body, &got); !slices.Equal(p, test.problems) {
				t.Errorf("got %q, want %q", p, test.problems)
			}
			if !cmp.Equal(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Repetitions must not each be compared with a long first value: that costs the
// square of the size. The memory shows it.
func TestDecodeManyRepetitions(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"code":{"a":"x"` + strings.Repeat(" ", 20_000) + "}")
	for i := range 4096 {
		name := []byte("resultcodeid")
		for bit := range name {
			if i>>bit&1 == 1 {
				name[bit] -= 'a' - 'A'
			}
		}
		fmt.Fprintf(&b, `,"%s":{"a":"x"}`, name)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if p := decode(t, b.String()+"}", new(twins)); p != nil {
		t.Error(p)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 100<<20 {
		t.Errorf("%d MB allocated", got>>20)
	}
}

func TestDecodeObjectInString(t *testing.T) {
	const before, after = `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":"1"},"order":{"referenceOrderId":"1"},
		"paymentMethod":{"paymentMethodType":"A","paymentMethodMetadata":`, `}}`
	for _, test := range []struct{ rule, value, login, problem string }{
		{"an object", `{"userLoginId":"x","userLoginIdType":"T"}`, "x", ""},
		{"the same as a string", `"{\"userLoginId\":\"x\",\"userLoginIdType\":\"T\"}"`, "x", ""},
		{"white space and escapes inside", `" { \"userLoginId\" : \"\\u0078\" , \"userLoginIdType\":\"T\"} "`, "x", ""},
		{"absent inside", `"{}"`, "", ""},
		{"its fields keep their rules", `"{\"userLoginId\":\"x\"}"`, "x", "paymentMethod.paymentMethodMetaData.userLoginIdType: missing"},
		{"text", `"hello"`, "", ""},
		{"not an object", `"[1]"`, "", ""},
		{"duplicates inside", `"{\"userLoginIdType\":\"T\",\"userLoginId\":\"x\",\"userLoginId\":\"y\"}"`, "", ""},
		{"two documents inside", `"{\"userLoginId\":\"x\"}{}"`, "", ""},
		{"too deep inside", `"` + strings.ReplaceAll(nested(33, "{", "}"), `"`, `\"`) + `"`, "", ""},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got payRequest
			p := strings.Join(decode(t, before+test.value+after, &got), "; ")
			if p != test.problem {
				t.Errorf("got %q, want %q", p, test.problem)
			}
			if login := got.PaymentMethod.MetaData.LoginID.Reveal(); login != test.login {
				t.Errorf("got %q, want %q", login, test.login)
			}
		})
	}
	type strict struct {
		Object address `json:"object" wire:"check,jsonstring"`
		Own    amount  `json:"own" wire:"check,jsonstring"`
	}
	var got strict
	if p := decode(t, `{"object":"x","own":"{\"currency\":\"JPY\",\"value\":\"1\"}"}`, &got); !slices.Equal(p, []string{"object: not readable as object"}) ||
		got.Own != (amount{"JPY", 1}) {
		t.Errorf("%v %+v", p, got)
	}
}

type embedded struct {
	*Header
	address
	Description string `json:"ORDERDESCRIPTION"`
}

func TestDecodeEmbedded(t *testing.T) {
	var got embedded
	if p := decode(t, `{"referenceOrderId":"1","region":"SG","orderDescription":"A"}`, &got); p != nil {
		t.Fatal(p)
	}
	if got.Header == nil || got.ReferenceOrderID != "1" || got.Region != "SG" {
		t.Errorf("promoted fields not filled: %+v", got)
	}
	if got.Description != "A" || got.Header.Description != "" {
		t.Errorf("the outer field must hide the embedded one: %+v", got)
	}
	got.Header.Description = "hidden"
	if text := logged(got); text != "r.referenceOrderId=1 r.region=SG r.ORDERDESCRIPTION=A\n" {
		t.Error(text)
	}
	got = embedded{}
	if decode(t, `{"region":"SG"}`, &got); got.Header != nil {
		t.Error("an embedded pointer is set though none of its fields came")
	}
}

type wide struct {
	A00, A01, A02, A03, A04, A05, A06, A07, A08, A09, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20 string
	B00, B01, B02, B03, B04, B05, B06, B07, B08, B09, B10, B11, B12, B13, B14, B15, B16, B17, B18, B19, B20 string
}

func TestDecodeMoreFieldsThanUsual(t *testing.T) {
	var got wide
	p := decode(t, `{"A00":"a","B20":"b","b20":"c"}`, &got)
	if got.A00 != "a" || got.B20 != "b" || !slices.Equal(p, []string{"B20: given twice with different values"}) {
		t.Errorf("%v %+v", p, got)
	}
}

type loop struct {
	Next *loop  `json:"next"`
	Many []loop `json:"many"`
}

func TestDecodeKeepsNoData(t *testing.T) {
	data := []byte(`{"text":"abc","list":["abc"],"raw":["abc"],"map":{"abc":"abc"},"raws":{"abc":["abc"]},"secret":"abc"}`)
	var got kinds
	if err := wire.Decode(data, &got); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'X'
	}
	if got.Text != "abc" || got.List[0] != "abc" || string(got.Raw) != `["abc"]` || got.Map["abc"] != "abc" ||
		string(got.Raws["abc"]) != `["abc"]` || got.Secret.Reveal() != "abc" {
		t.Errorf("values changed with the buffer: %+v", got)
	}
}

// What Check would have refused is an error, too, wherever Decode comes across
// it.
func TestDecodeUnchecked(t *testing.T) {
	for body, want := range map[string]string{
		``:                        "not-an-object",
		`[]`:                      "not-an-object",
		`{"text":"a"}{}`:          "trailing-data",
		`{"text":"a"`:             "syntax",
		`{"text":`:                "syntax",
		`{"text":nul`:             "syntax",
		`{"thing":`:               "syntax",
		`{"thing":"{}`:            "syntax",
		`{"thing":"{\x}"`:         "escape",
		`{"code":"a","resultCode`: "syntax",
		`{"other":nul}`:           "syntax",
		`{"text":""x}`:            "syntax",
		`{"object":{}x}`:          "syntax",
		`{"list":["a"`:            "syntax",
		`{"list":["a" "b"]}`:      "syntax",
		`{"map":{"a":"b"`:         "syntax",
		`{"map":{"a"}}`:           "syntax",
		"{\"text\":\"\xff\"}":     "utf8",
		"{\"other\":\"\xff\"}":    "utf8",
		`{"text":"\ud800"}`:       "surrogate",
		`{"int":01}`:              "number",
		`{"other":{"a":1,"a":1}`:  "duplicate-key",
		strings.Repeat(`{"next":`, 40) + "1" + strings.Repeat("}", 40):                "depth",
		strings.Repeat(`{"many":[`, 20) + strings.Repeat("]}", 20):                    "depth",
		`{"other":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "}":         "depth",
		strings.Repeat(`{"next":`, 31) + `{"x":[1]}` + strings.Repeat("}", 31):        "depth",
		`{"map":` + strings.Repeat(`{"a":`, 32) + "1" + strings.Repeat("}", 32) + "}": "depth",
	} {
		into := any(new(kinds))
		if strings.Contains(body, "next") || strings.Contains(body, "many") {
			into = new(loop)
		} else if strings.Contains(body, "thing") {
			into = new(twins)
		}
		err := wire.Decode([]byte(body), into)
		if broken, ok := errors.AsType[*wire.SyntaxError](err); !ok || broken.Rule != want {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
		if !reflect.ValueOf(into).Elem().IsZero() {
			t.Errorf("%s: something was read all the same", body)
		}
	}
}

func TestDecodeIntoNothingUseful(t *testing.T) {
	text := ""
	for _, into := range []any{nil, kinds{}, (*kinds)(nil), &text} {
		if wire.Decode([]byte("{}"), into) == nil {
			t.Errorf("decoded into %T", into)
		}
	}
}

// A type that is a message and reads itself is asked.
func TestDecodeTopLevelUnmarshaler(t *testing.T) {
	var got amount
	if err := wire.Decode([]byte(` {"currency":"JPY","value":"7"} `), &got); err != nil || got != (amount{"JPY", 7}) {
		t.Errorf("%v %+v", err, got)
	}
	if p := problems(t, wire.Decode([]byte(`{"currency":"XXX","value":"7"}`), &got)); !slices.Equal(p, []string{": of no currency"}) {
		t.Error(p)
	}
}

// No error says anything that the sender chose: not values, not unknown names,
// not names of map entries.
func TestDecodeErrorsQuoteNothing(t *testing.T) {
	const canary = "CANARY"
	values := []string{`"CANARY"`, `{"CANARY":"CANARY"}`, `["CANARY",["CANARY"],{"CANARY":1}]`, `{"CANARY":["CANARY"]}`,
		`{"currency":"XXX","value":"CANARY"}`, `{"region":{"CANARY":1}}`, `"{\"CANARY\":\"CANARY\"}"`, `CANARY`}
	for _, field := range kindNames {
		for _, value := range values {
			for _, other := range values {
				body := fmt.Sprintf(`{"CANARY":1,%q:%s,%q:%s}`, field, value, strings.ToUpper(field), other)
				err := wire.Decode([]byte(body), new(checkedKinds))
				if err == nil && value != other && field != "raw" && !json.Valid([]byte(body)) {
					t.Errorf("%s: no error", body)
				}
				if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
					t.Errorf("%s: %v", body, err)
				}
			}
		}
	}
}

func TestInvalidErrorNamesTheFirstTen(t *testing.T) {
	var all []wire.Problem
	for i := range 13 {
		all = append(all, wire.Problem{Path: fmt.Sprintf("goods[%d]", i), Rule: "missing"})
	}
	for _, test := range []struct {
		list []wire.Problem
		want string
	}{
		{nil, "invalid message"},
		{[]wire.Problem{{Rule: "not a message"}}, "invalid message: not a message"},
		{all[:2], "invalid message: goods[0]: missing; goods[1]: missing"},
		{all[:10], "invalid message: goods[0]: missing; goods[1]: missing; goods[2]: missing; goods[3]: missing; goods[4]: missing; " +
			"goods[5]: missing; goods[6]: missing; goods[7]: missing; goods[8]: missing; goods[9]: missing"},
		{all, "invalid message: goods[0]: missing; goods[1]: missing; goods[2]: missing; goods[3]: missing; goods[4]: missing; " +
			"goods[5]: missing; goods[6]: missing; goods[7]: missing; goods[8]: missing; goods[9]: missing; and 3 more"},
	} {
		if got := (&wire.InvalidError{Problems: test.list}).Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// FuzzDecode looks for messages that Check refuses and Decode reads, for those
// that Check lets pass and Decode cannot walk through, and for those that are
// not the same after they were written and read again. (FuzzScanner compares
// what is read with encoding/json.)
func FuzzDecode(f *testing.F) {
	for _, s := range []string{sample, `{"text":1,"TEXT":"1","lines":[{},5]}`, `{"next":{"many":[{},{"next":null}]}}`,
		`{"paymentMethod":{"metaData":"{\"userLoginId\":\"\\u0041\"}"}}`, `{"raw":[1,{"a":[]}],"map":{"a":"b"},"own":{"currency":"JPY"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checked := wire.Check(data) == nil
		for _, into := range []any{new(payRequest), new(kinds), new(checkedKinds), new(loop), new(twins)} {
			err := wire.Decode(data, into)
			if err == nil && !json.Valid(data) {
				t.Fatalf("%T: decoded what is not JSON", into)
			}
			broken, _ := errors.AsType[*wire.SyntaxError](err)
			if checked != (broken == nil) || err != nil && strings.Contains(err.Error(), "not valid JSON") {
				t.Fatalf("%T: %v", into, err)
			}
			if _, whole := into.(*payRequest); err != nil || !whole { // the others say nothing about what is absent
				continue
			}
			written, err := wire.EncodeUnchecked(into)
			if err != nil {
				t.Fatalf("%v: %#v", err, into)
			}
			again := new(payRequest)
			if invalid, _ := errors.AsType[*wire.InvalidError](wire.Decode(written, again)); invalid != nil {
				for _, p := range invalid.Problems {
					if p.Rule != "missing" { // it was there, and not readable
						t.Fatalf("%s: %v", written, p)
					}
				}
			}
			everything := cmp.Exporter(func(reflect.Type) bool { return true })
			if diff := cmp.Diff(into, any(again), everything); diff != "" {
				t.Fatalf("%s (-read +read again)\n%s", written, diff)
			}
		}
	})
}
