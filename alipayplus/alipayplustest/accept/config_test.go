package accept_test

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// What is wrong with a configuration is said before anything is sent.
func TestConfigurationIsChecked(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*accept.Config)
		says   string
	}{
		{"no capability", func(c *accept.Config) { c.Capabilities = nil }, `"merchantMode"`},
		{"an unknown capability", func(c *accept.Config) { c.Capabilities = append(c.Capabilities, "teleport") }, `there is no "teleport"`},
		{"tokens without Easy Pay", func(c *accept.Config) { c.Capabilities = []accept.Capability{accept.MerchantMode, accept.OneClick} }, `"oneClick" needs "easyPay"`},
		{"one user", func(c *accept.Config) { c.Users = c.Users[:1] }, "users: two are needed, 1 given"},
		{"the same user twice", func(c *accept.Config) { c.Users[1].ID = c.Users[0].ID }, "users: both have the id"},
		{"no login", func(c *accept.Config) { c.Users[0].Header = nil }, "users[0].header: missing"},
		{"no PIN", func(c *accept.Config) { c.Users[1].PIN = "" }, "users[1].pin: missing"},
		{"no key", func(c *accept.Config) { c.Alipay.Keys = nil }, "alipay.keys: 2 needed, 0 given"},
		{"one key, with rotation", func(c *accept.Config) { c.Wallet.Keys = c.Wallet.Keys[:1] }, "wallet.keys: 2 needed, 1 given"},
		{"the key of the other side", func(c *accept.Config) { c.Wallet.Keys[0].Key = &c.Alipay.Keys[0].Key.PublicKey }, "it is the key of Alipay+"},
		{"a limit that cannot be", func(c *accept.Config) { c.Limits.ResendSeconds = -1 }, "limits.resendSeconds: -1 is negative"},
		{"no client id", func(c *accept.Config) { c.Wallet.ClientID = "" }, "wallet.clientId: missing"},
		{"no driver", func(c *accept.Config) { c.Wallet.Driver = "" }, "wallet.driver"},
		{"a URL without a scheme", func(c *accept.Config) { c.Wallet.Inbound["refund"] = "wallet.example/refund" }, "wallet.inbound.refund"},
		{"no currency", func(c *accept.Config) { c.Currency = "" }, "currency: missing"},
		{"no such check", func(c *accept.Config) { c.Only = []int{7} }, "there is no check 7"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			cfg := plainConfig()
			c.change(&cfg)
			if _, err := accept.New(cfg); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

// What does not fit the wallet is said before the first check.
func TestWalletIsAskedFirst(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(cfg *accept.Config, w *plain)
		says   string
	}{
		{"nobody there", func(cfg *accept.Config, _ *plain) {
			cfg.Transport = accept.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		}, "wallet.driver answers GET https://wallet.example/driver/balance"},
		{"no driver at this URL", func(cfg *accept.Config, w *plain) {
			cfg.Transport = accept.InMemory(http.NotFoundHandler())
		}, "HTTP 404, the body is no JSON"},
		{"a number for a text", func(cfg *accept.Config, w *plain) {
			cfg.Transport = accept.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"currency":"HKD","value":100}`))
			}))
		}, `the member "value" is of the JSON type number and should be a string`},
		{"an array for an object", func(cfg *accept.Config, w *plain) {
			cfg.Transport = accept.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[]`)) }))
		}, `the body is of the JSON type array and should be an object`},
		{"a login that is none", func(cfg *accept.Config, _ *plain) { cfg.Users[1].Header = map[string]string{"X": "y"} }, "users[1].header"},
		{"another currency", func(cfg *accept.Config, _ *plain) { cfg.Currency = "KRW" }, "a balance in KRW"},
		{"a poor user", func(_ *accept.Config, w *plain) { w.db.balances["alice"] = 100 }, "users[0], alice, has at least HKD 300000"},
		{"another path of refund", func(cfg *accept.Config, _ *plain) {
			cfg.Wallet.Inbound = maps.Clone(cfg.Wallet.Inbound)
			cfg.Wallet.Inbound["refund"] = cfg.Wallet.App + "/refund"
		}, "wallet.inbound.refund is served at"},
		{"another path of the app", func(cfg *accept.Config, _ *plain) { cfg.Wallet.App += "s" }, "wallet.app answers POST"},
		{"another key of Alipay+", func(_ *accept.Config, w *plain) {
			w.alipayKeys = map[string]*rsa.PublicKey{"1": &keys()[1].PublicKey}
		}, "alipay.keys[0]"},
		{"another key of the wallet", func(_ *accept.Config, w *plain) {
			w.keys = map[string]*rsa.PrivateKey{"1": keys()[3]}
		}, "wallet.keys[0]"},
		{"another gateway", func(_ *accept.Config, w *plain) {
			w.client = accept.InMemory(http.NotFoundHandler())
		}, "alipay.baseUrl"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			withPlain(t, "", c.change, func(t *testing.T, suite *accept.Suite) {
				report, err := suite.Run(t.Context())
				if report != nil || err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v does not say %q", err, c.says)
				}
			})
		})
	}
}

// accept.json of NewConfig is read again, and no key is in an error.
func TestLoad(t *testing.T) {
	cfg, side, err := accept.NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "accept.json")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(data))
	again, err := accept.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accept.New(again); err != nil {
		t.Fatal(err)
	}
	if !again.Alipay.Keys[1].Key.Equal(cfg.Alipay.Keys[1].Key) || !again.Wallet.Keys[0].Key.Equal(&side.Keys[0].Key.PublicKey) {
		t.Error("another key")
	}
	for rule, text := range map[string]string{
		"an unknown member":              strings.Replace(string(data), `"users"`, `"user"`, 1),
		"no key":                         strings.Replace(string(data), `"key":"MII`, `"key":"MIIMII`, 1),
		"more than one value":            string(data) + `{}`,
		"a public key for a private one": strings.Replace(string(data), between(string(data), `"alipay"`), between(string(data), `"wallet"`), 1),
	} {
		write(text)
		_, err := accept.Load(name)
		if err == nil || strings.Contains(err.Error(), "MII") || strings.Contains(rule, "private") && !strings.Contains(err.Error(), `of version "1"`) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := accept.Load(name + ".gone"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// between returns the first key after a member.
func between(text, member string) string {
	_, rest, _ := strings.Cut(text, member)
	_, rest, _ = strings.Cut(rest, `"key":"`)
	key, _, _ := strings.Cut(rest, `"`)
	return key
}

// A run ends when its context does.
func TestRunEnds(t *testing.T) {
	withPlain(t, "", func(*accept.Config, *plain) {}, func(t *testing.T, suite *accept.Suite) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if report, err := suite.Run(ctx); report != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, %v", report, err)
		}
	})
}
