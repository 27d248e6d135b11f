package sqlstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// What is read here was written by another version, by another program or by a
// hand, and damaged. Each target reads the columns a second time, with
// encoding/json and strconv, and the same on every kind of database.

var dialects = []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite}

// column is a value of a column: text as what kind says.
func column(kind byte, text string) driver.Value {
	switch n, err := strconv.ParseInt(text, 10, 64); kind % 8 {
	case 0, 1:
		if err == nil {
			return n
		}
		return text
	case 2:
		return []byte(text)
	case 3:
		return nil
	case 4:
		return float64(n) + 0.5
	case 5:
		return time.UnixMilli(n % 1e14)
	case 6:
		return n%2 == 0
	}
	return text
}

// number is what a column holds as a whole number.
func number(v driver.Value) (n int64, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case string, []byte:
		n, err := strconv.ParseInt(fmt.Sprintf("%s", v), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// isText reports whether v is the text t.
func isText(v driver.Value, t string) bool {
	switch v := v.(type) {
	case string:
		return v == t
	case []byte:
		return string(v) == t
	}
	return false
}

// member is a member of the value in a stored text, as encoding/json reads it;
// sure is false if there are several that differ in their case.
func member(t *testing.T, stored, name string) (text string, sure bool) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(stored))
	decoder.UseNumber()
	var row map[string]any
	if err := decoder.Decode(&row); err != nil {
		t.Fatalf("%q is no JSON and is read", stored)
	}
	value, exact := row["value"].(map[string]any)
	found := value[name]
	for other := range value {
		if other != name && strings.EqualFold(other, name) {
			exact = false
		}
	}
	switch found := found.(type) {
	case json.Number:
		return found.String(), exact
	case string:
		return found, exact
	case nil:
		return "", exact
	}
	return "", false
}

// same reports whether text is the number n.
func same(text string, n int64) bool {
	r, ok := new(big.Rat).SetString(text)
	return ok && r.Cmp(new(big.Rat).SetInt64(n)) == 0
}

// edited is text with a piece of it replaced.
func edited(text string, at int, insert string) string {
	if insert == "" {
		return text
	}
	at = int(uint(at) % uint(len(text)))
	return text[:at] + insert + text[min(len(text), at+len(insert)):]
}

func open(t testing.TB, d sqlstore.Dialect, rows testkit.Rows) *sqlstore.Store {
	t.Helper()
	db := rows.DB()
	t.Cleanup(func() { _ = db.Close() })
	store, err := sqlstore.Open(context.Background(), db, d)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// stores are a Store of each kind of database, whose rows are those in use.
func stores(f *testing.F, rows *[]driver.Value, also *[]driver.Value) (all []*sqlstore.Store) {
	for _, d := range dialects {
		all = append(all, open(f, d, func(query string) (answer [][]driver.Value) {
			if strings.HasPrefix(query, "SELECT o.seq") {
				return [][]driver.Value{{int64(1)}, {int64(2)}} // MySQL lists first
			}
			for _, row := range [][]driver.Value{*rows, *also} {
				if row != nil {
					answer = append(answer, row)
				}
			}
			return answer
		}))
	}
	return all
}

// A row of a payment gives the record that it holds, or an error. Only a row
// without a record is a payment that was never seen.
func FuzzPaymentRow(f *testing.F) {
	record, err := payment.Record{Version: 3, State: payment.StatePaid, Terms: payment.Terms{PaymentRequestID: "P1", CustomerID: "C1"}}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("P1", byte(0), "3", byte(0), "1", byte(7), string(record), 0, "")
	f.Add("P1", byte(0), "0", byte(0), "0", byte(7), "", -1, "")
	f.Add("P1", byte(0), "0", byte(0), "1", byte(7), string(record), 0, "")
	f.Add("P1", byte(0), "-1", byte(0), "1", byte(2), string(record), 0, "")
	f.Add("P1", byte(0), "3", byte(0), "1", byte(7), string(record), 31, "x")
	var row, none []driver.Value
	all := stores(f, &row, &none)
	f.Fuzz(func(t *testing.T, id string, versionKind byte, version string, formatKind byte, format string, recordKind byte, text string, at int, insert string) {
		if text == "" {
			text = string(record)
		}
		whole := insert == "" && text == string(record)
		text = edited(text, at, insert)
		if at < 0 {
			text = ""
		}
		row = []driver.Value{column(versionKind, version), column(formatKind, format), column(recordKind, text)}
		v, isVersion := number(row[0])
		form, isFormat := number(row[1])
		for _, store := range all {
			check := func(r payment.Record) {
				t.Helper()
				switch {
				case r.Version == 0:
					t.Fatalf("%v: %q is taken for a payment that was never seen", store.Dialect(), row)
				case r.Version != v || !isVersion || !isFormat || form > 1 || r.PaymentRequestID != id:
					t.Fatalf("%v: %q is read as version %d of %q", store.Dialect(), row, r.Version, r.PaymentRequestID)
				default:
					if text, sure := member(t, text, "version"); sure && !same(text, v) {
						t.Fatalf("%v: %q is version %s", store.Dialect(), row, text)
					}
					if text, sure := member(t, text, "state"); sure && text != string(r.State) {
						t.Fatalf("%v: %q is in state %s", store.Dialect(), row, r.State)
					}
				}
			}
			r, err := store.Payments().Find(t.Context(), id)
			if err == nil {
				check(r)
			} else if !reflect.DeepEqual(r, payment.Record{}) {
				t.Fatalf("%v: %v, and a record", store.Dialect(), err)
			}
			if good := isText(row[2], string(record)) && whole && id == "P1" && v == 3 && isVersion && form <= 1 && isFormat; good != (err == nil && r.Version != 0) && (good || whole) {
				t.Fatalf("%v: %q: %v", store.Dialect(), row, err)
			}
			stop := fmt.Errorf("stop")
			changing := store.Payments().Update(t.Context(), id, func(_ context.Context, before payment.Record) (payment.Record, error) {
				if r.Version != before.Version || err != nil {
					t.Fatalf("%v: %q: Find says %v, %v, and Update %+v", store.Dialect(), row, r, err, before)
				}
				check(before)
				return before, stop
			})
			if changing == nil {
				t.Fatalf("%v: %q: no error", store.Dialect(), row)
			}
		}
	})
}

// A row of a message gives the message, or an error that is its own: the row
// beside it is delivered all the same.
func FuzzMessageRow(f *testing.F) {
	good := alipayplus.Message{Operation: "notifyPayment", Key: "P1", Path: "/p", Body: alipayplus.Conceal("{}")}
	stored, err := good.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0, 7, 7, 7, 7, 0, 0, 7}, "1", "notifyPayment", "P1", "", "1", "1700000000000", "PAYMENT_IN_PROCESS", 0, "")
	f.Add([]byte{0, 7, 7, 7, 3, 0, 5, 7}, "1", "notifyPayment", `P\x00`, "g", "1", "1700000000000", "", 0, "")
	f.Add([]byte{0, 7, 7, 7, 7, 7, 4, 3}, "1", "notifyPayment", "P1", "", "x", "1.5", "", 0, "")
	f.Add([]byte{3, 3, 3, 3, 3, 3, 3, 3}, "", `\x 1`, "", "", "-1", "", "", 17, "x")
	beside := []driver.Value{int64(2), "notifyPayment", "P1", "", stored, int64(1), int64(1700000000000), ""}
	var row []driver.Value
	all := stores(f, &row, &beside)
	f.Fuzz(func(t *testing.T, kinds []byte, seq, operation, key, group, tries, put, code string, at int, insert string) {
		text := edited(string(stored), at, insert)
		row = nil
		for i, value := range []string{seq, operation, key, group, text, tries, put, code} {
			kind := byte(7)
			if i < len(kinds) {
				kind = kinds[i]
			}
			row = append(row, column(kind, value))
		}
		for _, store := range all {
			list, err := store.Outbox().Lease(t.Context(), 2, time.Minute)
			if err != nil || len(list) != 2 {
				t.Fatalf("%v: %q: leased %v: %v", store.Dialect(), row, list, err)
			}
			dead, err := store.Outbox().DeadLetters(t.Context(), 2)
			if err != nil || len(dead) != 2 {
				t.Fatalf("%v: %q: dead %v: %v", store.Dialect(), row, dead, err)
			}
			healthy := 0
			for _, d := range append(list, dead...) {
				if d.Err != nil {
					if d.Message.Body.Reveal() != "" {
						t.Fatalf("%v: %q: an error and a body", store.Dialect(), row)
					}
					continue
				}
				healthy++
				if reflect.DeepEqual(d.Message, good) && d.Tries == 1 && d.Code == "" {
					continue // the one beside it, or as good
				}
				n, counted := number(row[5])
				escaped := strings.Contains(operation+key+code, `\`)
				if !counted {
					n = 0 // it is delivered all the same
				}
				codeRead := isText(row[7], string(d.Code))
				switch row[7].(type) {
				case string, []byte:
				case nil:
					codeRead = d.Code == ""
				default: // a number in SQLite, say, which is read as a text
					codeRead = true
				}
				if int64(d.Tries) != n || !escaped && (!isText(row[1], d.Message.Operation) || !isText(row[2], d.Message.Key) || !codeRead) {
					t.Fatalf("%v: %q is %+v", store.Dialect(), row, d)
				}
				for name, want := range map[string]string{"operation": d.Message.Operation, "key": d.Message.Key, "body": d.Message.Body.Reveal()} {
					if text, sure := member(t, text, name); sure && text != want {
						t.Fatalf("%v: %q: %s is %q", store.Dialect(), row, name, want)
					}
				}
			}
			if healthy < 2 {
				t.Fatalf("%v: %q: the message beside it is not delivered", store.Dialect(), row)
			}
		}
	})
}

// A row of a request says that it was answered only with its answer, and that it
// is another request only if its fingerprint is one.
func FuzzIdempotencyRow(f *testing.F) {
	request := sha256.Sum256([]byte("request"))
	f.Add(request[:], byte(2), byte(0), "1", byte(2), `{"result":{}}`)
	f.Add(request[:], byte(2), byte(0), "0", byte(3), "")
	f.Add(request[:], byte(2), byte(0), "1", byte(3), "")
	f.Add(request[:31], byte(2), byte(0), "1", byte(2), "{}")
	f.Add([]byte{}, byte(3), byte(7), "t", byte(2), "{}")
	claim := alipayplus.Claim{Operation: "refund", Key: "R1", Owner: "o", Fingerprint: request, Lease: time.Minute}
	var row []driver.Value
	var all []*sqlstore.Store
	for _, d := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite} { // MySQL counts rows here, and never reads them
		all = append(all, open(f, d, func(query string) [][]driver.Value {
			if strings.HasPrefix(query, "SELECT fingerprint") {
				return [][]driver.Value{row}
			}
			return nil // it may not run
		}))
	}
	f.Fuzz(func(t *testing.T, fingerprint []byte, fingerprintKind, answeredKind byte, answered string, answerKind byte, answer string) {
		row = []driver.Value{fingerprint, column(answeredKind, answered), []byte(answer)}
		for i, kind := range []byte{0: fingerprintKind, 2: answerKind} {
			if i != 1 && kind%8 == 3 {
				row[i] = nil
			}
		}
		is, isBool := driver.Bool.ConvertValue(row[1])
		for _, store := range all {
			state, got, err := store.Idempotency().Begin(t.Context(), claim)
			want := alipayplus.ClaimUndecided
			switch {
			case row[0] == nil || len(fingerprint) != sha256.Size || isBool != nil || is == true && row[2] == nil:
			case !bytes.Equal(fingerprint, request[:]):
				want = alipayplus.ClaimConflict
			case is == true:
				want = alipayplus.ClaimAnswered
			default:
				want = alipayplus.ClaimRunning
			}
			if state != want || (err == nil) != (want != alipayplus.ClaimUndecided) || (want == alipayplus.ClaimAnswered) != (got != nil) || got != nil && string(got) != answer {
				t.Fatalf("%v: %q: %v, %q, %v, want %v", store.Dialect(), row, state, got, err, want)
			}
		}
	})
}
