package payment_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// priceForm is what a Price may be, written as one pattern.
var priceForm = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?([0-9]{1,2}))?$`)

// A Price is read if it has the form, and is the number that math/big reads.
func FuzzPrice(f *testing.F) {
	for _, seed := range []string{"8.5614", "10.0000", "8.66E-5", "1e30", "1E+31", "1E1000000000", ".5", "5.", "-1", "0", "00.10e-30", "", "null", "1e1.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := priceForm.FindStringSubmatch(text)
		ok := m != nil && len(text) <= 32 && (m[1] == "" || m[1] <= "30" || len(m[1]) == 1)
		p := payment.Price(text)
		got, err := p.Decimal()
		if (err == nil) != ok {
			t.Fatalf("%q: %v, want %v", text, err, ok)
		}
		if ok {
			want, read := new(big.Rat).SetString(text)
			if !read || got.Rat().Cmp(want) != 0 {
				t.Fatalf("%q is %v, want %v", text, got, want)
			}
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var kept payment.Price
		err = json.Unmarshal(quoted, &kept)
		if strings.ToValidUTF8(text, "") != text {
			return // encoding/json repairs it
		}
		if (err == nil) != (ok || text == "" || text == "null") || ok && kept != p {
			t.Fatalf("%s is kept as %q: %v", quoted, kept, err)
		}
	})
}

// A stored record that is read is JSON, and is stored and read as the same.
func FuzzRecordAtRest(f *testing.F) {
	stored, err := payment.Record{}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Add([]byte(`{"format":1,"value":{"version":1,"state":"open"}}`))
	f.Add([]byte(`{"format":1,"value":{"version":1,"state":"opened"}}`))
	f.Add([]byte(`{"format":1,"value":{"version":1}}`))
	f.Add([]byte(`{"format":-1,"value":{}}`))
	f.Add([]byte(`{"v":1,"paymentRequestId":"P1","amount":{"currency":"JPY","value":"100"},"attempts":[{"id":"a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again payment.Record
		if r.UnmarshalBinary(data) != nil {
			if !reflect.DeepEqual(r, payment.Record{}) {
				t.Fatalf("%q is not read, and changes the record", data)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON and is read", data)
		}
		var row map[string]any
		if err := json.Unmarshal(data, &row); err != nil {
			t.Fatalf("%q is no object and is read", data)
		}
		if format, ok := row["format"].(float64); ok && format != 1 {
			t.Fatalf("%q is read, of form %v", data, format)
		}
		if states := []payment.State{"open", "verifying", "paying", "paid", "failed", "closed"}; !slices.Contains(states, r.State) && (r.State != "" || r.Version != 0) {
			t.Fatalf("%q is read, version %d in state %q", data, r.Version, r.State)
		}
		stored, err := r.MarshalBinary()
		if err != nil {
			t.Fatalf("%q is read and cannot be stored: %v", data, err)
		}
		if err := again.UnmarshalBinary(stored); err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q is stored as %q: %v", data, stored, err)
		}
	})
}
