package accept

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// RunOverHTTP starts a wallet in this process and runs the checks on it over
// HTTP, at two free ports of this machine: for a wallet on a real database,
// whose clock no test can move. Of cfg it needs the Capabilities, as for
// [RunInMemory]. What start starts must end with ctx.
func RunOverHTTP(ctx context.Context, cfg Config, start func(ctx context.Context, w World) (Handlers, error)) (*Report, error) {
	var ports [2]net.Listener
	for i := range ports {
		var err error
		if ports[i], err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("accept: %w", err)
		}
		defer func() { _ = ports[i].Close() }()
	}
	origin := "http://" + ports[1].Addr().String()
	cfg, side, err := cfg.local("http://"+ports[0].Addr().String(), origin)
	if err != nil {
		return nil, err
	}
	suite, err := New(cfg)
	if err != nil {
		return nil, err
	}
	defer serve(ports[0], suite.Alipay())()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	world := side.World(cfg)
	world.Transport = http.DefaultTransport
	handlers, err := start(ctx, world)
	switch {
	case err != nil:
		return nil, fmt.Errorf("accept: the wallet does not start: %w", err)
	case handlers.Inbound == nil || handlers.Driver == nil:
		return nil, errNoHandlers
	}
	defer serve(ports[1], handlers.Handler())()
	return suite.Run(ctx)
}

var errNoHandlers = errors.New("accept: Handlers need Inbound and Driver")

// serve serves h until stop is called.
func serve(listener net.Listener, h http.Handler) (stop func()) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	return func() { _ = server.Close(); <-ended }
}

// local returns c for a gateway and a wallet in this process.
func (c Config) local(gateway, wallet string) (Config, WalletSide, error) {
	keys, err := makeKeys()
	if err != nil {
		return c, WalletSide{}, fmt.Errorf("accept: %w", err)
	}
	c, side := c.with(keys, gateway, wallet)
	return c, side, nil
}

// with returns c with these keys and addresses, and with users and a currency
// where they are missing, and the wallet's side of it.
func (c Config) with(keys [4]*rsa.PrivateKey, gateway, wallet string) (Config, WalletSide) {
	c.Alipay = Alipay{BaseURL: gateway, Keys: []PrivateKey{{"1", keys[0]}, {"2", keys[1]}}}
	c.Wallet = Wallet{
		ClientID: "WALLET_CLIENT_01", Keys: []PublicKey{{"1", &keys[2].PublicKey}, {"2", &keys[3].PublicKey}},
		App: wallet + "/app", Driver: wallet + "/driver", Inbound: inboundURLs(wallet),
	}
	if c.Currency == "" {
		c.Currency = "HKD"
	}
	if c.Users == nil {
		c.Users = testUsers()
	}
	return c, WalletSide{c.Wallet.ClientID, []PrivateKey{{"1", keys[2]}, {"2", keys[3]}}, []PublicKey{{"1", &keys[0].PublicKey}, {"2", &keys[1].PublicKey}}}
}
