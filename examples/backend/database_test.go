package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The tables are made once, and a URL that names no database says nothing of what
// is in it.
func TestOpenDatabase(t *testing.T) {
	url := "file:" + filepath.Join(t.TempDir(), "wallet.db")
	for range 2 {
		db, _, err := openDatabase(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`INSERT INTO account (customer, currency, balance) SELECT 'customer-1', 'HKD', 1 WHERE NOT EXISTS (SELECT 1 FROM account)`); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, url := range []string{"mysql://user:password@host/wallet", "wallet.db", url + "?mode=ro"} {
		if _, _, err := openDatabase(t.Context(), url); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("the error is %v", err)
		}
	}
}
