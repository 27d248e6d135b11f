package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// instantForm is what ParseTime reads, written as one pattern.
var instantForm = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?(Z|[+-]\d\d(?::?\d\d)?)$`)

// instantOf reads a time, a second time, by a pattern and package time.
func instantOf(text string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) == 13 && strings.Trim(text, "0123456789") == "" {
		return time.UnixMilli(ms), true
	}
	m := instantForm.FindStringSubmatch(text)
	if m == nil || m[2] == "" && m[3] != "" {
		return time.Time{}, false
	}
	seconds, offset := m[2], m[4]
	if seconds == "" {
		seconds = ":00"
	}
	at, err := time.Parse("2006-01-02T15:04:05", m[1]+seconds)
	if err != nil {
		return time.Time{}, false
	}
	fraction, _ := strconv.Atoi((m[3] + "000000000")[:9])
	at = at.Add(time.Duration(fraction))
	if offset == "Z" {
		return at, true
	}
	digits := strings.ReplaceAll(offset[1:], ":", "") + "00"
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi(digits[2:4])
	east := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if minutes > 59 || east > 18*time.Hour {
		return time.Time{}, false
	}
	if offset[0] == '-' {
		east = -east
	}
	return at.Add(-east), true
}

// A time is read if a pattern and package time read it, and as the same
// instant.
func FuzzInstant(f *testing.F) {
	for _, seed := range []string{
		sampleTime, "2019-11-27T12:01+08", "2019-11-27T12:01:01.123456789123Z", "2019-11-27T12:01:01,5-1800", "2019-11-27T12:01:01+18:01",
		"2019-11-27T12:01.5Z", "2019-02-29T00:00:00Z", "2020-02-29T23:59:60Z", "1574827261000", "157482726100x", "2019-11-27T12:01:01+8:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := alipayplus.ParseTime(text)
		want, ok := instantOf(text)
		if (err == nil) != ok {
			t.Fatalf("%q: %v, the other reader says %v, %v", text, err, want, ok)
		}
		if got, _ := parsed.Time(); ok && !got.Equal(want) {
			t.Fatalf("%q is %v, want %v", text, got, want)
		}
	})
}

// A Bool and a Secret are what encoding/json reads as a text, a number or a
// boolean.
func FuzzScalars(f *testing.F) {
	for _, seed := range []string{`"true"`, `true`, `"FALSE"`, `null`, `""`, `1`, `"a\u00e9\ud83d\ude00"`, `{}`, `[]`, `1.50e3`, `"tru\u0065"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return // encoding/json calls UnmarshalJSON with nothing else
		}
		var v any
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		text, scalar := "", true
		switch v := v.(type) {
		case nil:
		case string:
			text = v
		case json.Number:
			text = v.String()
		case bool:
			text = strconv.FormatBool(v)
		default:
			scalar = false
		}
		var secret alipayplus.Secret
		if err := json.Unmarshal(data, &secret); (err == nil) != scalar || secret.Reveal() != text {
			t.Fatalf("%s: a Secret of %q, %v, want %q", data, secret.Reveal(), err, text)
		}
		var b alipayplus.Bool
		err := json.Unmarshal(data, &b)
		want, known := map[string]alipayplus.Bool{"": alipayplus.Unset, "true": alipayplus.True, "false": alipayplus.False}[strings.ToLower(text)]
		if strings.ToLower(text) != strings.Map(asciiLower, text) { // only ASCII letters have two cases here
			known = false
		}
		if (err == nil) != (scalar && known) || err == nil && b != want {
			t.Fatalf("%s: %v, %v, want %v", data, b, err, want)
		}
	})
}

func asciiLower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// Retry-After is what strconv or net/http read: whole seconds, or a date.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"0", "120", " 3 ", "-1", "1.5", "99999999999999999999", "Wed, 21 Oct 2115 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT", ""} {
		f.Add(seed)
	}
	var seen alipayplus.Attempt
	header := http.Header{}
	c := newClient(f, transport(func(*http.Request) (*http.Response, error) { return response(503, header, ""), nil }), func(cfg *alipayplus.ClientConfig) {
		cfg.Retry = alipayplus.NoRetry
		cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) { seen = a }
	})
	const year = 365 * 24 * time.Hour
	f.Fuzz(func(t *testing.T, text string) {
		header = http.Header{"Retry-After": {text}}
		before := time.Now()
		_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		after := time.Now()
		trimmed := strings.TrimSpace(text)
		low, high := time.Duration(0), time.Duration(0)
		if n, ok := new(big.Int).SetString(trimmed, 10); ok && strings.Trim(trimmed, "0123456789") == "" {
			low = year
			if n.Cmp(big.NewInt(int64(year/time.Second))) < 0 {
				low = time.Duration(n.Int64()) * time.Second
			}
			high = low
		} else if at, err := http.ParseTime(trimmed); err == nil {
			low, high = min(max(at.Sub(after), 0), year), min(max(at.Sub(before), 0), year)
		}
		if seen.RetryAfter < low || seen.RetryAfter > high {
			t.Fatalf("%q: %v, want %v to %v", text, seen.RetryAfter, low, high)
		}
	})
}

// A stored message that is read is JSON, and is stored and read as the same.
func FuzzMessageAtRest(f *testing.F) {
	m, err := decodeOrder.Prepare(&order{ID: "P1", Code: alipayplus.Conceal("2816"), Payer: "C<é>"})
	if err != nil {
		f.Fatal(err)
	}
	stored, err := m.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Add(bytes.Replace(stored, []byte("P1"), []byte(`\u00e9\n`), 1))
	f.Add([]byte(`{"operation":"a","body":"{}"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again alipayplus.Message
		if m.UnmarshalBinary(data) != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON and is read", data)
		}
		stored, err := m.MarshalBinary()
		if err != nil || again.UnmarshalBinary(stored) != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q is stored as %q: %v", data, stored, err)
		}
	})
}

// Nothing opens but what was sealed, for its own purpose.
func FuzzSealed(f *testing.F) {
	sealer, err := alipayplus.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("token"), "redeem", 3, byte(1))
	f.Add([]byte{}, "", 0, byte(0))
	f.Fuzz(func(t *testing.T, text []byte, purpose string, at int, change byte) {
		sealed := sealer.Seal(purpose, text)
		opened, err := sealer.Open(purpose, sealed)
		if err != nil || !bytes.Equal(opened, text) {
			t.Fatalf("%q: %v", opened, err)
		}
		if _, err := sealer.Open(purpose+"x", sealed); !errors.Is(err, alipayplus.ErrSealed) {
			t.Fatalf("another purpose: %v", err)
		}
		if change != 0 {
			at = int(uint(at) % uint(len(sealed)))
			sealed[at] ^= change
			if _, err := sealer.Open(purpose, sealed); !errors.Is(err, alipayplus.ErrSealed) {
				t.Fatalf("byte %d changed: %v", at, err)
			}
		}
		if _, err := sealer.Open(purpose, text); !errors.Is(err, alipayplus.ErrSealed) {
			t.Fatalf("a text that was not sealed: %v", err)
		}
	})
}

// A key is read only if crypto/x509 reads one, and it is the same.
func FuzzKeyDER(f *testing.F) {
	key := testkit.Keys().Wallet
	for _, seed := range [][]byte{pkcs8(key), pkix(&key.PublicKey), pkcs1(key), x509.MarshalPKCS1PublicKey(&key.PublicKey), pkcs8(weak().ec)} {
		f.Add(seed, 0, byte(0))
		f.Add(seed, len(seed)-1, byte(1))
		f.Add(append(seed, 0), 7, byte(0x80))
	}
	f.Fuzz(func(t *testing.T, der []byte, at int, change byte) {
		if len(der) > 0 {
			der = bytes.Clone(der)
			der[int(uint(at)%uint(len(der)))] ^= change
		}
		text := []byte(base64.StdEncoding.EncodeToString(der))
		if got, err := alipayplus.ParsePrivateKey(text); err == nil {
			parsed, err := x509.ParsePKCS8PrivateKey(der)
			if err != nil {
				parsed, err = x509.ParsePKCS1PrivateKey(der)
			}
			if want, ok := parsed.(*rsa.PrivateKey); err != nil || !ok || !got.Equal(want) || got.Validate() != nil {
				t.Fatalf("x509: %v", err)
			}
		}
		if got, err := alipayplus.ParsePublicKey(text); err == nil {
			parsed, err := x509.ParsePKIXPublicKey(der)
			if err != nil {
				parsed, err = x509.ParsePKCS1PublicKey(der)
			}
			if want, ok := parsed.(*rsa.PublicKey); err != nil || !ok || !got.Equal(want) {
				t.Fatalf("x509: %v", err)
			}
		}
	})
}

// A verified answer decides only what encoding/json reads in it: S is success
// and F is failure, as exactly one letter, and all else is unknown.
func FuzzAnswer(f *testing.F) {
	f.Add(bodyS)
	f.Add(bodyF)
	f.Add(`{"result":{"resultStatus":"s"}}`)
	f.Add(`{"result":{"resultStatus":"U","resultCode":"SUCCESS"}}`)
	f.Add(`{"result":{"resultStatus":"U"},"result":{"resultStatus":"S"}}`)
	f.Add(`{"result":{"resultStatus":"F","resultCode":""},"Result":{"resultStatus":"S"}}`)
	f.Add(`{"result":"S","resultStatus":"S"}`)
	f.Add(bodyS + bodyF)
	gateway := &fixedAnswer{status: 200}
	c := newClient(f, gateway, noRetry)
	f.Fuzz(func(t *testing.T, body string) {
		gateway.body, gateway.header = body, signedHeader(decodePath, stamp(time.Now()), body)
		answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		var read struct {
			Result struct{ ResultStatus any }
		}
		valid := json.Unmarshal([]byte(body), &read) == nil
		status, _ := read.Result.ResultStatus.(string)
		outcome := alipayplus.OutcomeOf(err)
		switch {
		case (err == nil) != (outcome == alipayplus.OutcomeSucceeded) || outcome == alipayplus.OutcomeNotSent:
			t.Fatalf("%q: %v, %v", body, outcome, err)
		case body == bodyS && outcome != alipayplus.OutcomeSucceeded, body == bodyF && outcome != alipayplus.OutcomeFailed:
			t.Fatalf("%q: %v", body, outcome)
		case valid && !testkit.OneCase([]byte(body)): // encoding/json takes another one
		case outcome == alipayplus.OutcomeSucceeded && (!valid || status != "S" || answer.Result.Status != "S"),
			outcome == alipayplus.OutcomeFailed && (!valid || status != "F"):
			t.Fatalf("%q: %v, encoding/json reads %q", body, outcome, status)
		}
	})
}

// A message goes to the gateway, below the path that it names, or to an allowed
// notify URL, as net/url reads them: whatever a damaged outbox says.
func FuzzDestination(f *testing.F) {
	for _, seed := range [][2]string{
		{decodePath, ""}, {"//evil.example/x", ""}, {"https://evil.example/x", ""}, {"/a?b=c#d", ""}, {`/\evil.example`, ""}, {"/a b", ""}, {"/%2e%2e/x", ""},
		{"", "https://open.alipayplus.com/notify"}, {decodePath, "https://alipayplus.com.evil.example/"}, {"", "https://a@open.alipayplus.com/"}, {"/a\r\nX: y", ""}, {"*", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	var sent *http.Request
	c := newClient(f, transport(func(r *http.Request) (*http.Response, error) {
		sent = r
		return nil, errLost
	}), noRetry, func(cfg *alipayplus.ClientConfig) {
		cfg.NotifyHosts, cfg.Signer = []string{"notify.example", "notify.example:8443"}, digestSigner{}
	})
	f.Fuzz(func(t *testing.T, path, raw string) {
		sent = nil
		err := c.Deliver(t.Context(), alipayplus.Message{Operation: "notify", Key: "P1", Path: path, URL: raw, Body: alipayplus.Conceal("{}")})
		if (sent == nil) != (alipayplus.OutcomeOf(err) == alipayplus.OutcomeNotSent) {
			t.Fatalf("%q %q: %v", path, raw, err)
		}
		switch {
		case sent == nil:
			if path == decodePath && raw == "" {
				t.Fatalf("not sent: %v", err)
			}
		case raw != "":
			checkAllowedURL(t, raw)
			if read, err := url.Parse(raw); err != nil || sent.URL.Host != read.Host || sent.URL.RequestURI() != read.RequestURI() {
				t.Fatalf("%q is sent to %v", raw, sent.URL)
			}
		default:
			read, err := url.Parse("https://gateway.example" + path)
			if err != nil || read.Host != "gateway.example" || read.RequestURI() != path || sent.URL.Host != "gateway.example" || sent.URL.RequestURI() != path || sent.URL.Scheme != "https" {
				t.Fatalf("%q is sent to %v, %v", path, sent.URL, err)
			}
		}
	})
}
