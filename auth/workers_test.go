package auth_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func TestManyWorkersSendOnce(t *testing.T) {
	for _, eager := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { manyWorkers(t, eager) })
	}
}

// manyWorkers has 8 workers deliver 20 notifications, or a single one from a
// store that lists what is not due, too.
func manyWorkers(t *testing.T, eager bool) {
	w := newWorld(t)
	tokens := 20
	if eager {
		tokens = 1
		cfg := w.config
		cfg.Tokens = allDue{w.store}
		w.service = newService(t, cfg)
	}
	for i := range tokens {
		g := agreement
		g.ReferenceAgreementID = fmt.Sprint(i)
		w.issue(g)
		w.gateway.Fail(auth.AuthNotify, alipayplustest.Delay(3*time.Second))
	}
	var sending sync.Map
	var sent atomic.Int32
	w.throughTransport(func(body []byte) {
		if _, twice := sending.LoadOrStore(string(body), true); twice {
			t.Error("a notification is sent twice at once")
		}
		sent.Add(1)
	})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { w.work() })
	}
	time.Sleep(time.Second)
	w.work() // while the others are sending
	wait.Wait()
	if int(sent.Load()) != tokens || w.arrived() != tokens {
		t.Errorf("%d sent, %d arrived, want %d", sent.Load(), w.arrived(), tokens)
	}
}

// stubborn retries for ever.
type stubborn struct{}

func (stubborn) Next(alipayplus.Attempt) (time.Duration, bool) { return time.Second, true }

// However long a client tries, no delivery outlasts the lease of its worker.
func TestDeliveryEndsBeforeItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.gateway.Config()
		cfg.Retry, cfg.Budget = stubborn{}, &alipayplus.Budget{Reserve: 1e9}
		cfg.Transport = transport(func(*http.Request) (*http.Response, error) { return nil, errBroken })
		var err error
		if w.client, err = alipayplus.NewClient(cfg); err != nil {
			t.Fatal(err)
		}
		token := w.issue(agreement)
		began := time.Now()
		var wait sync.WaitGroup
		wait.Go(func() { w.work() })
		time.Sleep(time.Second)
		lease := w.find(token.ID).Notice.Lease
		wait.Wait()
		if took := time.Since(began); took > lease.Sub(began)-10*time.Second {
			t.Errorf("a delivery took %v under a lease of %v", took, lease.Sub(began))
		}
	})
}

// A cancellation does not overtake the notification that a worker is sending.
func TestCancelWaitsForTheDeliveryOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep)
		token := w.issue(agreement)
		w.gateway.Fail(auth.AuthNotify, slow(4*time.Second))
		var wait sync.WaitGroup
		wait.Go(func() { w.work() })
		time.Sleep(time.Second)
		if told, err := w.service.Cancel(t.Context(), token.ID); !told || err != nil {
			t.Fatalf("Cancel: %t, %v", told, err)
		}
		w.work() // not yet
		if w.arrived() != 0 {
			t.Error("the cancellation overtook")
		}
		wait.Wait()
		w.work()
		if len(w.canceled()) != 1 || w.arrived() != 2 {
			t.Errorf("%d notifications", w.arrived())
		}
	})
}
