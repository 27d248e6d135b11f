package alipayplus_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// net/http sends once for each attempt, also when the server closes a
// kept-alive connection under it, which is when it likes to send again by
// itself.
func TestNoHiddenRetries(t *testing.T) {
	testkit.NoLeaks(t)
	for _, op := range []*alipayplus.Outbound[order, orderAnswer]{decodeOrder, onceOnly} {
		var sends, attempts atomic.Int64
		body := bodyS
		address := listen(t, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for n := 1; ; n++ {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				sends.Add(1)
				if n == 2 {
					return // the second request on a connection is lost
				}
				h := signedHeader(r.URL.RequestURI(), stamp(time.Now()), body)
				res := response(200, h, body)
				_ = res.Write(conn)
			}
		})
		rt := &http.Transport{}
		c := newClient(t, rt, func(cfg *alipayplus.ClientConfig) {
			cfg.BaseURL, cfg.Retry = "http://"+address, quick(2)
			cfg.Hooks.Attempt = func(context.Context, alipayplus.Attempt) { attempts.Add(1) }
		})
		for i := range 10 {
			_, err := op.Call(t.Context(), c, &order{ID: fmt.Sprint(i)})
			if err != nil && op == decodeOrder {
				t.Errorf("call %d: %v", i, err)
			}
		}
		c.CloseIdleConnections()
		if sends.Load() != attempts.Load() || attempts.Load() < 10 {
			t.Errorf("%s: %d sends in %d attempts", op.Name(), sends.Load(), attempts.Load())
		}
		t.Logf("%s: %d sends in %d attempts", op.Name(), sends.Load(), attempts.Load())
	}
}

// A redirect is an answer like any other: it is never followed, and no signed
// header reaches the place that it names.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		}))
		c := newClient(t, &http.Transport{}, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = gateway.URL, quick(3) })
		var info alipayplus.Info
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || info.HTTPStatus != status || info.Attempts != 1 {
			t.Errorf("HTTP %d: %v, %v", status, err, info)
		}
		c.CloseIdleConnections()
		gateway.Close()
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests left the host", n)
	}
}

// Compression is off even for a transport that would use it: a bomb stays as
// small as it is sent, and the bytes are those that were signed.
func TestGzipIsNotUnpacked(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	for range 8 { // twice what an answer may have
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	accept := make(chan string, 1)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept <- r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer gateway.Close()
	c := newClient(t, &http.Transport{}, noRetry, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL = gateway.URL })
	defer c.CloseIdleConnections()
	_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
	if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || strings.Contains(err.Error(), "4 MiB") || !errors.Is(err, alipayplus.ErrUnsigned) {
		t.Errorf("%v: was it unpacked?", err)
	}
	if got := <-accept; got != "identity" {
		t.Errorf("Accept-Encoding %q", got)
	}
}

// endless is a body without end that watches the memory of its reader.
type endless struct {
	read       int64
	live, peak uint64 // bytes in use after the last read, and at most so far
	total      uint64 // bytes ever allocated, at the last read
}

func (e *endless) Read(p []byte) (int, error) {
	e.watch()
	e.read += int64(len(p))
	return len(p), nil
}

// watch takes what was in use plus all that was allocated since then: more than
// that cannot have been in use at once.
func (e *endless) watch() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if e.total > 0 {
		e.peak = max(e.peak, e.live+m.TotalAlloc-e.total)
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	e.live, e.total = m.HeapAlloc, m.TotalAlloc
}

// An answer is read up to 4 MiB into at most twice that memory, whatever length
// it announces.
func TestAnswersAreBounded(t *testing.T) {
	const limit = 4 << 20
	for _, test := range []struct {
		name    string
		length  int64
		size    int64 // of the body, -1 without end
		fits    bool
		mayRead int64
	}{
		{"endless, no length", -1, -1, false, limit + 1},
		{"endless, a small length", 10, -1, false, limit + 1},
		{"a huge length, nothing there", 1 << 40, 0, false, 0},
		{"one byte over", -1, limit + 1, false, limit + 1},
		{"one byte over, announced", limit + 1, limit + 1, false, 0},
		{"exactly the limit", -1, limit, true, limit},
		{"exactly the limit, announced", limit, limit, true, limit},
		{"the limit announced, little there", limit, 10, true, limit},
	} {
		source := &endless{}
		source.watch()
		before := source.live
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
			var body io.Reader = source
			if test.size >= 0 {
				body = io.LimitReader(source, test.size)
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: test.length, Body: io.NopCloser(body)}, nil
		}), func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(3) })
		var info alipayplus.Info
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
		source.watch()
		if tooLarge := strings.Contains(err.Error(), "larger than 4 MiB"); tooLarge == test.fits || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
			t.Errorf("%s: %v", test.name, err)
		}
		if info.Attempts != 1 {
			t.Errorf("%s: %d attempts", test.name, info.Attempts)
		}
		mayUse := int64(2*limit + 256<<10)
		if test.size >= 0 && test.size < 100 {
			mayUse = 512 << 10 // what was announced costs nothing
		}
		if used := int64(source.peak - before); used > mayUse {
			t.Errorf("%s: %d bytes in use at once, at most %d are allowed", test.name, used, mayUse)
		}
		if source.read > test.mayRead {
			t.Errorf("%s: read %d bytes, want at most %d", test.name, source.read, test.mayRead)
		}
	}
}

// An answer that drips ends with the attempt.
func TestSlowDripEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := pipeTo(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
			for {
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		})
		c := newClient(t, wire, noRetry, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL = "http://localhost" })
		began := time.Now()
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if took := time.Since(began); took != 5*time.Second || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// pipeTo returns a real http.Transport whose connections lead to serve, in
// memory: it works in a bubble of synctest. The test waits for the end of all
// connections.
func pipeTo(t *testing.T, serve func(net.Conn)) *http.Transport {
	var connections sync.WaitGroup
	rt := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			connections.Go(func() {
				defer server.Close()
				serve(server)
			})
			return client, nil
		},
	}
	t.Cleanup(func() {
		rt.CloseIdleConnections()
		connections.Wait()
	})
	return rt
}

// written returns the bytes of the answer to a complete request, nil to half of
// one.
func (b *books) written(r *http.Request) []byte {
	header, answer, err := b.decide(r)
	if err != nil {
		return nil
	}
	header.Set("Connection", "close")
	var out bytes.Buffer
	_ = response(200, header, answer).Write(&out)
	return out.Bytes()
}

// The connection breaks, or hangs, after any byte of the answer to attempt 1.
// The outcome is the server's truth, and it changed its state once.
func TestAnswerCutAfterAnyByte(t *testing.T) {
	for _, stalled := range []bool{false, true} {
		var length atomic.Int64 // of the answer, known after the first call
		length.Store(1)
		for cut := 0; cut <= int(length.Load()); cut += size(1, 7, 1) {
			synctest.Test(t, func(t *testing.T) {
				truth := &books{decided: map[string]int{}}
				var attempts atomic.Int64
				wire := pipeTo(t, func(conn net.Conn) {
					r, err := http.ReadRequest(bufio.NewReader(conn))
					if err != nil {
						return
					}
					answer := truth.written(r)
					if attempts.Add(1) > 1 {
						_, _ = conn.Write(answer)
						return
					}
					length.Store(int64(len(answer))) // that of a later one may differ
					_, _ = conn.Write(answer[:cut])
					if stalled && cut < len(answer) {
						_, _ = conn.Read(make([]byte, 1)) // until the client gives up
					}
				})
				c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = "http://localhost", quick(2) })
				var info alipayplus.Info
				answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}, alipayplus.WithInfo(&info))
				want := 2
				if cut == int(length.Load()) {
					want = 1
				}
				booked, arrived := truth.of("P1")
				if err != nil || answer == nil || info.Attempts != want || booked != 1 || arrived != want {
					t.Errorf("cut after %d of %d bytes, stalled %v: %v after %d attempts, %d arrived, booked %d",
						cut, length.Load(), stalled, err, info.Attempts, arrived, booked)
				}
			})
		}
		t.Logf("stalled %v: an answer of %d bytes", stalled, length.Load())
	}
}

// The connection breaks, or hangs, after any byte of the request. Without a
// second attempt the outcome is unknown, never failed or not sent; with one it
// is the server's truth.
func TestRequestCutAfterAnyByte(t *testing.T) {
	const request = 1000 // more than its length, which depends on how much of the signature is percent-encoded
	for _, stalled := range []bool{false, true} {
		for _, attempts := range []int{1, 2} {
			var complete atomic.Bool
			for cut := 0; cut < request && !complete.Load(); cut += size(1, 7, 1) {
				synctest.Test(t, func(t *testing.T) {
					truth := &books{decided: map[string]int{}}
					var connections atomic.Int64
					wire := pipeTo(t, func(conn net.Conn) {
						attempt := connections.Add(1)
						var in io.Reader = conn
						if attempt == 1 {
							in = io.LimitReader(conn, int64(cut))
						}
						r, err := http.ReadRequest(bufio.NewReader(in))
						if err == nil {
							if answer := truth.written(r); answer != nil {
								complete.Store(attempt == 1)
								_, _ = conn.Write(answer)
								return
							}
						}
						if stalled && attempt == 1 {
							synctest.Wait()
							time.Sleep(time.Minute)
						}
					})
					c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = "http://localhost", quick(attempts) })
					_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
					want := alipayplus.OutcomeUnknown
					if attempts == 2 || complete.Load() {
						want = alipayplus.OutcomeSucceeded
					}
					booked, _ := truth.of("P1")
					if alipayplus.OutcomeOf(err) != want || booked != bool2int(want == alipayplus.OutcomeSucceeded) {
						t.Errorf("cut after %d bytes, %d attempts, stalled %v: %v, booked %d", cut, attempts, stalled, err, booked)
					}
				})
			}
			if !complete.Load() {
				t.Errorf("the request is longer than %d bytes: the test does not reach its end", request)
			}
		}
	}
}

// One transport, bodies drained: many calls leave neither goroutines nor
// descriptors open.
func TestManyCallsLeaveNothingBehind(t *testing.T) {
	calls := size(2000, 500, 10_000)
	at := stamp(time.Now())
	header := signedHeader(decodePath, at, bodyS)
	var connections atomic.Int64
	gateway := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range header {
			w.Header()[name] = values
		}
		_, _ = io.WriteString(w, bodyS)
	}))
	gateway.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	gateway.Start()
	defer gateway.Close()
	c := newClient(t, nil, noRetry, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL = gateway.URL })
	defer c.CloseIdleConnections()
	run := func(n int) {
		for range n {
			if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(10)
	goroutines, descriptors := runtime.NumGoroutine(), openFiles()
	run(calls)
	if n := runtime.NumGoroutine() - goroutines; n > 10 {
		t.Errorf("%d more goroutines after %d calls", n, calls)
	}
	if n := openFiles() - descriptors; n > 10 {
		t.Errorf("%d more descriptors after %d calls", n, calls)
	}
	t.Logf("%d calls: %d connections, %+d goroutines, %+d descriptors", calls, connections.Load(),
		runtime.NumGoroutine()-goroutines, openFiles()-descriptors)
}

// openFiles counts the descriptors of this process, 0 where the system does not
// tell.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// One client, many goroutines: for the race detector.
func TestClientIsConcurrent(t *testing.T) {
	at := stamp(time.Now())
	good, busy := signedHeader(decodePath, at, bodyS), signedHeader(decodePath, at, bodyU)
	var n atomic.Int64
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		if n.Add(1)%3 == 0 {
			return response(200, busy, bodyU), nil
		}
		return response(200, good, bodyS), nil
	}), func(cfg *alipayplus.ClientConfig) {
		cfg.Retry, cfg.Budget = quick(10), &alipayplus.Budget{PerCall: 9, Reserve: 1e6}
	})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			for range 2 {
				answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
				if err != nil || answer.Action != "none" {
					t.Error(err)
				}
				if err := c.Deliver(t.Context(), alipayplus.Message{Operation: "x", Key: "1", Path: decodePath, Body: alipayplus.Conceal("{}")}); err != nil {
					t.Error(err)
				}
				_ = c.CheckNotifyURL("https://a.alipayplus.com/x")
			}
		})
	}
	all.Wait()
}

// On a real connection: the call returns when it is cancelled, not when the
// server answers, and leaves no goroutine.
func TestCancellationOnTheNetwork(t *testing.T) {
	testkit.NoLeaks(t)
	arrived := make(chan struct{})
	address := listen(t, func(conn net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			close(arrived)
			_, _ = conn.Read(make([]byte, 1)) // for ever, unless the client hangs up
		}
	})
	c := newClient(t, nil, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL = "http://" + address })
	t.Cleanup(c.CloseIdleConnections)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := decodeOrder.Call(ctx, c, &order{ID: "1"}, alipayplus.WithTimeout(time.Minute))
	if !errors.Is(err, context.Canceled) || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
		t.Errorf("%v", err)
	}
	if text := err.Error(); !strings.Contains(text, "context canceled") || strings.Contains(text, "connection") {
		t.Errorf("the caller gave up, and the error says %q", text)
	}
}

// A Client prints who it is and where it goes, and closes what its transport
// has.
func TestClientPrints(t *testing.T) {
	closed := &closer{}
	c := newClient(t, closed)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, c); got != "alipayplus.Client{WALLET_01 at gateway.example}" {
			t.Errorf("%s: %s", verb, got)
		}
	}
	c.CloseIdleConnections()
	newClient(t, transport(hang)).CloseIdleConnections() // has none
	if closed.n != 1 {
		t.Errorf("closed %d times", closed.n)
	}
}

type closer struct {
	transport
	n int
}

func (c *closer) CloseIdleConnections() { c.n++ }

// The body of every answer is closed, whatever becomes of it: an open one keeps
// its connection.
func TestBodiesAreClosed(t *testing.T) {
	broken := readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })
	for name, test := range map[string]struct {
		status int
		length int64
		body   io.Reader
		seal   string // the body that is signed, "" for none
	}{
		"S":                    {200, -1, strings.NewReader(bodyS), bodyS},
		"F":                    {200, -1, strings.NewReader(bodyF), bodyF},
		"malformed":            {200, -1, strings.NewReader("x"), "x"},
		"tampered":             {200, -1, strings.NewReader(bodyS), bodyF},
		"unsigned":             {502, -1, strings.NewReader("<html>"), ""},
		"redirect":             {302, -1, strings.NewReader(""), ""},
		"too large":            {200, -1, &endless{}, ""},
		"too large, announced": {200, 1 << 30, strings.NewReader(""), ""},
		"truncated":            {200, -1, broken, bodyS},
	} {
		closed := 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			res := response(test.status, nil, "")
			if test.seal != "" {
				res.Header = signedHeader(decodePath, stamp(time.Now()), test.seal)
			}
			res.ContentLength = test.length
			res.Body = &closing{test.body, &closed}
			return res, nil
		}), noRetry)
		_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if closed != 1 {
			t.Errorf("%s: closed %d times", name, closed)
		}
	}
}

type closing struct {
	io.Reader
	n *int
}

func (c *closing) Close() error {
	*c.n++
	return nil
}
