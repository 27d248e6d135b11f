// Command river is the part of a wallet's backend that delivers messages to
// Alipay+ by River, a job engine on PostgreSQL, for teams that have one: an
// [Outbox] whose messages are jobs, and a worker. Everything else is as with
// sqlstore's own outbox and an alipayplus.Relay.
//
// What differs: River takes over from a worker that died after
// RescueStuckJobsAfter, here a minute, and it is not so quick to notice as a
// Relay. Jobs stay 30 days, so that a message is never put twice in this time.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"os"
	"os/signal"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL)
	if err != nil {
		return err
	}
	credentials, err := alipayplus.ParseCredentials("YOUR_CLIENT_ID", "1", file("wallet-private-key.txt"), file("alipayplus-public-key.txt"))
	if err != nil {
		return err
	}
	client, err := alipayplus.NewClient(alipayplus.ClientConfig{Credentials: credentials, BaseURL: "https://open-sea-global.alipayplus.com"})
	if err != nil {
		return err
	}
	jobs, err := newRiver(db, client, river.Config{})
	if err != nil {
		return err
	}
	payments, err := payment.NewService(payment.ServiceConfig{
		Client:  client,
		Records: records{store.Payments(), Outbox{store, jobs}},
		Ledger:  store.Ledger(bank{}),
	})
	if err != nil {
		return err
	}
	if err := jobs.Start(ctx); err != nil {
		return err
	}
	return payments.Run(ctx)
}

// newRiver makes River's client with the worker. Its tables come from River's
// own migrations (rivermigrate).
func newRiver(db *sql.DB, client *alipayplus.Client, config river.Config) (*river.Client[*sql.Tx], error) {
	config.Workers = river.NewWorkers()
	river.AddWorker(config.Workers, &worker{client: client})
	config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}}
	config.RescueStuckJobsAfter = cmp.Or(config.RescueStuckJobsAfter, time.Minute)
	config.JobTimeout = cmp.Or(config.JobTimeout, 30*time.Second)
	const month = 30 * 24 * time.Hour
	config.CompletedJobRetentionPeriod, config.CancelledJobRetentionPeriod = month, month
	config.DiscardedJobRetentionPeriod = month
	return river.NewClient(riverdatabasesql.New(db), &config)
}

// bank is your money; see sqlstore's example.
type bank struct{}

func (bank) Debit(context.Context, *sql.Tx, payment.Record, payment.Debit) error {
	return alipayplus.CodeUserBalanceNotEnough
}

func (bank) Credit(context.Context, *sql.Tx, payment.Record, payment.Credit) error { return nil }

func file(name string) []byte {
	data, _ := os.ReadFile(name) //nolint:gosec // its callers name it; ParseCredentials says which one is missing
	return data
}
