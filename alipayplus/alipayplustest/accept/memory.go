package accept

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"sync"
)

// World is what a wallet in the same process needs to meet the suite.
type World struct {
	ClientID   string
	BaseURL    string                     // of the gateway
	WalletKeys map[string]*rsa.PrivateKey // by version: "1", and "2" for rotateKey
	AlipayKeys map[string]*rsa.PublicKey  // by version: "1" and "2"
	Transport  http.RoundTripper          // to the gateway
	Rules      []byte                     // [Rules], which the gateway serves, too
	Users      []User
	Currency   string
}

// Handlers are a wallet in the same process.
type Handlers struct {
	App     http.Handler // scan, decode, confirm, payments/{id}; nil without MerchantMode
	Driver  http.Handler // what only a test environment has; see [Driver]
	Inbound http.Handler // what Alipay+ calls, at "/alipayplus/" and the name of the API
}

// RunInMemory starts a wallet in this process and runs the checks on it,
// without a socket. Of cfg it needs the Capabilities; Users, Currency and keys
// are made up where they are missing. In a testing/synctest bubble, set
// VirtualTime.
//
// start gives every user the balance that [MinimumBalance] asks for.
func RunInMemory(ctx context.Context, cfg Config, start func(ctx context.Context, w World) (Handlers, error)) (*Report, error) {
	const gateway, origin = "https://gateway.accept.example", "https://wallet.accept.example"
	cfg, side, err := cfg.local(gateway, origin)
	if err != nil {
		return nil, err
	}
	wallet := &later{}
	cfg.Transport = InMemory(wallet)
	suite, err := New(cfg)
	if err != nil {
		return nil, err
	}
	world := side.World(cfg)
	world.Transport = InMemory(suite.Alipay())
	handlers, err := start(ctx, world)
	if err != nil {
		return nil, fmt.Errorf("accept: the wallet does not start: %w", err)
	}
	if handlers.Inbound == nil || handlers.Driver == nil {
		return nil, errNoHandlers
	}
	wallet.handler = handlers.Handler()
	return suite.Run(ctx)
}

// later is a handler that is set before the first request.
type later struct{ handler http.Handler }

func (l *later) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.handler.ServeHTTP(w, r) }

// Handler serves the three at one address: below "/app", "/driver" and
// "/alipayplus".
func (h Handlers) Handler() http.Handler {
	mux := http.NewServeMux()
	for prefix, handler := range map[string]http.Handler{"/app": h.App, "/driver": h.Driver} {
		if handler != nil {
			mux.Handle(prefix+"/", http.StripPrefix(prefix, handler))
		}
	}
	mux.Handle("/alipayplus/", h.Inbound)
	return mux
}

// WalletSide is what the wallet's test environment gets: the other halves of
// the keys in accept.json.
type WalletSide struct {
	ClientID   string       `json:"clientId"`
	Keys       []PrivateKey `json:"keys"`       // the wallet's, by version
	AlipayKeys []PublicKey  `json:"alipayKeys"` // of the Alipay+ that the suite plays
}

// NewConfig returns an accept.json to begin with, with new keys and the
// addresses of this machine, and the wallet's side of it.
func NewConfig() (Config, WalletSide, error) {
	var keys [4]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return Config{}, WalletSide{}, fmt.Errorf("accept: %w", err)
		}
	}
	cfg, side := Config{OrderCurrency: "JPY", Capabilities: Capabilities()}.with(keys, "http://127.0.0.1:8900", "http://127.0.0.1:8080")
	cfg.Alipay.Listen = "127.0.0.1:8900"
	cfg.fill()
	return cfg, side, nil
}

func inboundURLs(wallet string) map[string]string {
	urls := map[string]string{}
	for _, api := range []string{"pay", "inquiryPayment", "cancelPayment", "refund", "applyToken", "cancelToken"} {
		urls[api] = wallet + "/alipayplus/" + api
	}
	return urls
}

func testUsers() []User {
	return []User{
		{ID: "alice", PIN: "1234", LoginID: "852-90000001", Header: map[string]string{"X-Customer": "alice"}},
		{ID: "bob", PIN: "4321", LoginID: "852-90000002", Header: map[string]string{"X-Customer": "bob"}},
	}
}

// World returns the wallet's side as a wallet in Go takes it, for the
// addresses, users and currency of cfg.
func (w WalletSide) World(cfg Config) World {
	world := World{
		ClientID: w.ClientID, BaseURL: cfg.Alipay.BaseURL, Rules: Rules(), Users: cfg.Users, Currency: cfg.Currency,
		WalletKeys: map[string]*rsa.PrivateKey{}, AlipayKeys: map[string]*rsa.PublicKey{},
	}
	for _, key := range w.Keys {
		world.WalletKeys[key.Version] = key.Key
	}
	for _, key := range w.AlipayKeys {
		world.AlipayKeys[key.Version] = key.Key
	}
	return world
}

// makeKeys makes keys once for each process: it takes longer than most tests.
var makeKeys = sync.OnceValues(func() (keys [4]*rsa.PrivateKey, err error) {
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keys, err
		}
	}
	return keys, nil
})
