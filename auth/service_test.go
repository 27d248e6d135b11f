package auth_test

import (
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func TestConfigIsChecked(t *testing.T) {
	store := auth.NewMemoryStore(1)
	valid := auth.Config{Codes: store, Tokens: store, Sealer: newSealer(t), RoutingNumber: "666"}
	for _, c := range []struct {
		rule   string
		change func(*auth.Config)
		ok     bool
	}{
		{"complete", func(*auth.Config) {}, true},
		{"without codes no routing number", func(c *auth.Config) { c.Codes, c.RoutingNumber = nil, "" }, true},
		{"five minutes", func(c *auth.Config) { c.CodeTTL = auth.MinCodeTTL }, true},
		{"a long access token moves the refresh token", func(c *auth.Config) { c.AccessTokenTTL = 100_000 * time.Hour }, true},
		{"no tokens", func(c *auth.Config) { c.Tokens = nil }, false},
		{"no sealer", func(c *auth.Config) { c.Sealer = nil }, false},
		{"a sealer without keys", func(c *auth.Config) { c.Sealer = new(auth.Sealer) }, false},
		{"no routing number", func(c *auth.Config) { c.RoutingNumber = "" }, false},
		{"a routing number of four digits", func(c *auth.Config) { c.RoutingNumber = "6666" }, false},
		{"a routing number with a letter", func(c *auth.Config) { c.RoutingNumber = "66a" }, false},
		{"codes of less than five minutes", func(c *auth.Config) { c.CodeTTL = auth.MinCodeTTL - 1 }, false},
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
