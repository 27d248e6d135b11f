package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// nested returns an object with a chain of n objects or arrays in it, n levels
// in all.
func nested(n int, open, end string) string {
	if open == "{" {
		return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1)
	}
	return `{"a":` + strings.Repeat(open, n-1) + strings.Repeat(end, n-1) + "}"
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name, body, rule string
		offset           int
	}{
		{"empty object", `{}`, "", 0},
		{"white space around everything", " \t\r\n{ \"a\" : [ 1 , { } ] , \"b\" : \"\" } \n", "", 0},
		{"all literals", `{"a":true,"b":false,"c":null}`, "", 0},
		{"all numbers", `{"a":[0,-0,10,-1.5,1e5,1E+5,2e-07,0.0,1E1000000000]}`, "", 0},
		{"all escapes", `{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00\u0000"}`, "", 0},
		{"plain UTF-8 of every length", `{"é":"é€😀` + "\x7f" + `"}`, "", 0},
		{"one key at several places", `{"a":{"a":{"a":1}},"b":{"a":1},"c":[{"a":1},{"a":1}]}`, "", 0},
		{"keys that differ in case only", `{"a":1,"A":2}`, "", 0},
		{"32 objects", nested(32, "{", "}"), "", 0},
		{"32 levels of arrays", nested(32, "[", "]"), "", 0},
		{"sample", sample, "", 0},

		{"33 objects", nested(33, "{", "}"), "depth", 32 * 5},
		{"33 levels of arrays", nested(33, "[", "]"), "depth", 5 + 31},
		{"100,000 levels", nested(100_000, "[", "]"), "depth", 5 + 31},
		{"100,000 levels that never end", strings.Repeat(`{"a":`, 100_000), "depth", 32 * 5},

		{"nothing", ``, "not-an-object", 0},
		{"white space only", "  ", "not-an-object", 2},
		{"array", `[{}]`, "not-an-object", 0},
		{"string", `"{}"`, "not-an-object", 0},
		{"number", `1`, "not-an-object", 0},
		{"null", ` null`, "not-an-object", 1},
		{"byte order mark", "\ufeff{}", "not-an-object", 0},
		{"second document", `{} {}`, "trailing-data", 3},
		{"trailing comma", `{},`, "trailing-data", 2},
		{"trailing NUL", "{}\x00", "trailing-data", 2},

		{"duplicate", `{"a":1,"b":2,"a":1}`, "duplicate-key", 13},
		{"duplicate, second one escaped", `{"a":1,"\u0061":1}`, "duplicate-key", 7},
		{"duplicate, first one escaped", `{"\u0061":1,"a":1}`, "duplicate-key", 12},
		{"duplicate, pair and plain", `{"😀":1,"\ud83d\ude00":1}`, "duplicate-key", 10},
		{"duplicate empty name", `{"":1,"":1}`, "duplicate-key", 6},
		{"duplicate deep down", `{"x":[{},{"y":{"a":1,"a":1}}]}`, "duplicate-key", 21},
		{"duplicate after a big member", `{"a":{"b":1,"c":2},"d":0,"a":1}`, "duplicate-key", 25},

		{"invalid UTF-8 in a string", "{\"a\":\"x\xff\"}", "utf8", 7},
		{"invalid UTF-8 in a key", "{\"\xc3\":1}", "utf8", 2},
		{"overlong encoding", "{\"a\":\"\xc0\xaf\"}", "utf8", 6},
		{"encoded surrogate", "{\"a\":\"\xed\xa0\x80\"}", "utf8", 6},
		{"cut character", "{\"a\":\"\xe2\x82\"}", "utf8", 6},
		{"invalid UTF-8 outside of strings", "{\xff}", "utf8", 1},
		{"invalid UTF-8 first", "\xff", "utf8", 0},
		{"invalid UTF-8 last", "{}\xff", "utf8", 2},

		{"high surrogate alone", `{"a":"\ud800"}`, "surrogate", 6},
		{"high surrogate and a letter", `{"a":"\ud800\u0041"}`, "surrogate", 6},
		{"two high surrogates", `{"a":"\ud800\ud800"}`, "surrogate", 6},
		{"low surrogate alone", `{"a":"\udc00"}`, "surrogate", 6},
		{"surrogates the wrong way round", `{"a":"\ude00\ud83d"}`, "surrogate", 6},
		{"lone surrogate in a key", `{"\ud800":1}`, "surrogate", 2},
		{"unknown escape", `{"a":"\x"}`, "escape", 6},
		{"short escape", `{"a":"\u12"}`, "escape", 6},
		{"escape without digits", `{"a":"\u00g0"}`, "escape", 6},
		{"text ends in an escape", `{"a":"\`, "escape", 6},

		{"line feed in a string", "{\"a\":\"\n\"}", "control-character", 6},
		{"NUL in a key", "{\"\x00\":1}", "control-character", 2},

		{"leading zero", `{"a":01}`, "number", 5},
		{"minus alone", `{"a":-}`, "number", 5},
		{"no digit after the point", `{"a":1.}`, "number", 5},
		{"no exponent", `{"a":1e+}`, "number", 5},
		{"plus", `{"a":+1}`, "syntax", 5},
		{"NaN", `{"a":NaN}`, "syntax", 5},
		{"hexadecimal", `{"a":0x10}`, "syntax", 6},

		{"comma at the end of an object", `{"a":1,}`, "syntax", 7},
		{"comma at the end of an array", `{"a":[1,]}`, "syntax", 8},
		{"no colon", `{"a" 1}`, "syntax", 5},
		{"no value", `{"a":}`, "syntax", 5},
		{"no comma", `{"a":1 "b":2}`, "syntax", 7},
		{"number as name", `{1:1}`, "syntax", 1},
		{"single quotes", `{'a':1}`, "syntax", 1},
		{"comment", `{/**/}`, "syntax", 1},
		{"wrong bracket", `{"a":[1}}`, "syntax", 7},
		{"literal in upper case", `{"a":True}`, "syntax", 5},
		{"cut literal", `{"a":nul`, "syntax", 5},
		{"cut string", `{"a":"b`, "syntax", 7},
		{"cut object", `{"a":1`, "syntax", 6},
		{"cut after the colon", `{"a":`, "syntax", 5},
		{"form feed as white space", "{\f}", "syntax", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := wire.Check([]byte(test.body))
			if test.rule == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			broken, ok := errors.AsType[*wire.SyntaxError](err)
			if !ok || broken.Rule != test.rule || broken.Offset != test.offset {
				t.Fatalf("got %v, want %s at byte %d", err, test.rule, test.offset)
			}
		})
	}
}

// The search for duplicates changes its way with the size of an object, and
// must miss none on either side of the change.
func TestCheckDuplicatesInObjectsOfEverySize(t *testing.T) {
	for size := 1; size <= 40; size++ {
		for twice := range size {
			var members []string
			for i := range size {
				members = append(members, fmt.Sprintf(`"k%d":{"k%d":0}`, i, i))
			}
			if err := wire.Check([]byte("{" + strings.Join(members, ",") + "}")); err != nil {
				t.Fatalf("%d different keys refused: %v", size, err)
			}
			members = append(members, fmt.Sprintf(`"\u006b%d":0`, twice))
			if wire.Check([]byte("{"+strings.Join(members, ",")+"}")) == nil {
				t.Fatalf("key %d of %d given twice and not found", twice, size)
			}
		}
	}
}

// 75,000 keys take seconds if each is compared with all others.
func TestCheckManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range 75_000 {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	if err := wire.Check([]byte("{" + b.String() + `"z":0}`)); err != nil {
		t.Fatal(err)
	}
	if wire.Check([]byte("{"+b.String()+`"k0":0}`)) == nil {
		t.Fatal("the duplicate at the end was not found")
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	data := []byte(sample)
	if n := testing.AllocsPerRun(10, func() { _ = wire.Check(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSyntaxErrorQuotesNothing(t *testing.T) {
	const canary = "CANARY"
	for cut := range len(sample) {
		body := sample[:cut] + canary + sample[cut:]
		if err := wire.Check([]byte(body)); err != nil && strings.Contains(err.Error(), "CAN") {
			t.Fatal(err)
		}
	}
	want := "unusable JSON: duplicate-key at byte 7"
	if got := wire.Check([]byte(`{"a":1,"a":2}`)).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzCheck holds Check against json.Valid and, for the rules that
// encoding/json does not know, against naive versions.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{sample, `{"a":"\ud800"}`, "{\"\xff\":1}", `{"a":1,"\u0061":2}`, nested(33, "[", "]"), `[1]`, `{"a":-0.0e+1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := wire.Check(data)
		valid := json.Valid(data)
		broken, _ := errors.AsType[*wire.SyntaxError](err)
		switch {
		case err == nil:
			if !valid {
				t.Fatal("accepted what is not JSON")
			}
			if rule := naive(data); rule != "" {
				t.Fatalf("accepted in spite of %s", rule)
			}
		case broken == nil:
			t.Fatalf("an error of type %T", err)
		case valid && naive(data) == "":
			t.Fatalf("refused for no reason: %v", err)
		case valid && (broken.Rule == "syntax" || broken.Rule == "number" || broken.Rule == "escape" ||
			broken.Rule == "control-character" || broken.Rule == "trailing-data"):
			t.Fatalf("valid JSON refused: %v", err)
		}
	})
}
