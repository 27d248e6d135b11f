package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// The program, started with -gateway and -keys, is accepted by the acceptance
// suite on both databases. The short form leaves out the checks that wait;
// ALIPAYPLUS_LONG=1 runs them, in about four minutes.
func TestAccepted(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		accepted(t, filepath.Join(t.TempDir(), "wallet.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		accepted(t, postgreSQL(t))
	})
}

func accepted(t *testing.T, database string) {
	cfg, side, err := accept.NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(t.TempDir(), "wallet.json")
	text, err := json.Marshal(side)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var suite atomic.Pointer[accept.Suite]
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := suite.Load(); s != nil {
			s.Alipay().ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable) // the wallet is there first
	}))
	defer gateway.Close()
	cfg.Alipay.BaseURL = gateway.URL
	home := start(t, options{listen: "127.0.0.1:0", database: database, gateway: cfg.Alipay.BaseURL, keys: keys})
	cfg.Wallet.App, cfg.Wallet.Driver = home+"/app", home+"/driver"
	for api := range cfg.Wallet.Inbound {
		cfg.Wallet.Inbound[api] = home + inboundPath + api
	}
	for i, u := range cfg.Users {
		cfg.Users[i].Header = map[string]string{"Authorization": "Bearer " + u.ID}
	}
	cfg.Quick = os.Getenv("ALIPAYPLUS_LONG") == ""
	run, err := accept.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	suite.Store(run)
	report, err := run.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	alipayplustest.ReportAcceptance(t, report)
}
