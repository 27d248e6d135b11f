// Command backend is a wallet's backend: merchant-presented mode, Easy Pay and
// authorization, on PostgreSQL or SQLite.
//
//	main.go           what there is, and what runs
//	bank.go           the money: one statement for each booking
//	customers.go      who the users are, their PINs, risk control
//	page.go           the verification page of Easy Pay
//	authorizations.go what users see and end in the app
//	database.go       the database and its tables (schema.sql)
//
// It reads wallet-private-key.txt, alipayplus-public-key.txt and seal-key (32
// random bytes: head -c 32 /dev/urandom >seal-key) from its folder, and from the
// environment
//
//	CLIENT_ID     the wallet's id at Alipay+
//	BASE_URL      the gateway, for example https://open-sea-global.alipayplus.com
//	PAGE_URL      where users find /verify/, for example https://wallet.example/verify/
//	DATABASE_URL  postgres://… or file:…; without it the file wallet.db, by SQLite
//
// Port 8443 is for Alipay+, 8080 for the app and for browsers. Put a proxy with
// TLS in front of both.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	credentials := must(alipayplus.ParseCredentials(os.Getenv("CLIENT_ID"), "1",
		must(os.ReadFile("wallet-private-key.txt")), must(os.ReadFile("alipayplus-public-key.txt"))))
	db, dialect, err := openDatabase(ctx, os.Getenv("DATABASE_URL"))
	b := newBackend(ctx, config{
		client: alipayplus.ClientConfig{Credentials: credentials, BaseURL: os.Getenv("BASE_URL")},
		db:     must(db, err), dialect: dialect,
		sealKey: must(os.ReadFile("seal-key")), // not in the database
		pageURL: os.Getenv("PAGE_URL"), ruleFile: "coderules.json",
	})

	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return alipayplus.Serve(ctx, alipayplus.NewServer(":8443", b.forAlipay)) })
	all.Go(func() error { return alipayplus.Serve(ctx, alipayplus.NewServer(":8080", b.forUsers)) })
	for _, run := range b.loops {
		all.Go(func() error { return run(ctx) })
	}
	if err := all.Wait(); !errors.Is(err, context.Canceled) { // a signal cancels it
		_ = must(0, err)
	}
}

// config is what differs between the wallet and its tests.
type config struct {
	client            alipayplus.ClientConfig
	db                *sql.DB
	dialect           sqlstore.Dialect
	sealKey           []byte
	pageURL, ruleFile string
}

// backend is what there is to serve and to run.
type backend struct {
	forAlipay, forUsers http.Handler
	loops               []func(context.Context) error
}

// newBackend makes the SDK's parts. They log to slog.Default(): level ERROR is an
// alarm for a human.
func newBackend(ctx context.Context, cfg config) backend {
	client := must(alipayplus.NewClient(cfg.client))
	store := must(sqlstore.Open(ctx, cfg.db, cfg.dialect))
	sealer := must(alipayplus.NewSealer(cfg.sealKey))
	customers := customers{cfg.db, cfg.sealKey}

	tokens := must(auth.NewService(auth.Config{
		Stores: must(authsql.Open(ctx, store)), Outbox: store.Outbox(), Sealer: sealer,
		RoutingNumber: "666", KeepAccessTokens: true,
	}))
	payments := must(payment.NewService(payment.ServiceConfig{
		Client: client, Records: store.Payments(), Ledger: store.Ledger(bank{}),
		Check:    customers.check, // before the user sees an order, and before the debit
		OnChange: tokens.OnPaid,   // the agreement's token, in the transaction of the debit
	}))
	identifier := must(codeid.Open(ctx, codeid.Config{Client: client, File: cfg.ruleFile}))
	flow := must(mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier, Payments: payments}))
	pay := must(easypay.NewService(easypay.Config{
		Payments: payments, Tokens: tokens, Sealer: sealer,
		PageURL: cfg.pageURL, Account: customers.account,
	}))
	relay := must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: store.Outbox(), Sealer: sealer}))
	handler := must(alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: cfg.client.Credentials, Idempotency: store.Idempotency()},
		slices.Concat(
			pay.Routes("/alipayplus/"),      // pay
			payments.Routes("/alipayplus/"), // inquiryPayment, cancelPayment, refund
			tokens.Routes("/alipayplus/"),   // applyToken, cancelToken
		)...))

	users := http.NewServeMux()
	users.Handle("/app/", http.StripPrefix("/app", flow.Handler(customer))) // scan, decode, confirm, payments/{id}
	users.Handle("/app/authorizations/", authorizations{cfg.db, client, tokens}.handler())
	users.Handle("/verify/{link}", verificationPage(pay, customers))

	return backend{handler, users, []func(context.Context) error{
		relay.Run,      // delivers notifyPayment and authNotify
		payments.Run,   // closes what expires, resumes after a crash
		tokens.Run,     // erases what is sealed in time
		identifier.Run, // refreshes the code rules
		purge(store),   // deletes what is too old
	}}
}

func must[T any](v T, err error) T {
	if err != nil {
		slog.Error("the backend cannot run", "err", err)
		os.Exit(1)
	}
	return v
}
