package sqltest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// Two wallet processes, which share a database, are killed again and again
// under load, and so is the database; Alipay+ is a third process. In the end
// the books agree. Leases are two seconds here.
func TestKill(t *testing.T) {
	payments, kills := 300, 4
	if long {
		payments, kills = 2500, 24
	}
	for _, kind := range sqltest.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			d, server := sqltest.Durable(t, kind.Name)
			killTest(t, d, server, payments, kills)
		})
	}
}

// load is what the users and Alipay+ ask of the wallets.
type load struct {
	t      *testing.T
	client *http.Client
	turn   atomic.Int64
	calls  atomic.Int64 // that failed

	mu    sync.Mutex
	began map[string]time.Time
}

// ask asks one wallet or the other until there is an answer.
func (l *load) ask(path string, form url.Values) string {
	for deadline := time.Now().Add(5 * time.Minute); ; {
		answer, err := l.client.PostForm(fmt.Sprintf("http://wallet%d%s", l.turn.Add(1)%2, path), form)
		if err == nil {
			body, readErr := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if readErr == nil && answer.StatusCode == http.StatusOK {
				return string(body)
			}
			err = fmt.Errorf("%s, %w", body, readErr)
		}
		l.calls.Add(1)
		if time.Now().After(deadline) {
			l.t.Errorf("%s %v: %v", path, form, err)
			return ""
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// live lives payment i: one in ten is refunded in part, one is cancelled after
// it was paid, one is not covered and cancelled.
func (l *load) live(i int) {
	id, minor := fmt.Sprint("P", i), 100
	if i%10 == 9 {
		minor = 2_000_000
	}
	l.mu.Lock()
	l.began[id] = time.Now()
	l.mu.Unlock()
	form := url.Values{"id": {id}, "customer": {fmt.Sprint("C", i%20)}, "minor": {fmt.Sprint(minor)}}
	state := l.ask("/confirm", form)
	want := string(payment.StatePaid)
	if i%10 == 9 {
		want = string(payment.StateOpen)
	}
	if state != want {
		l.t.Errorf("%s is %s, want %s", id, state, want)
	}
	switch i % 10 {
	case 3:
		l.ask("/refund", form)
	case 7, 9:
		l.ask("/cancel", form)
	}
}

func killTest(t *testing.T, d *sqltest.Database, server *sqltest.Server, payments, kills int) {
	folder, err := os.MkdirTemp("", "kill") // a socket's name is short
	must(t, err)
	defer func() { _ = os.RemoveAll(folder) }()
	store, bank := d.Store(t), d.Bank(t)
	const customers, deposit = 20, 1_000_000
	for i := range customers {
		must(t, bank.Deposit(t.Context(), fmt.Sprint("C", i), deposit))
	}
	p := part{Folder: folder, Dialect: d.Dialect, Address: d.Address}
	p.Wallet, p.WalletP = keyTexts()
	p.Alipay, p.AlipayP = keyTexts()
	start := func(role, socket string) *process {
		own := p
		own.Socket = socket
		process := &process{t: t, role: role, part: own}
		process.start()
		return process
	}
	alipay := start("alipay", "alipay")
	wallets := []*process{start("wallet", "wallet0"), start("wallet", "wallet1")}
	defer func() {
		for _, process := range append(wallets, alipay) {
			process.kill()
			if t.Failed() && process.log.Len() > 0 {
				t.Logf("%s: %s", process.part.Socket, process.log.String())
			}
		}
	}()

	l := &load{t: t, client: &http.Client{Transport: through(folder), Timeout: time.Minute}, began: map[string]time.Time{}}
	began := time.Now()
	next := make(chan int)
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for i := range next {
				l.live(i)
			}
		})
	}
	databaseKills := 0
	var killing sync.WaitGroup
	progress := make(chan struct{}, kills)
	killing.Go(func() {
		n := 0
		for range progress {
			n++
			wallets[n%2].kill()
			if server != nil && n%4 == 2 {
				server.Kill()
				databaseKills++
				if err := server.Start(); err != nil {
					t.Error(err)
				}
			}
			wallets[n%2].start()
		}
	})
	for i := range payments {
		next <- i
		if (i+1)%(payments/(kills+1)) == 0 && len(progress) < cap(progress) && i+1 < payments {
			progress <- struct{}{}
		}
	}
	close(next)
	users.Wait()
	close(progress)
	killing.Wait()
	took := time.Since(began)

	// Until all is quiet.
	w := &world{t: t, d: d}
	for deadline := time.Now().Add(5 * time.Minute); !w.quiet(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("messages or payments are still on their way")
		}
	}
	answer, err := l.client.Get("http://alipay/books")
	must(t, err)
	books := map[string]told{}
	must(t, json.NewDecoder(answer.Body).Decode(&books))
	_ = answer.Body.Close()

	// The books: the ledger, the records, and what Alipay+ knows.
	entries, err := bank.Entries(t.Context())
	must(t, err)
	net, debits, sum := map[string]int64{}, map[string]int{}, int64(0)
	for key, minor := range entries {
		parts := strings.Split(key, "/")
		id := parts[len(parts)-1]
		if parts[0] == "refund" {
			id = parts[1]
		}
		net[id] += minor
		sum += minor
		if parts[0] == "debit" {
			debits[id]++
		}
	}
	lost, doubled, longest, longestID := 0, 0, time.Duration(0), ""
	for i := range payments {
		id := fmt.Sprint("P", i)
		r := find(t, store.Payments(), id)
		want := int64(-100)
		state := payment.StatePaid
		switch i % 10 {
		case 3:
			want = -90
		case 7, 9:
			want, state = 0, payment.StateClosed
		}
		result := r.InquiryAnswer().PaymentResult
		_, notified := r.Notification()
		codes := books[id].Codes
		switch {
		case debits[id] > 1, len(codes) > 1, net[id] < want:
			doubled++
			t.Errorf("%s: doubled: %d debits, net %d, Alipay+ knows %v", id, debits[id], net[id], codes)
		case r.State != state, net[id] != want, len(r.Due()) > 0,
			notified && (len(codes) != 1 || codes[0] != result.Code || books[id].Amount != r.Amounts.PaymentAmount),
			state == payment.StatePaid && result.Code != alipayplus.CodeSuccess:
			lost++
			t.Errorf("%s: lost: %s, net %d, want %d; due %v; Alipay+ knows %v, inquiry says %v", id, r.State, net[id], want, r.Due(), codes, result)
		}
		if len(codes) > 0 {
			if delay := books[id].First.Sub(l.began[id]); delay > longest {
				longest, longestID = delay, id
			}
		}
	}
	if balances := d.Int(t, `SELECT sum(balance) FROM account`); balances != customers*deposit+sum {
		t.Errorf("the balances are %d, the deposits and entries %d", balances, customers*deposit+sum)
	}
	if dead := d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE state = 3`); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
	t.Logf("%d payments in %v, %d kills of a wallet, %d of the database, %d calls failed: %d lost, %d double, longest delay %v (%s)",
		payments, took.Round(100*time.Millisecond), kills, databaseKills, l.calls.Load(), lost, doubled, longest.Round(100*time.Millisecond), longestID)
	if kills > 0 && l.calls.Load() == 0 {
		t.Error("no kill was noticed")
	}
}
