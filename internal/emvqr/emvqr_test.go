package emvqr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// tlv is one field, its length in characters.
func tlv(tag int, value string) string {
	return fmt.Sprintf("%02d%02d%s", tag, utf8.RuneCountInString(value), value)
}

// sealed is fields with a checksum behind them.
func sealed(fields ...string) string {
	code := strings.Join(fields, "") + "6304"
	return code + fmt.Sprintf("%04X", bitwise(code))
}

// bitwise is the checksum by its definition, one bit at a time, to compare with.
func bitwise(text string) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range []byte(text) {
		for i := 7; i >= 0; i-- {
			top := crc>>15 ^ uint16(b>>i)&1
			crc <<= 1
			if top == 1 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

func TestChecksum(t *testing.T) {
	if got := emvqr.Checksum("123456789"); got != 0x29B1 {
		t.Errorf("check value %04X, want 29B1", got)
	}
	for b := range 256 {
		text := "x" + string([]byte{byte(b)}) + "y"
		if got, want := emvqr.Checksum(text), bitwise(text); got != want {
			t.Errorf("byte %02X: %04X, want %04X", b, got, want)
		}
	}
}

var account = tlv(26, tlv(0, "example.scheme")+tlv(1, "M1")+tlv(3, "https://pay.example.test/"))

func TestParse(t *testing.T) {
	text := sealed(tlv(0, "01"), tlv(1, "12"), tlv(15, "31260760344012345"), account, tlv(27, "free text"),
		tlv(50, tlv(9, "x")), tlv(51, tlv(0, "OTHER")), tlv(52, "5812"), tlv(58, "JP"), tlv(59, "珈琲と本の店"), tlv(62, tlv(5, "ref")))
	var c emvqr.Code
	if err := c.Parse(text); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[int]string{0: "01", 1: "12", 15: "31260760344012345", 52: "5812", 59: "珈琲と本の店", 60: ""} {
		if got := c.Root(tag); got != want {
			t.Errorf("root %02d is %q, want %q", tag, got, want)
		}
	}
	var templates []int
	for tag := c.NextTemplate(0); tag != 0; tag = c.NextTemplate(tag + 1) {
		templates = append(templates, tag)
	}
	if fmt.Sprint(templates) != "[26 50 51]" { // 27 is not a row of fields, 15 and 62 are no merchant account templates
		t.Errorf("templates %v", templates)
	}
	if c.Template(50).Find(9) != "x" || c.Template(51).Find(0) != "OTHER" {
		t.Error("the last templates")
	}
	row := c.Template(26)
	if got := row.Find(1); got != "M1" {
		t.Errorf("26.01 is %q", got)
	}
	if got := row.Find(2); got != "" {
		t.Errorf("26.02 is %q", got)
	}
	if got := emvqr.RowOf(c.Root(62)).Find(5); got != "ref" {
		t.Errorf("62.05 is %q", got)
	}
	if c.Template(27) != "" || c.Template(62) != "" || c.Template(30) != "" {
		t.Error("a template that is none")
	}
}

func TestParseLeniency(t *testing.T) {
	long := sealed(tlv(0, "01"), account, tlv(80, strings.Repeat("a", 99)), tlv(81, strings.Repeat("a", 99)),
		tlv(82, strings.Repeat("a", 99)), tlv(83, strings.Repeat("a", 99)), tlv(84, strings.Repeat("a", 99)))
	padded := "" // a checksum that begins with zeros
	for i := 0; padded == ""; i++ {
		if s := sealed(tlv(0, "01"), account, tlv(59, fmt.Sprint(i))); strings.HasPrefix(s[len(s)-4:], "00") {
			padded = s
		}
	}
	plain := sealed(tlv(0, "01"), account)
	for rule, text := range map[string]string{
		"no 52, 59, 60":                plain,
		"any order after 00":           sealed(tlv(0, "01"), tlv(58, "TH"), account, tlv(1, "11")),
		"over 512 characters":          long,
		"lower-case checksum":          plain[:len(plain)-4] + strings.ToLower(plain[len(plain)-4:]),
		"zero-padded checksum":         padded,
		"lengths count characters":     sealed(tlv(0, "01"), account, tlv(60, "東京都")),
		"a value that is not UTF-8":    sealed(tlv(0, "01"), account, "5903a\xffb"),
		"template that is free text":   sealed(tlv(0, "01"), tlv(26, "free text")),
		"template with a doubled 00":   sealed(tlv(0, "01"), tlv(26, tlv(0, "A")+tlv(0, "B"))),
		"length in bytes of a sub tag": sealed(tlv(0, "01"), tlv(26, "0003é")),
	} {
		if err := new(emvqr.Code).Parse(text); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := sealed(tlv(0, "01"), account, tlv(58, "TH"))
	japanese := tlv(0, "01") + tlv(59, "東京") + "6304"
	latin := func(s string) (bytes string) { // one byte a character
		for _, r := range s {
			bytes += string([]byte{byte(r)})
		}
		return bytes
	}
	for rule, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                       {"", emvqr.ErrFormat},
		"00 first":                    {sealed(tlv(1, "11"), tlv(0, "01"), account), emvqr.ErrFormat},
		"63 present":                  {tlv(0, "01") + account, emvqr.ErrFormat},
		"63 last":                     {good + tlv(80, "x"), emvqr.ErrFormat},
		"nothing left over":           {good + "0", emvqr.ErrFormat},
		"checksum of four digits":     {tlv(0, "01") + account + "6305ABCDE", emvqr.ErrFormat},
		"checksum of hex digits":      {good[:len(good)-1] + "G", emvqr.ErrFormat},
		"checksum right":              {good[:len(good)-4] + fmt.Sprintf("%04X", bitwise(good[:len(good)-4])^1), emvqr.ErrChecksum},
		"checksum covers 6304":        {good[:len(good)-4] + fmt.Sprintf("%04X", bitwise(good[:len(good)-8])), emvqr.ErrChecksum},
		"checksum covers UTF-8 bytes": {japanese + fmt.Sprintf("%04X", bitwise(latin(japanese))), emvqr.ErrChecksum},
		"root tag once":               {sealed(tlv(0, "01"), account, tlv(58, "TH"), tlv(58, "MY")), emvqr.ErrFormat},
		"length 00":                   {sealed(tlv(0, "01"), account, "5900"), emvqr.ErrFormat},
		"length a number":             {sealed(tlv(0, "01"), account, "59 1x"), emvqr.ErrFormat},
		"tag a number":                {sealed(tlv(0, "01"), account, "x901x"), emvqr.ErrFormat},
		"value complete":              {sealed(tlv(0, "01"), account, "5999x"), emvqr.ErrFormat},
		"lengths not in bytes":        {sealed(tlv(0, "01"), "5909東京都"), emvqr.ErrFormat},
	} {
		if err := new(emvqr.Code).Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", rule, err, c.want)
		}
	}
	for i := range good { // every truncation
		if err := new(emvqr.Code).Parse(good[:i]); err == nil {
			t.Errorf("accepted after %d of %d bytes", i, len(good))
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	text := sealed(tlv(0, "01"), account, tlv(59, "珈琲と本の店"))
	var c emvqr.Code
	if n := testing.AllocsPerRun(100, func() { _ = c.Parse(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse: any text, and the same text with its checksum made right, so that the fuzzer gets past it.
func FuzzParse(f *testing.F) {
	f.Add(sealed(tlv(0, "01"), account, tlv(59, "珈琲と本の店"), tlv(62, tlv(5, "ref"))))
	f.Add(sealed(tlv(0, "01"), tlv(26, "0003é"), tlv(51, tlv(0, "A")+tlv(0, "B"))))
	f.Add("000201")
	f.Add("00020163041234")
	f.Fuzz(func(t *testing.T, text string) {
		body := text
		if len(body) > 8 {
			body = body[:len(body)-8]
		}
		for _, s := range []string{text, sealed(body)} {
			var c emvqr.Code
			if c.Parse(s) != nil {
				continue
			}
			// What was read gives the text back, field by field.
			size := 0
			for tag := range 100 {
				if v := c.Root(tag); v != "" {
					size += 4 + len(v)
				}
			}
			if size != len(s) {
				t.Fatalf("fields of %d bytes from a code of %d", size, len(s))
			}
			for tag := c.NextTemplate(0); tag != 0; tag = c.NextTemplate(tag + 1) {
				size := 0
				for row := c.Template(tag); row != ""; {
					sub, value, rest := row.Next()
					if got := row.Find(sub); got != value {
						t.Fatal("Find and Next differ")
					}
					size += 4 + len(value)
					row = rest
				}
				if size != len(c.Root(tag)) {
					t.Fatal("a template lost bytes")
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := sealed(tlv(0, "01"), tlv(1, "12"), account, tlv(52, "5812"), tlv(53, "764"), tlv(54, "120.50"), tlv(58, "TH"),
		tlv(59, "Example Shop"), tlv(60, "Bangkok"))
	var c emvqr.Code
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
