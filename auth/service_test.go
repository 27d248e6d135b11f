package auth_test

import (
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func TestConfigIsChecked(t *testing.T) {
	memory := alipayplus.NewMemory()
	valid := auth.Config{Stores: auth.NewMemoryStores(memory), Outbox: memory, Sealer: newSealer(t), RoutingNumber: "666"}
	for _, c := range []struct {
		rule   string
		change func(*auth.Config)
		ok     bool
	}{
		{"complete", func(*auth.Config) {}, true},
		{"without codes no routing number", func(c *auth.Config) { c.RoutingNumber = "" }, true},
		{"five minutes", func(c *auth.Config) { c.CodeTTL = 5 * time.Minute }, true},
		{"a long access token moves the refresh token", func(c *auth.Config) { c.AccessTokenTTL = 100_000 * time.Hour }, true},
		{"no stores", func(c *auth.Config) { c.Stores = nil }, false},
		{"no outbox", func(c *auth.Config) { c.Outbox = nil }, false},
		{"no sealer", func(c *auth.Config) { c.Sealer = nil }, false},
		{"a wallet that cannot be sent", func(c *auth.Config) { c.Wallet.WalletLogo.LogoURL = "http://wallet.example" }, false},
		{"a routing number of four digits", func(c *auth.Config) { c.RoutingNumber = "6666" }, false},
		{"a routing number with a letter", func(c *auth.Config) { c.RoutingNumber = "66a" }, false},
		{"codes of less than five minutes", func(c *auth.Config) { c.CodeTTL = 5*time.Minute - 1 }, false},
		{"codes of a negative time", func(c *auth.Config) { c.CodeTTL = -time.Hour }, false},
		{"tokens of a negative time", func(c *auth.Config) { c.AccessTokenTTL = -1 }, false},
		{"a refresh token that ends first", func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = 2*time.Hour, time.Hour }, false},
		{"a refusal that is a success", func(c *auth.Config) { c.InvalidCode = alipayplus.CodeSuccess }, false},
	} {
		cfg := valid
		c.change(&cfg)
		if s, err := auth.NewService(cfg); (err == nil) != c.ok || (s == nil) == c.ok {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}
