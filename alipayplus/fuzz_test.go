package alipayplus_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// No Signature header makes Verify panic, and one that it accepts means the one
// signature that this content has.
func FuzzParseSignature(f *testing.F) {
	c, signature := signatureWithAll(f, testkit.Keys().Alipay)
	for _, form := range headerForms {
		f.Add(fill(f, form.form, signature), 0, "")
	}
	good := headerOf(signature)
	keyRing := alipayRing()
	f.Fuzz(func(t *testing.T, header string, cut int, insert string) {
		// The header itself is of this run's key; so the fuzzer also edits a good
		// one.
		at := max(0, min(len(good), cut))
		for _, h := range []string{header, good[:at] + insert + good[at:], insert + good[at:], good[:at] + insert} {
			err := c.Verify(h, keyRing)
			if err != nil {
				if !errors.Is(err, alipayplus.ErrSignature) {
					t.Fatalf("%q: %v", h, err)
				}
				continue
			}
			if got, err := lenientSignature(h); err != nil || !bytes.Equal(got, signature) {
				t.Fatalf("accepted with another signature: %q", h)
			}
			if len(h) > 2048 || strings.ContainsAny(h, "\r\n\x00\t\"") {
				t.Fatalf("accepted: %q", h)
			}
		}
	})
}

// derOf reads the text of a key a second time: one PEM block, or base64 with
// blanks.
func derOf(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if block, _ := pem.Decode(text); block != nil {
		return block.Bytes
	}
	compact := strings.Join(strings.FieldsFunc(string(text), unicode.IsSpace), "")
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(compact, "="))
	if err != nil {
		return nil
	}
	return der
}

// A key that is read is the one that encoding/pem, encoding/base64 and
// crypto/x509 read, and no error quotes the text: all have one of the known
// texts.
func FuzzParseKeys(f *testing.F) {
	key := testkit.Keys().Wallet
	for _, seed := range [][]byte{
		pkcs8(key), pkix(&key.PublicKey), pkcs1(key), pkix(&weak().ec.PublicKey), pkcs8(weak().ec), pkcs1(weak().rsa512), nil,
	} {
		f.Add([]byte(oneLine(seed)))
		for _, kind := range []string{"PRIVATE KEY", "PUBLIC KEY", "RSA PRIVATE KEY", "RSA PUBLIC KEY", "EC PRIVATE KEY", "CERTIFICATE"} {
			f.Add(pemText(kind, seed))
		}
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----BEGIN"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		private, err := alipayplus.ParsePrivateKey(text)
		switch {
		case err != nil && (private != nil || !errors.Is(err, alipayplus.ErrKey) || !knownKeyError(err)):
			t.Fatalf("private: %v", err)
		case err == nil:
			if _, err := alipayplus.NewSigner("1", private); err != nil {
				t.Fatalf("parsed, but no signer: %v", err)
			}
			if _, err := alipayplus.ParsePublicKey(text); err == nil {
				t.Fatal("private and public at once")
			}
			parsed, err := x509.ParsePKCS8PrivateKey(derOf(text))
			if err != nil {
				parsed, err = x509.ParsePKCS1PrivateKey(derOf(text))
			}
			if want, ok := parsed.(*rsa.PrivateKey); err != nil || !ok || !private.Equal(want) {
				t.Fatalf("another key than x509 reads: %v", err)
			}
		}
		public, err := alipayplus.ParsePublicKey(text)
		if err != nil && (public != nil || !errors.Is(err, alipayplus.ErrKey) || !knownKeyError(err)) {
			t.Fatalf("public: %v", err)
		}
		if err == nil && (public.N.BitLen() < 2048 || public.N.BitLen() > 8192) {
			t.Fatalf("a public key of %d bits", public.N.BitLen())
		}
		if err == nil {
			parsed, err := x509.ParsePKIXPublicKey(derOf(text))
			if err != nil {
				parsed, err = x509.ParsePKCS1PublicKey(derOf(text))
			}
			if want, ok := parsed.(*rsa.PublicKey); err != nil || !ok || !public.Equal(want) {
				t.Fatalf("another key than x509 reads: %v", err)
			}
		}
		if !bytes.Equal(text, before) {
			t.Fatal("the text was changed")
		}
	})
}

// A URL that is allowed keeps every rule, told by other means.
func FuzzCheckNotifyURL(f *testing.F) {
	for _, test := range notifyURLs {
		f.Add(test.url)
	}
	c := notifyClient(f, answers(bodyS))
	f.Fuzz(func(t *testing.T, raw string) {
		if err := c.CheckNotifyURL(raw); err == nil && raw != "" {
			checkAllowedURL(t, raw)
		}
	})
}

// amountOf reads an amount a second time, with encoding/json. It is not sure if
// names differ in their case alone.
func amountOf(data []byte) (currency, value string, ok, sure bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var members map[string]any
	if decoder.Decode(&members) != nil {
		return "", "", false, true
	}
	texts := map[string]string{}
	for name, v := range members {
		if name != "currency" && name != "value" {
			if strings.EqualFold(name, "currency") || strings.EqualFold(name, "value") {
				return "", "", false, false
			}
			continue
		}
		switch v := v.(type) {
		case string:
			texts[name] = v
		case json.Number:
			texts[name] = v.String()
		case nil:
		case bool:
			texts[name] = strconv.FormatBool(v)
		default:
			return "", "", false, false // an empty one may be an absent one
		}
	}
	return texts["currency"], texts["value"], true, true
}

// An amount that is read is the one that encoding/json reads, is in range and
// is written as it was read.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{
		`{"currency":"JPY","value":"100"}`, `{"currency":"JPY","value":100}`, `{"currency":"","value":""}`, `null`, `"x"`,
		`{"currency":"JPY","value":1E1000000000}`, `{"value":"0000000000000001","currency":"\u0041BC"}`, `{"Currency":"A","VALUE":"1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a alipayplus.Amount
		err := json.Unmarshal(data, &a)
		if currency, value, ok, sure := amountOf(data); sure && json.Valid(data) {
			switch digits := value != "" && strings.Trim(value, "0123456789") == "" && len(value) <= 16; {
			case err == nil && !ok, ok && currency != "" && !digits && err == nil, ok && currency == "" && value != "" && err == nil:
				t.Fatalf("%s is read as %#v", data, a)
			case err == nil && currency != "":
				if n, _ := strconv.ParseInt(value, 10, 64); string(a.Currency) != currency || a.Minor != n {
					t.Fatalf("%s is read as %#v", data, a)
				}
			}
		}
		if err != nil {
			if !a.IsZero() {
				t.Fatalf("%v beside %#v", err, a)
			}
			return
		}
		if a.Minor < 0 || a.Minor > 9_999_999_999_999_999 || (a.Currency == "" && a.Minor != 0) {
			t.Fatalf("%s is %#v", data, a)
		}
		_ = a.String()
		if len(a.WireRules()) > 0 || a.IsZero() {
			return
		}
		text, err := json.Marshal(a)
		var again alipayplus.Amount
		if err != nil || json.Unmarshal(text, &again) != nil || again != a {
			t.Fatalf("%#v is written as %s and read as %#v", a, text, again)
		}
		if major, err := a.Decimal(); err == nil {
			if again, err := alipayplus.AmountOf(major, a.Currency); err != nil || again != a {
				t.Fatalf("%v is %v: %v, %v", a, major, again, err)
			}
		}
	})
}

// A time that is parsed keeps its text and may be sent; any text is kept.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		sampleTime, "2019-11-27T12:01:01+08:00", "2019-11-27T12:01:01+0800", "1574827261000", "946684800000", "", "2019-11-27T24:00:00Z",
		"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-2359", "2019-11-27T12:01:01,5Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := alipayplus.ParseTime(text)
		if err == nil {
			at, ok := parsed.Time()
			if !ok || parsed.String() != text || len(parsed.WireRules()) != 0 || parsed.IsZero() {
				t.Fatalf("%q: %v, %v", text, parsed, ok)
			}
			if again := alipayplus.TimeOf(at); !again.IsZero() && at.Year() > 0 && at.Year() < 9999 {
				if back, ok := again.Time(); !ok || back.Unix() != at.Unix() {
					t.Fatalf("%q is %v, and that is %v", text, again, back)
				}
			}
		}
		quoted, _ := json.Marshal(text)
		var kept alipayplus.Time
		if json.Unmarshal(quoted, &kept) == nil && err == nil && kept != parsed {
			t.Fatalf("%q is kept as %q", text, kept)
		}
		_ = kept.Equal(parsed)
	})
}
