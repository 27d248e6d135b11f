package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

func TestMain(m *testing.M) {
	if address := os.Getenv("RIVER_TEST_DATABASE"); address != "" {
		dyingWorker(address)
	}
	sqltest.Main(m)
}

// quickly makes River look often.
var quickly = river.Config{
	FetchCooldown: 10 * time.Millisecond, FetchPollInterval: 20 * time.Millisecond,
	JobTimeout: 10 * time.Minute, RescueStuckJobsAfter: time.Hour,
}

func migrated(t *testing.T) (*sqltest.Database, *sqlstore.Store) {
	t.Helper()
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	migrator, err := rivermigrate.New(riverdatabasesql.New(d.DB), nil)
	must(t, err)
	_, err = migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
	must(t, err)
	return d, store
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func clientOf(t *testing.T, g *alipayplustest.Gateway) *alipayplus.Client {
	t.Helper()
	client, err := alipayplus.NewClient(g.Config())
	must(t, err)
	return client
}

// open makes an Outbox whose jobs nobody works, and a way to see what is to be
// delivered.
func open(t *testing.T) (*sqlstore.Store, Outbox, func(*testing.T) []alipayplus.Message) {
	d, store := migrated(t)
	jobs, err := newRiver(d.DB, clientOf(t, alipayplustest.New(t)), river.Config{})
	must(t, err)
	return store, Outbox{store, jobs}, func(t *testing.T) (list []alipayplus.Message) {
		t.Helper()
		found, err := jobs.JobList(t.Context(), river.NewJobListParams().First(1000).
			States(rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateScheduled, rivertype.JobStateRetryable))
		must(t, err)
		for _, job := range found.Jobs {
			var args messageArgs
			var m alipayplus.Message
			must(t, json.Unmarshal(job.EncodedArgs, &args))
			must(t, m.UnmarshalBinary(args.Message))
			list = append(list, m)
		}
		return list
	}
}

func TestOutbox(t *testing.T) {
	alipayplustest.TestOutbox(t, func(t *testing.T) alipayplustest.OutboxTest {
		store, outbox, pending := open(t)
		return alipayplustest.OutboxTest{Outbox: outbox, InTx: store.InTx, Pending: pending}
	})
}

// A payment and its message change together; River delivers the message. The
// worker's process is killed while Alipay+ does not answer, and another one
// takes over.
func TestWorkerDies(t *testing.T) {
	d, store := migrated(t)
	g := alipayplustest.New(t)
	told := make(chan string, 10)
	alipayplustest.Answer(g, payment.NotifyPayment,
		func(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			told <- r.PaymentRequestID + " " + r.PaymentResult.Error()
			return &payment.NotifyPaymentResponse{}, nil
		})
	jobs, err := newRiver(d.DB, clientOf(t, g), quickly)
	must(t, err)
	bank := d.Bank(t)
	must(t, bank.Deposit(t.Context(), "C1", 1000))
	payments, err := payment.NewService(payment.ServiceConfig{Records: records{store.Payments(), Outbox{store, jobs}}, Ledger: store.Ledger(bank)})
	must(t, err)
	pay := func(id string) {
		amount := alipayplus.Amount{Currency: "KRW", Minor: 300}
		_, err := payments.Open(t.Context(), payment.Opened{Terms: payment.Terms{
			PaymentRequestID: id, CustomerID: "C1", CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
		}})
		must(t, err)
		r, err := payments.Confirm(t.Context(), payment.Confirmation{PaymentRequestID: id, CustomerID: "C1", Shown: amount})
		if err != nil || r.State != payment.StatePaid {
			t.Fatal(r.State, err)
		}
	}

	// Another process takes the first message and is killed.
	pay("P1")
	dying := exec.Command(os.Args[0])
	dying.Env = append(os.Environ(), "RIVER_TEST_DATABASE="+d.Address)
	dying.Stderr = os.Stderr
	sqltest.DieWithParent(dying)
	took, err := dying.StdoutPipe()
	must(t, err)
	must(t, dying.Start())
	if _, err := took.Read(make([]byte, 1)); err != nil {
		t.Fatal("the worker took nothing: ", err)
	}
	must(t, dying.Process.Kill())
	_ = dying.Wait()
	if running := d.Int(t, `SELECT count(*) FROM river_job WHERE state = 'running'`); running != 1 {
		t.Errorf("%d messages were under way when it was killed", running)
	}

	must(t, jobs.Start(t.Context()))
	defer func() { _ = jobs.Stop(context.WithoutCancel(t.Context())) }()
	pay("P2")
	wants := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-time.After(5 * time.Minute):
			t.Fatalf("not told: %s", want)
		}
	}
	wants("P2 S SUCCESS")
	// River rescues what a worker took more than an hour ago.
	d.Exec(t, `UPDATE river_job SET attempted_at = attempted_at - interval '2 hours' WHERE id = (SELECT min(id) FROM river_job)`)
	wants("P1 S SUCCESS")
}

// dyingWorker is a process whose messages do not reach Alipay+: it says that it
// took one, and stands still until its end.
func dyingWorker(address string) {
	d, err := sqltest.Connect(sqlstore.PostgreSQL, address)
	if err == nil {
		config := alipayplustest.New(process{}).Config()
		config.Transport = &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			fmt.Print(".")
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // no time limit ends the attempt
			select {}
		}}
		var client *alipayplus.Client
		if client, err = alipayplus.NewClient(config); err == nil {
			var jobs *river.Client[*sql.Tx]
			if jobs, err = newRiver(d.DB, client, quickly); err == nil {
				err = jobs.Start(context.Background())
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	select {}
}

// process is the alipayplustest.TB of a process that is killed.
type process struct{}

func (process) Helper()               {}
func (process) Errorf(string, ...any) {}
func (process) Cleanup(func())        {}
