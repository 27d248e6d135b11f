// Wallet is a small wallet on the SDK, with a page to look at it: a phone, the
// signed messages as they pass, faults to switch on, and what an operator sees.
// It needs no set-up and no network:
//
//	cd examples/wallet && go run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// options are the command line.
type options struct {
	listen     string // where the page is, on this machine
	database   string // "" is SQLite in a temporary folder
	sealingKey string // 64 hexadecimal digits; "" makes one
	gateway    string // an Alipay+ elsewhere, which drives the wallet; "" plays one
	keys       string // file with the keys for it

	lost *paymenttest.LostDebits // of a wallet that is driven
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8480", "address of the page, on this machine; port 0 takes a free one")
	flag.StringVar(&o.database, "database", "", "postgres://… or the path of an SQLite file; empty: SQLite in a temporary folder")
	flag.StringVar(&o.sealingKey, "sealing-key", "", "64 hexadecimal digits, the same at each start and for all instances of one database; openssl rand -hex 32 makes them")
	flag.StringVar(&o.gateway, "gateway", "", "no page: be the wallet of a test that plays Alipay+ at this URL")
	flag.StringVar(&o.keys, "keys", "", "with -gateway: file with the wallet’s client id, its keys and those of Alipay+")
	flag.Parse()
	if err := o.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "wallet:", err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "wallet:", err)
		os.Exit(1)
	}
}

// check finds options that do not fit together.
func (o options) check(more []string) error {
	switch {
	case len(more) > 0:
		return fmt.Errorf("%q is no option", more[0])
	case (o.gateway == "") != (o.keys == ""):
		return errors.New("-gateway and -keys belong together")
	case o.database != "" && o.sealingKey == "" && o.gateway == "":
		return errors.New("-database needs -sealing-key: what is sealed in the database must be opened after a restart, too")
	}
	return nil
}

// run starts everything, prints one address, and ends with ctx.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	home, err := listen(ctx, o.listen)
	if err != nil {
		return err
	}
	defer func() { _ = home.Close() }()      // if it is not served
	db, err := openDatabase(ctx, o.database) // the wallet's tables and the SDK's
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	started := func(then string) {
		_, _ = fmt.Fprintf(out, "The database is %s\n%s %s\n", db.name, then, address(home))
	}
	if o.gateway != "" {
		return ended(runDriven(ctx, o, db, home, func() { started("The wallet waits for a test at") }))
	}
	all, ctx := errgroup.WithContext(ctx)

	wire := newWire()                          // every message that passes, for the page
	faults := newFaults()                      // what is to go wrong
	alipay, err := newAlipay(db, wire, faults) // Alipay+ and its shops, played
	if err != nil {
		return err
	}
	gateway, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	all.Go(func() error { return serve(ctx, gateway, alipay) })

	alipay.wallet = alipay.reach(address(home)) // where Alipay+ calls the wallet
	wallet, err := newWallet(ctx, o, db, alipay.client(address(gateway)), address(home))
	if err != nil {
		return err
	}
	page, err := newPage(ctx, wallet, alipay, address(home)) // phone, protocol, faults, operators
	if err != nil {
		return err
	}
	all.Go(func() error { return serve(ctx, home, page) })
	wallet.run(ctx, all)
	started("Open")
	return ended(all.Wait())
}

// ended is why the program ended: that somebody wanted it is no error.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
