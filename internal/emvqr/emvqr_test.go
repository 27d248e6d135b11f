package emvqr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// tlv returns one field, its length in characters.
func tlv(tag int, value string) string {
	return fmt.Sprintf("%02d%02d%s", tag, utf8.RuneCountInString(value), value)
}

// sealed returns fields with a checksum at their end.
func sealed(fields ...string) string {
	code := strings.Join(fields, "") + "6304"
	return code + fmt.Sprintf("%04X", bitwise(code))
}

// bitwise returns the checksum by its definition, one bit at a time, to compare
// with.
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
	c, err := emvqr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[int]string{0: "01", 1: "12", 15: "31260760344012345", 52: "5812", 59: "珈琲と本の店", 60: ""} {
		if got := c.Root(tag); got != want {
			t.Errorf("root %02d is %q, want %q", tag, got, want)
		}
	}
	var templates []int
	for tag := range 100 {
		if c.Template(tag) != nil {
			templates = append(templates, tag)
		}
	}
	if fmt.Sprint(templates) != "[26 50 51 62]" { // 27 is not a row of fields, 15 is no template
		t.Errorf("templates %v", templates)
	}
	row := c.Template(26)
	if row.Find(1) != "M1" || row.Find(2) != "" || c.Template(50).Find(9) != "x" || c.Template(62).Find(5) != "ref" {
		t.Errorf("templates %v", row)
	}
	if got := c.Row(tlv(1, "a") + tlv(2, "b")); fmt.Sprint(got) != "[{1 a} {2 b}]" {
		t.Errorf("a row of two fields: %v", got)
	}
	for rule, value := range map[string]string{"free text": "free text", "a tag twice": tlv(0, "A") + tlv(0, "B"),
		"a tag twice, once empty": "0000" + tlv(0, "B"), "something left over": tlv(0, "A") + "0", "nothing": ""} {
		if got := c.Row(value); got != nil {
			t.Errorf("%s: read as %v", rule, got)
		}
	}
}

// Lengths count code points or UTF-16 units, whichever gives a code; both end
// at the end of a character.
func TestLengths(t *testing.T) {
	for _, c := range []struct{ rule, text, want string }{
		{"code points", sealed(tlv(0, "01"), "5906Toko 😇"), "Toko 😇"},
		{"UTF-16 units", sealed(tlv(0, "01"), "5907Toko 😇"), "Toko 😇"},
		{"UTF-16 units in a template", sealed(tlv(0, "01"), "6411"+"0107Toko 😇"), ""},
		{"half a character", sealed(tlv(0, "01"), "5906Toko 😇", "6002😇", "6101😇"), "error"},
		{"code points, and one that is left over", sealed(tlv(0, "01"), "5905Toko 😇"), "error"},
		{"UTF-16 units, wrong checksum", strings.Replace(sealed(tlv(0, "01"), "5907Toko 😇"), "Toko", "Tako", 1), "error"},
	} {
		code, err := emvqr.Parse(c.text)
		if (err != nil) != (c.want == "error") {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if err != nil {
			continue
		}
		if got := code.Root(59); got != c.want {
			t.Errorf("%s: %q", c.rule, got)
		}
		if code.Root(64) != "" && code.Template(64).Find(1) != "Toko 😇" {
			t.Errorf("%s: %v", c.rule, code.Template(64))
		}
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
		"sub-field of length 00":       sealed(tlv(0, "01"), tlv(26, tlv(0, "example.scheme")+"0100"+tlv(2, "x"))),
		"no 52, 59, 60":                plain,
		"any order after 00":           sealed(tlv(0, "01"), tlv(58, "TH"), account, tlv(1, "11")),
		"over 512 characters":          long,
		"lower-case checksum":          plain[:len(plain)-4] + strings.ToLower(plain[len(plain)-4:]),
		"zero-padded checksum":         padded,
		"lengths count characters":     sealed(tlv(0, "01"), account, tlv(60, "東京都")),
		"a value that is not UTF-8":    sealed(tlv(0, "01"), account, "5903a\xffb"),
		"template that is free text":   sealed(tlv(0, "01"), tlv(26, "free text")),
		"template with a doubled 00":   sealed(tlv(0, "01"), tlv(26, tlv(0, "A")+tlv(0, "B"))),
		"length of a sub tag too long": sealed(tlv(0, "01"), tlv(26, "0003é")),
	} {
		if _, err := emvqr.Parse(text); err != nil {
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
		if _, err := emvqr.Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", rule, err, c.want)
		}
	}
	for i := range good { // every truncation
		if _, err := emvqr.Parse(good[:i]); err == nil {
			t.Errorf("accepted after %d of %d bytes", i, len(good))
		}
	}
}

// With a wrong checksum the fields are there all the same.
func TestWrongChecksum(t *testing.T) {
	text := sealed(tlv(0, "01"), account)
	c, err := emvqr.Parse(text[:len(text)-4] + fmt.Sprintf("%04X", bitwise(text[:len(text)-4])^1))
	if !errors.Is(err, emvqr.ErrChecksum) || c.Template(26).Find(1) != "M1" {
		t.Errorf("%v, %v", c, err)
	}
}

// A sub-field of length 00 is as good as absent, and the others are there.
func TestEmptySubField(t *testing.T) {
	c, err := emvqr.Parse(sealed(tlv(0, "01"), tlv(26, tlv(0, "example.scheme")+"0100"+tlv(2, "x"))))
	if err != nil {
		t.Fatal(err)
	}
	if row := c.Template(26); row.Find(0) != "example.scheme" || row.Find(1) != "" || row.Find(2) != "x" {
		t.Errorf("%v", row)
	}
}

// naive reads a code by its definition, over a slice of characters: the oracle
// of FuzzParse. units tells how many of them a character counts.
func naive(text string, units func(r rune) int, empty bool) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	characters := []rune(text)
	for len(characters) > 0 {
		if len(characters) < 4 {
			return nil, false
		}
		var tag, length int
		head := string(characters[:4])
		if strings.Trim(head, "0123456789") != "" {
			return nil, false
		}
		if _, err := fmt.Sscanf(head, "%2d%2d", &tag, &length); err != nil {
			return nil, false
		}
		characters = characters[4:]
		value := ""
		for length > 0 && len(characters) > 0 {
			length -= units(characters[0])
			value += string(characters[0])
			characters = characters[1:]
		}
		if _, twice := fields[head[:2]]; length != 0 || twice || value == "" && !empty {
			return nil, false
		}
		fields[head[:2]] = value
	}
	return fields, len(fields) > 0
}

// FuzzParse: any text, and the same text with its checksum made right, so that
// the fuzzer gets past it.
func FuzzParse(f *testing.F) {
	f.Add(sealed(tlv(0, "01"), account, tlv(59, "珈琲と本の店"), tlv(62, tlv(5, "ref"))))
	f.Add(sealed(tlv(0, "01"), tlv(26, "0003é"), tlv(51, tlv(0, "A")+tlv(0, "B"))))
	f.Add("000201")
	f.Add("00020163041234")
	f.Add(sealed(tlv(0, "01"), "5907Toko 😇", "64110107Toko 😇"))
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		body := text
		if len(body) > 8 {
			body = body[:len(body)-8]
		}
		for _, s := range []string{text, sealed(body)} {
			if !utf8.ValidString(s) {
				continue
			}
			one := func(rune) int { return 1 }
			units := one
			want, ok := naive(s, units, false)
			if ok = ok && isCode(s, want); !ok {
				units = func(r rune) int { return len(utf16.Encode([]rune{r})) }
				want, ok = naive(s, units, false)
				ok = ok && isCode(s, want)
			}
			if ok {
				ok = strings.EqualFold(want["63"], fmt.Sprintf("%04x", bitwise(s[:len(s)-4])))
			}
			c, err := emvqr.Parse(s)
			if (err == nil) != ok {
				t.Fatalf("%q: %v, want %v", s, err, ok)
			}
			if !ok {
				continue
			}
			for tag := range 100 {
				value := want[fmt.Sprintf("%02d", tag)]
				if c.Root(tag) != value {
					t.Fatalf("%q: root %d is %q", s, tag, c.Root(tag))
				}
				inner, isRow := naive(value, units, true)
				if row := c.Row(value); (row != nil) != isRow || len(row) != len(inner) {
					t.Fatalf("%q: %v, want %v", s, row, inner)
				}
				for sub := range 100 {
					if got := c.Row(value).Find(sub); got != inner[fmt.Sprintf("%02d", sub)] {
						t.Fatalf("%q: %d.%d is %q", s, tag, sub, got)
					}
				}
			}
		}
	})
}

// isCode reports whether fields, of s, begin with 00 and end with a checksum of
// four hexadecimal digits.
func isCode(s string, fields map[string]string) bool {
	check := fields["63"]
	return strings.HasPrefix(s, "00") && len(check) == 4 && strings.HasSuffix(s, "6304"+check) &&
		strings.Trim(check, "0123456789abcdefABCDEF") == ""
}

func BenchmarkParse(b *testing.B) {
	text := sealed(tlv(0, "01"), tlv(1, "12"), account, tlv(52, "5812"), tlv(53, "764"), tlv(54, "120.50"), tlv(58, "TH"),
		tlv(59, "Example Shop"), tlv(60, "Bangkok"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := emvqr.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
