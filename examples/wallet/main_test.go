package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What does not fit together is said before anything is started.
func TestOptions(t *testing.T) {
	for _, test := range []struct {
		options
		more []string
		says string // "": nothing is wrong
	}{
		{says: ""},
		{options: options{database: "wallet.db", sealingKey: "0f"}, says: ""},
		{options: options{gateway: "http://127.0.0.1:1", keys: "wallet.json", database: "wallet.db"}, says: ""},
		{options: options{database: "wallet.db"}, says: "-sealing-key"},
		{options: options{gateway: "http://127.0.0.1:1"}, says: "-keys"},
		{options: options{keys: "wallet.json"}, says: "-gateway"},
		{more: []string{"now"}, says: `"now"`},
	} {
		if err := test.check(test.more); (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v %v: %v, want %q", test.options, test.more, err, test.says)
		}
	}
}

// A start that fails names the option that is to blame.
func TestStartFails(t *testing.T) {
	taken := strings.TrimPrefix(startWallet(t), "http://")
	for _, test := range []struct {
		options
		says string
	}{
		{options{listen: taken}, "-listen: listen tcp " + taken},
		{options{listen: "8480"}, "-listen: address 8480: missing port"},
		{options{listen: "127.0.0.1:0", sealingKey: "0f"}, "64 hexadecimal digits"},
		{options{listen: "127.0.0.1:0", database: filepath.Join(t.TempDir(), "no", "wallet.db")}, "the database cannot be used"},
	} {
		if err := run(t.Context(), test.options, io.Discard); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.options, err, test.says)
		}
	}
}

// The path of a database may hold what means something in a URL.
func TestDatabasePath(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a?b #c%20.db")
	db, err := openDatabase(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
}
