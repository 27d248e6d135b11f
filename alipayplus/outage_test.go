package alipayplus_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// sentAt is a call's id and the moment at which it was made.
type sentAt struct {
	mu    sync.Mutex
	begun map[string]time.Time
	late  time.Duration // the longest that a first attempt came after its call
	calls int
	all   int // attempts
}

// begin notes a call, arrive an attempt. An attempt that nobody began is a
// repeated one.
func (s *sentAt) begin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun[id] = time.Now()
	s.calls++
}

func (s *sentAt) arrive(id string) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all++
	at, first := s.begun[id]
	if first {
		s.late = max(s.late, time.Since(at))
		delete(s.begun, id)
	}
	return first
}

// cutoff takes the counts so far and begins to count again.
func (s *sentAt) cutoff() (calls, all, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, all, waiting = s.calls, s.all, len(s.begun)
	s.calls, s.all = 0, 0
	return calls, all, waiting
}

// A gateway is down for ten minutes under 1,000 calls a second that go on
// through it: at most 1.10 attempts a call, every first attempt at the moment
// of its call. After it each call that fails once, one of fifty, is repeated
// again; the last one that is not ends less than a minute after the outage.
// Short: 20 seconds of outage; ALIPAYPLUS_LONG=1: ten minutes.
func TestOutageOfTenMinutes(t *testing.T) {
	outage, after := size(20, 15, 600), size(15, 4, 60)
	synctest.Test(t, func(t *testing.T) {
		watch := &sentAt{begun: map[string]time.Time{}}
		var down atomic.Bool
		var weak atomic.Int64
		gateway := transport(func(r *http.Request) (*http.Response, error) {
			id := r.Header.Get("X-Id")
			first := watch.arrive(id)
			if down.Load() || first && weak.Add(1)%50 == 0 {
				return response(503, nil, ""), nil
			}
			at := stamp(time.Now().Truncate(time.Second)) // few signatures for many answers
			return response(200, signedHeader(r.URL.RequestURI(), at, bodyS), bodyS), nil
		})
		c := newClient(t, named{gateway})
		var calls sync.WaitGroup
		var mu sync.Mutex
		var lastFailure time.Time
		n := 0
		load := func(seconds int) {
			for range seconds * 100 { // in ticks of 10 ms
				for range 10 {
					n++
					id := idOf(n)
					calls.Go(func() {
						watch.begin(id)
						_, err := decodeOrder.Call(t.Context(), c, &order{ID: id})
						switch alipayplus.OutcomeOf(err) {
						case alipayplus.OutcomeSucceeded:
						case alipayplus.OutcomeUnknown:
							mu.Lock()
							lastFailure = time.Now()
							mu.Unlock()
						default:
							t.Errorf("%s: %v", id, err)
						}
					})
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		load(2)
		calls.Wait()
		if !lastFailure.IsZero() {
			t.Error("a call failed before the outage")
		}
		watch.cutoff()

		down.Store(true)
		load(outage)
		synctest.Wait()
		made, attempts, waiting := watch.cutoff()
		ended := time.Now()
		down.Store(false)
		ratio := float64(attempts) / float64(made)
		if ratio > 1.10 || ratio < 1.05 {
			t.Errorf("%.4f attempts a call", ratio)
		}
		if waiting > 0 {
			t.Errorf("%d first attempts are held back", waiting)
		}

		load(after)
		calls.Wait()
		recovered := max(0, lastFailure.Sub(ended))
		if recovered > time.Minute || recovered > time.Duration(after/2)*time.Second {
			t.Errorf("calls failed for %v after the outage", recovered)
		}
		if watch.late != 0 {
			t.Errorf("a first attempt came %v after its call", watch.late)
		}
		t.Logf("%d calls in %d s of outage: %.4f attempts a call, first attempts after %v, recovered after %v",
			made, outage, ratio, watch.late, recovered.Round(time.Millisecond))
	})
}

func idOf(n int) string {
	const digits = "0123456789abcdef"
	id := []byte("P00000000")
	for i := len(id) - 1; n > 0; i, n = i-1, n/16 {
		id[i] = digits[n%16]
	}
	return string(id)
}

// named puts the id of an order into a header for next.
type named struct{ next http.RoundTripper }

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	body := make([]byte, len(`{"id":"P00000000"}`))
	if _, err := r.Body.Read(body); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Id", string(body[len(`{"id":"`):len(body)-2]))
	return n.next.RoundTrip(r)
}
