package authsql_test

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// A row gives the token or the code that it holds, or an error: never one of
// another digest or of another version, and never ErrNotFound, by which a new
// one would be made. Another reader of the record is encoding/json.
func FuzzRow(f *testing.F) {
	digest := func(text string) string { return alipayplus.Conceal(text).Digest() }
	token := auth.Token{ID: digest("id"), Version: 2, AccessDigest: digest("access"), RefreshDigest: digest("refresh"), Created: time.Unix(1, 0).UTC()}
	code := auth.Code{Digest: digest("code"), Version: 2, Expiry: time.Unix(1, 0).UTC()}
	tokenText, codeText := testkit.Must(token.MarshalBinary()), testkit.Must(code.MarshalBinary())
	f.Add(byte(0), int64(2), byte(0), 0, "")
	f.Add(byte(1), int64(2), byte(0), 0, "")
	f.Add(byte(2), int64(2), byte(0), 0, "")
	f.Add(byte(3), int64(2), byte(0), 0, "")
	f.Add(byte(0), int64(7), byte(0), 0, "")
	f.Add(byte(0), int64(0), byte(3), 0, "")
	f.Add(byte(1), int64(2), byte(0), strings.Index(string(tokenText), token.AccessDigest), "0")
	f.Add(byte(0), int64(0), byte(0), strings.Index(string(tokenText), `2,"grant`), "0")
	f.Add(byte(3), int64(0), byte(2), strings.Index(string(codeText), `2,"grant`), "0")
	f.Add(byte(0), int64(2), byte(0), 0, `{"format":1,"value":{"version":2}}`)
	var row []driver.Value
	var all []auth.Stores
	for _, d := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite} {
		db := testkit.Rows(func(query string) [][]driver.Value {
			if strings.Contains(query, "auth_code") {
				return [][]driver.Value{row[1:]}
			}
			return [][]driver.Value{row}
		}).DB()
		f.Cleanup(func() { _ = db.Close() })
		store := testkit.Must(sqlstore.Open(context.Background(), db, d))
		all = append(all, testkit.Must(authsql.Open(context.Background(), store)))
	}
	f.Fuzz(func(t *testing.T, which byte, version int64, kind byte, at int, insert string) {
		key := []string{token.ID, token.AccessDigest, token.RefreshDigest, code.Digest}[which%4]
		text := string(tokenText)
		if which%4 == 3 {
			text = string(codeText)
		}
		if insert != "" {
			at = int(uint(at) % uint(len(text)))
			text = text[:at] + insert + text[min(len(text), at+len(insert)):]
		}
		row = []driver.Value{token.ID, version, text}
		switch kind % 4 {
		case 2:
			row[2] = []byte(text)
		case 3:
			row[2] = nil
		}
		for _, stores := range all {
			var has []string
			var got int64
			var err error
			if which%4 == 3 {
				c, findErr := stores.FindCode(t.Context(), key)
				has, got, err = []string{c.Digest}, c.Version, findErr
			} else {
				k, findErr := stores.FindToken(t.Context(), key)
				has, got, err = []string{k.ID, k.AccessDigest, k.RefreshDigest, k.OldAccessDigest, k.OldRefreshDigest}, k.Version, findErr
			}
			if err != nil {
				if errors.Is(err, auth.ErrNotFound) || strings.Join(has, "") != "" || got != 0 {
					t.Fatalf("%q: %v, with %q", row, err, has)
				}
				if insert == "" && kind%4 != 3 && version == 2 {
					t.Fatalf("%q: %v", row, err)
				}
				continue
			}
			var read struct {
				Value struct {
					ID, Digest, AccessDigest, RefreshDigest, OldAccessDigest, OldRefreshDigest string
				}
			}
			_ = json.Unmarshal([]byte(text), &read) // of what is left of it
			v := read.Value
			if json.Valid([]byte(text)) && !testkit.OneCase([]byte(text)) {
				continue
			}
			if !json.Valid([]byte(text)) || kind%4 == 3 || got != version || version < 1 || !strings.Contains(strings.Join(has, " "), key) ||
				!strings.Contains(strings.Join([]string{v.ID, v.Digest, v.AccessDigest, v.RefreshDigest, v.OldAccessDigest, v.OldRefreshDigest}, " "), key) {
				t.Fatalf("%q is read as %q, version %d", row, has, got)
			}
		}
	})
}
