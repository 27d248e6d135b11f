package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// The wallet of this example, which is the SDK with all its products, is
// accepted by every check.
func TestWallet(t *testing.T) {
	cfg := accept.Config{Capabilities: accept.Capabilities()}
	alipayplustest.TestBackend(t, cfg, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
		w, err := newWallet(ctx, a.World)
		if err != nil {
			return accept.Handlers{}, err
		}
		return w.handlers(), nil
	})
}

// The command runs the checks over HTTP, and its exit status is the verdict.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		rule           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"the example's wallet", []string{"-demo", "-only", "101,201, 401,604,803", "-json", filepath.Join(dir, "r.json"), "-junit", filepath.Join(dir, "r.xml")}, accepted, "ACCEPTED: 5 passed, 0 failed", ""},
		{"the list", []string{"-list"}, accepted, "101  an order code leads to the cashier page", ""},
		{"no wallet named", nil, cannotBegin, "", "name one accept.json"},
		{"help", []string{"-h"}, accepted, "", "Exit status: 0 accepted"},
		{"no such file", []string{filepath.Join(dir, "gone.json")}, cannotBegin, "", "gone.json"},
		{"no such check", []string{"-demo", "-only", "5"}, cannotBegin, "", "there is no check 5"},
		{"no number", []string{"-demo", "-only", "x"}, cannotBegin, "", `"x" is no number`},
		{"no such flag", []string{"-x"}, cannotBegin, "", "flag provided but not defined"},
		{"a quick run", []string{"-demo", "-quick", "-only", "101,140"}, accepted, "ACCEPTED: 1 passed, 0 failed, 1 not applicable", ""},
		{"a new configuration", []string{"-new", dir}, accepted, filepath.Join(dir, "wallet.json"), ""},
		{"a new configuration over one that is in use", []string{"-new", dir}, cannotBegin, "", "accept.json is there already"},
		{"a folder that is not there", []string{"-new", filepath.Join(dir, "gone")}, cannotBegin, "", "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), c.args, &stdout, &stderr); status != c.status || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%s: exit status %d, want %d\n%s\n%s", c.rule, status, c.status, &stdout, &stderr)
		}
	}
	for _, name := range []string{"r.json", "r.xml", "accept.json", "wallet.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is not written: %v", name, err)
		}
	}
}

// A wallet that was made from wallet.json of -new is found by accept.json, and
// one that breaks a rule is not accepted.
func TestConfigured(t *testing.T) {
	cfg, side, err := accept.NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Alipay.Listen, cfg.Alipay.BaseURL = gateway.Addr().String(), "http://"+gateway.Addr().String()
	if err := gateway.Close(); err != nil { // the command listens there
		t.Fatal(err)
	}
	w, err := newWallet(t.Context(), side.World(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer w.end()
	var server net.Listener
	if server, err = listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer serve(server, w.handlers().Handler())()
	url := "http://" + server.Addr().String()
	cfg.Wallet.App, cfg.Wallet.Driver = url+"/app", url+"/driver"
	for api := range cfg.Wallet.Inbound {
		cfg.Wallet.Inbound[api] = url + "/alipayplus/" + api
	}
	name := filepath.Join(t.TempDir(), "accept.json")
	check := func(rule string, want int) {
		t.Helper()
		data, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"-only", "605", name}, &stdout, &stderr); status != want {
			t.Errorf("%s: exit status %d, want %d\n%s\n%s", rule, status, want, &stdout, &stderr)
		}
	}
	check("a right wallet", accepted)
	cfg.Limits.PINTries = 2
	check("a wallet that takes three PINs where two are allowed", notAccepted)
	other, _, err := accept.NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Alipay.Keys = other.Alipay.Keys
	check("keys that the wallet does not have", cannotBegin)
}
