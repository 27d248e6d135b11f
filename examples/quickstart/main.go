// Quickstart runs whole payments between a wallet's backend and an Alipay+ that
// it plays itself: real RSA keys, real HTTP on loopback ports, real faults. It
// needs no set-up and no network:
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -flow easypay   # one flow: order, entry, limit, easypay, mainland
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// flows are what -flow chooses from, in the order of "all".
var flows = []struct {
	name string
	run  func(*world, context.Context) error
}{
	{"order", (*world).orderCode},
	{"entry", (*world).entryCode},
	{"limit", (*world).limit},
	{"easypay", (*world).easyPay},
	{"mainland", (*world).mainland},
}

func main() {
	var names []string
	for _, f := range flows {
		names = append(names, f.name)
	}
	choice := flag.String("flow", "all", strings.Join(names, ", ")+" or all")
	flag.Parse()
	if flag.NArg() > 0 || (*choice != "all" && !slices.Contains(names, *choice)) {
		flag.Usage()
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the trace shows it
	if err := run(context.Background(), *choice); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

const legend = `A wallet's backend and an Alipay+ that is played pay with each other, over real HTTP and with real keys.
Every message is printed as it passes; what is secret is [redacted]. In square brackets after a step: its place in
the guide of Alipay+, if it has one.
`

// world is the two parties and the wire between them.
type world struct {
	trace  *trace
	alipay *alipayplustest.Gateway // Alipay+, with the faults that a step wants
	shop   *mpmtest.Merchant       // the merchant, its acquirer and their orders
	client *alipayplus.Client      // of the wallet
	wallet *wallet
	server http.Handler        // the wallet's handler, as Alipay+ reaches it
	known  []alipayplus.Secret // access tokens that Alipay+ was told

	appURL       string          // where the wallet's app reaches its backend
	appTransport *http.Transport // of the app
}

func run(ctx context.Context, choice string) error {
	began := time.Now()
	complaints := &complaints{}
	w := &world{
		trace:        &trace{out: os.Stdout},
		alipay:       alipayplustest.New(complaints),
		appTransport: &http.Transport{},
	}
	w.shop = mpmtest.NewMerchant(complaints, w.alipay)
	_, _ = fmt.Fprint(w.trace.out, legend)
	w.trace.title("Start: keys, client, handler, code rules")
	serving, stop := context.WithCancel(ctx)
	servers := servers{ctx: serving, stop: stop}
	if err := w.start(ctx, &servers); err != nil {
		return errors.Join(err, servers.end())
	}

	done := 0
	for _, f := range flows {
		if choice == "all" || choice == f.name {
			if err := f.run(w, ctx); err != nil {
				return errors.Join(fmt.Errorf("%s: %w", f.name, err), servers.end())
			}
			done++
		}
	}
	w.client.CloseIdleConnections()
	w.appTransport.CloseIdleConnections()
	if err := servers.end(); err != nil {
		return err
	}
	if texts := complaints.finish(); len(texts) > 0 {
		return fmt.Errorf("Alipay+ complains:\n%s", strings.Join(texts, "\n"))
	}
	flow := "flows"
	if done == 1 {
		flow = "flow"
	}
	fmt.Printf("\nOK: %d %s, %d signed messages, in %v\n",
		done, flow, w.trace.messages.Load(), time.Since(began).Round(10*time.Millisecond))
	return nil
}

// start connects the two parties.
func (w *world) start(ctx context.Context, servers *servers) error {
	w.answerAsAlipay()
	alipayURL, err := servers.serve(w.alipay)
	if err != nil {
		return err
	}

	// What a wallet does once, when it starts. A real one has its keys from a
	// vault, the gateway's own BaseURL, and the default transport and intervals.
	w.client, err = alipayplus.NewClient(alipayplus.ClientConfig{
		Credentials: w.alipay.Credentials(),
		BaseURL:     alipayURL,
		Transport:   &tracingTransport{w.trace, "wallet --> Alipay+", &http.Transport{}},
		Retry:       alipayplus.Backoff{Base: 10 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	w.trace.step("Step 2.2", "The wallet loads the rules by which codes are identified")
	identifier, err := codeid.Open(ctx, codeid.Config{Client: w.client}) // then: go identifier.Run(ctx)
	if err != nil {
		return err
	}
	local, err := codeid.NewList(codeid.Entry{Kind: codeid.KindPrefix, Value: "wallet:"})
	if err != nil {
		return err
	}
	if w.wallet, err = newWallet(); err != nil {
		return err
	}
	flow, err := mpm.NewFlow(mpm.Config{
		Client:     w.client,
		Identifier: identifier,
		Payments:   w.wallet.payments,
		Filter:     codeid.NewFilter(codeid.Lists{Local: local}),
	})
	if err != nil {
		return err
	}
	if w.appURL, err = servers.serve(flow.Handler(login)); err != nil {
		return err
	}
	handler, err := alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: w.alipay.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000)},
		slices.Concat(w.wallet.easyPay.Routes("/alipayplus/"), w.wallet.payments.Routes("/alipayplus/"), w.wallet.tokens.Routes("/alipayplus/"))...)
	if err != nil {
		return err
	}
	walletURL, err := servers.serve(handler)
	if err != nil {
		return err
	}
	w.server = alipayplustest.Remote(walletURL, &tracingTransport{w.trace, "Alipay+ --> wallet", &http.Transport{}})
	return nil
}

// servers serves handlers at loopback ports.
type servers struct {
	group errgroup.Group
	ctx   context.Context // ends with stop
	stop  context.CancelFunc
}

func (s *servers) serve(h http.Handler) (baseURL string, err error) {
	listener, err := new(net.ListenConfig).Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.group.Go(func() error { return alipayplus.ServeListener(s.ctx, alipayplus.NewServer("", h), listener) })
	return "http://" + listener.Addr().String(), nil
}

// end ends all servers and waits for them.
func (s *servers) end() error {
	s.stop()
	return s.group.Wait()
}

// complaints is the alipayplustest.TB of a program.
type complaints struct {
	texts    []string
	cleanups []func()
}

func (c *complaints) Helper()          {}
func (c *complaints) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }
func (c *complaints) Errorf(format string, args ...any) {
	c.texts = append(c.texts, fmt.Sprintf(format, args...))
}

func (c *complaints) finish() []string {
	for _, f := range c.cleanups {
		f()
	}
	return c.texts
}
