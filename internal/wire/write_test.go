package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// written has a field of every kind that encoding/json writes in a way of its
// own.
type written struct {
	Text   string             `json:"text"`
	Named  time.Duration      `json:"named"`
	Uint   uint8              `json:"uint"`
	Float  float64            `json:"float"`
	Flag   bool               `json:"flag"`
	Bytes  []byte             `json:"bytes"`
	Array  [2]int             `json:"array"`
	List   []any              `json:"list"`
	Map    map[string]string  `json:"map"`
	ByInt  map[int]string     `json:"byInt"`
	Raw    json.RawMessage    `json:"raw"`
	Ptr    **string           `json:"ptr"`
	At     time.Time          `json:"at"`
	Own    amount             `json:"own"`
	Owns   map[string]*amount `json:"owns"`
	None   *amount            `json:"none"`
	Absent string             `json:"absent,omitzero"`
	NoTag  struct{ A int }
	Header
	*Deep
}

// What encoding/json writes, EncodeUnchecked writes too, byte for byte.
func TestEncodeIsThatOfEncodingJSON(t *testing.T) {
	text := "a\x00\b\f\n\r\t\x1f\"\\/<&>\u007f\u2028\u2029é日\U0001f600�"
	ptr := &text
	for name, v := range map[string]any{
		"zero": written{},
		"full": written{
			Text: text, Named: 5, Uint: 255, Float: 1e21, Flag: true, Bytes: []byte(text), Array: [2]int{1, -1},
			List: []any{nil, 1, "a", []string{}, map[string]any{"b": 1.5, "a": text}, amount{"JPY", 1}, &written{}},
			Map:  map[string]string{"b": "", "a": text, text: "1"}, ByInt: map[int]string{2: "b", 1: "a"}, Raw: json.RawMessage(` {"a": [1 , 2]} `),
			Ptr: &ptr, At: time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC), Own: amount{"JPY", 1}, Owns: map[string]*amount{"a": {"HKD", 2}, "b": nil},
			Header: Header{"1", "2"}, Deep: &Deep{"3"},
		},
		"text":  text,
		"slice": []written{{}, {Text: text}},
		"map":   map[string]written{"a": {}},
	} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		got, err := wire.EncodeUnchecked(v)
		if err != nil || string(got) != strings.TrimSuffix(want.String(), "\n") {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, &want)
		}
	}
	for _, v := range []any{"\xff", map[string]string{"\xff": ""}, written{Text: "\xff"}, []func(){nil}} {
		if got, err := wire.EncodeUnchecked(v); err == nil {
			t.Errorf("%#v became %s", v, got)
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "a", "<&>\u2028\x00\"\\\u007f", "\xff", "é\U0001f600", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := wire.EncodeUnchecked(careless{Text: text, Secret: conceal(text)})
		if err != nil {
			if strings.ToValidUTF8(text, "") == text {
				t.Fatal(err)
			}
			return
		}
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		_ = e.Encode(struct {
			Text   string   `json:"text"`
			Flag   bool     `json:"flag"`
			List   []string `json:"list"`
			Secret string   `json:"secret"`
		}{Text: text, Secret: text})
		if string(got) != strings.TrimSuffix(want.String(), "\n") {
			t.Fatalf("got %s, want %s", got, &want)
		}
	})
}

// stored is a record at rest: encoding/json is refused, this package is not.
type stored struct {
	Text   string   `json:"text"`
	Secret token    `json:"secret"`
	List   []token  `json:"list"`
	Own    amount   `json:"own,omitzero"`
	Need   string   `json:"need,omitzero" wire:"required"`
	Object *metaObj `json:"object,omitzero"`
}

type metaObj struct {
	N int `json:"n"`
}

func (stored) MarshalJSON() ([]byte, error) { return nil, wire.AtRest("use MarshalBinary") }

func TestRestore(t *testing.T) {
	v := stored{Text: "a", Secret: conceal("s"), List: []token{conceal("1"), {}, conceal("2")}, Own: amount{"JPY", 1}, Object: &metaObj{5}}
	if _, err := json.Marshal(v); err == nil || !strings.Contains(err.Error(), "use MarshalBinary") {
		t.Error(err)
	}
	data, err := wire.EncodeUnchecked([]any{v, &v})
	one := `{"text":"a","secret":"s","list":["1",null,"2"],"own":{"currency":"JPY","value":"1"},"object":{"n":5}}`
	if err != nil || string(data) != "["+one+","+one+"]" {
		t.Errorf("%v %s", err, data)
	}
	var got stored
	if err := wire.Restore([]byte(one), &got); err != nil || !cmp.Equal(got, v) {
		t.Errorf("%v %+v", err, got)
	}
	// What comes in and cannot be read may be ignored; what was stored may not.
	for body, want := range map[string]string{
		`{"own":"x"}`:               "own: not readable as amount",
		`{"object":{"n":"x"}}`:      "object.n: not readable as integer",
		`{"list":["a",{}, 5, [1]]}`: "list[3]: not readable as string",
		`{"secret":{"a":1}}`:        "secret: not readable as string",
	} {
		if p := problems(t, wire.Restore([]byte(body), new(stored))); !reflect.DeepEqual(p, []string{want}) {
			t.Errorf("%s: %q", body, p)
		}
	}
	if err := wire.Restore([]byte(`{"a":1,"a":1}`), new(stored)); err == nil {
		t.Error("restored what Check refuses")
	}
}

// FuzzScanner holds the meaning that Decode finds in a text against that of
// encoding/json: what both accept must mean the same to both.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		sample, `{"a":"\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"}`, `{"\u0061":{"b":[[],{},"",null,[0,-0.0e+1,"x"]]}}`,
		"{\"\u2028\":\"\u007f\"}", `{"a":true,"A":false,"":1}`, ` { "k" : [ 1 , { "k" : "v" } ] } `, `{"a":1e400,"b":"\u0000"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if wire.Check(data) != nil || !json.Valid(data) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var theirs any
		if err := d.Decode(&theirs); err != nil {
			t.Fatal(err)
		}
		wrapped := append(append([]byte(`{"v":`), data...), '}')
		if wire.Check(wrapped) != nil {
			return // a level too many
		}
		if ours, theirs := read(t, data), given(theirs); !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("ours   %#v\ntheirs %#v", ours, theirs)
		}
	})
}

// read returns the meaning of raw as Decode finds it, nil if it is absent.
func read(t *testing.T, raw []byte) any {
	t.Helper()
	wrapped := append(append([]byte(`{"v":`), raw...), '}')
	decode := func(into any) {
		if err := wire.Decode(wrapped, into); err != nil {
			t.Fatalf("%s: %v", wrapped, err)
		}
	}
	switch bytes.TrimLeft(raw, " \t\r\n")[0] {
	case '{':
		var m struct{ V map[string]json.RawMessage }
		decode(&m)
		members := map[string]any{}
		for name, raw := range m.V {
			if v := read(t, raw); v != nil {
				members[name] = v
			}
		}
		if len(members) > 0 {
			return members
		}
	case '[':
		var m struct{ V []json.RawMessage }
		decode(&m)
		items := make([]any, len(m.V))
		for i, raw := range m.V {
			if len(raw) > 0 {
				items[i] = read(t, raw)
			}
		}
		if len(items) > 0 {
			return items
		}
	default:
		var m struct{ V string } // numbers and booleans are as good as their text
		decode(&m)
		if m.V != "" {
			return m.V
		}
	}
	return nil
}

// given returns what encoding/json found, in the form of read.
func given(v any) any {
	switch v := v.(type) {
	case string:
		if v != "" {
			return v
		}
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	case []any:
		for i := range v {
			v[i] = given(v[i])
		}
		if len(v) > 0 {
			return v
		}
	case map[string]any:
		for name, member := range v {
			if v[name] = given(member); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) > 0 {
			return v
		}
	}
	return nil
}

// envelope is sent as what is in it.
type envelope struct{ Letter any }

func (e envelope) WireValue() any { return e.Letter }

func TestWireValue(t *testing.T) {
	v := envelope{&metaData{LoginID: conceal(canary)}}
	if p := problems(t, wire.Validate(v)); !reflect.DeepEqual(p, []string{"userLoginIdType: missing"}) {
		t.Error(p)
	}
	if data, err := wire.EncodeUnchecked([]envelope{v}); err != nil || string(data) != `[{"userLoginId":"`+canary+`"}]` {
		t.Errorf("%s, %v", data, err)
	}
	if got := logged(v); got != "r.userLoginId=[redacted]\n" {
		t.Error(got)
	}
	if data, err := wire.EncodeUnchecked(envelope{}); err == nil {
		t.Errorf("nothing is sent as %s", data)
	}
}
