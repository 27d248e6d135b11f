package wire_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// greedy has a member of every kind that allocates for each of its parts.
type greedy struct {
	Structs  []sixteen          `json:"structs"`
	Pointers []*sixteen         `json:"pointers"`
	Texts    []string           `json:"texts"`
	Lists    [][]string         `json:"lists"`
	Named    map[string]string  `json:"named"`
	Objects  map[string]sixteen `json:"objects"`
	Raw      []json.RawMessage  `json:"raw"`
	Any      []any              `json:"any"`
	One      any                `json:"one"`
	Floats   []float64          `json:"floats"`
	Selves   []self             `json:"selves"`
	Strict   []sixteen          `json:"strict" wire:"check"`
	Numbers  []int              `json:"numbers" wire:"check"`
	Wrapped  sixteen            `json:"wrapped" wire:"jsonstring"`
	Text     string             `json:"text"`
}

type sixteen struct {
	A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P string
	Inner                                          []sixteen `json:"inner"`
}

// self reads itself, as an Amount does.
type self struct{ currency, value string }

func (s *self) UnmarshalJSON(data []byte) error {
	var members struct {
		Currency, Value json.RawMessage
	}
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	s.currency, s.value = string(members.Currency), string(members.Value)
	return nil
}

// hostile returns messages of n bytes, about, of which each part takes more
// memory than text.
func hostile(n int) map[string]string {
	repeat := func(member, open, part, end string) string {
		return `{"` + member + `":` + open + strings.Repeat(part+",", (n-64)/(len(part)+1)) + part + end + "}"
	}
	keys := func(open, format, end string) string {
		var b strings.Builder
		b.WriteString(open)
		for i := 0; b.Len() < n-64; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + end
	}
	var seventeen []string
	for i := range 17 {
		seventeen = append(seventeen, fmt.Sprintf(`"%c":0`, 'a'+i))
	}
	escaped := `"` + strings.Repeat(`\u0061`, n/16/6-2)
	all := map[string]string{
		"ones for structs":             repeat("structs", "[", "1", "]"),
		"structs of one text":          repeat("structs", "[", `{"a":"1"}`, "]"),
		"structs in structs":           repeat("structs", "[", `{"inner":[{"inner":[{"a":"1"}]}]}`, "]"),
		"ones for strict structs":      repeat("strict", "[", "1", "]"),
		"pointers":                     repeat("pointers", "[", `{"a":1}`, "]"),
		"ones for pointers":            repeat("pointers", "[", "1", "]"),
		"texts":                        repeat("texts", "[", `"a"`, "]"),
		"numbers for texts":            repeat("texts", "[", "1", "]"),
		"lists":                        repeat("lists", "[", "[1]", "]"),
		"named texts":                  keys(`{"named":{`, `"%d":1`, "}}"),
		"named objects":                keys(`{"objects":{`, `"%d":{"a":1}`, "}}"),
		"raw":                          repeat("raw", "[", "1", "]"),
		"any":                          repeat("any", "[", "1", "]"),
		"one any":                      repeat("one", "[", "1", "]"),
		"one any of lists":             repeat("one", "[", "[1]", "]"),
		"one any of objects":           repeat("one", "[", `{"a":1}`, "]"),
		"floats":                       repeat("floats", "[", "1", "]"),
		"texts for numbers":            repeat("numbers", "[", `"x"`, "]"),
		"selves":                       repeat("selves", "[", `{"currency":1}`, "]"),
		"ones for selves":              repeat("selves", "[", "1", "]"),
		"members that nobody knows":    keys("{", `"%d":1`, "}"),
		"objects of 17 members":        repeat("unknown", "[", "{"+strings.Join(seventeen, ",")+"}", "]"),
		"17 members, in a known array": repeat("structs", "[", "{"+strings.Join(seventeen, ",")+"}", "]"),
		"escaped names":                repeat("unknown", "[", `{"\u0061":1,"\u0062":1,"\u0063":1}`, "]"),
		"one escaped text":             `{"text":"` + strings.Repeat(`\u0061`, n/6) + `"}`,
		"one text":                     `{"text":"` + strings.Repeat("a", n-20) + `"}`,
		"a text that holds an object":  `{"wrapped":"{\"inner\":[` + strings.Repeat("1,", n/2-20) + `1]}"}`,
		"the same twice":               `{"texts":[` + strings.Repeat("1,", n/4-20) + `1],"TEXTS":[` + strings.Repeat("1,", n/4-20) + `2]}`,
		"deep":                         `{"structs":[` + strings.Repeat(strings.Repeat(`{"inner":[`, 12)+`{"a":1}`+strings.Repeat("]}", 12)+",", n/160) + `{}]}`,
	}
	var names []string
	for i := range 15 {
		names = append(names, escaped+string(rune('a'+i))+`":1`)
	}
	all["long escaped names"] = "{" + strings.Join(names, ",") + "}"
	return all
}

// Whatever a message of 1 MiB or 4 MiB holds, checking and decoding it takes
// less than 24 MiB of memory in all.
func TestMemoryIsBounded(t *testing.T) {
	if testkit.Race {
		t.Skip("the race detector allocates, and decoding runs on one goroutine")
	}
	for _, size := range []int{1 << 20, 4 << 20} {
		for name, body := range hostile(size) {
			var before, after runtime.MemStats
			data := []byte(body)
			runtime.ReadMemStats(&before)
			check := wire.Check(data)
			var decode error
			if check == nil {
				decode = wire.Decode(data, new(greedy))
			}
			runtime.ReadMemStats(&after)
			took := float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
			t.Logf("%d MiB, %s: %.1f MiB (%v, %.60s)", size>>20, name, took, check, fmt.Sprint(decode))
			if took > 24 {
				t.Errorf("%d MiB of %s take %.1f MiB", size>>20, name, took)
			}
		}
	}
}

// What was stored is read again, however large it grew.
func TestStoredRecordsAreNotBounded(t *testing.T) {
	if testkit.Race {
		t.Skip("decoding runs on one goroutine: the race detector makes it slow and finds nothing")
	}
	record := greedy{Structs: make([]sixteen, 100_000)}
	for i := range record.Structs {
		record.Structs[i].A = "1"
	}
	data, err := wire.Store(record)
	if err != nil {
		t.Fatal(err)
	}
	var again greedy
	if err := wire.Load(data, &again); err != nil || len(again.Structs) != len(record.Structs) {
		t.Errorf("%d structs, %v", len(again.Structs), err)
	}
}
