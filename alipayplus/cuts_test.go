package alipayplus_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"maps"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// cut is what becomes of one connection: it ends, or hangs, after so many bytes
// from the client or to it. A negative number is no limit.
type cut struct {
	up, down int
	hangs    bool
}

var whole = cut{up: -1, down: -1}

// cutConn is the server's side of a connection that obeys a cut. carried counts
// the bytes that passed.
type cutConn struct {
	net.Conn
	cut
	read    sync.Mutex // guards up
	written sync.Mutex // guards down
	carried *[2]atomic.Int64
}

// Read implements io.Reader.
func (c *cutConn) Read(p []byte) (int, error) {
	c.read.Lock()
	defer c.read.Unlock()
	if c.up == 0 {
		if c.hangs {
			_, _ = io.Copy(io.Discard, c.Conn) // until the client gives up
		}
		_ = c.Close()
		return 0, io.EOF
	}
	if c.up > 0 && c.up < len(p) {
		p = p[:c.up]
	}
	n, err := c.Conn.Read(p)
	c.carried[0].Add(int64(n))
	if c.up > 0 {
		c.up -= n
	}
	return n, err
}

// Write implements io.Writer.
func (c *cutConn) Write(p []byte) (int, error) {
	c.written.Lock()
	defer c.written.Unlock()
	if c.down < 0 || c.down >= len(p) {
		if c.down > 0 {
			c.down -= len(p)
		}
		n, err := c.Conn.Write(p)
		c.carried[1].Add(int64(n))
		return n, err
	}
	n, err := c.Conn.Write(p[:c.down])
	c.down -= n
	if c.hangs {
		return len(p), err
	}
	_ = c.Close()
	return n, net.ErrClosed
}

// cutListener gives its server the ends of pipes, the connection number i under
// cuts[i], and all later ones whole.
type cutListener struct {
	accept  chan net.Conn
	done    chan struct{}
	close   sync.Once
	mu      sync.Mutex
	cuts    []cut
	carried [2]atomic.Int64
}

func (l *cutListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accept:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *cutListener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *cutListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (l *cutListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.mu.Lock()
	next := whole
	if len(l.cuts) > 0 {
		next, l.cuts = l.cuts[0], l.cuts[1:]
	}
	l.mu.Unlock()
	select {
	case l.accept <- &cutConn{Conn: server, cut: next, carried: &l.carried}:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// books are the truth of a gateway: how often it decided about an id. It
// decides F about an id that begins with F, else S.
type books struct {
	mu      sync.Mutex
	decided map[string]int
	arrived int
}

// of returns how often id was decided, and how many requests arrived in all.
func (b *books) of(id string) (decided, arrived int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.decided[id], b.arrived
}

// decide answers a request; half of one is none, and an error.
func (b *books) decide(r *http.Request) (header http.Header, answer string, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, "", err
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(string(body), `{"id":"`), `"`)
	b.mu.Lock()
	b.arrived++
	if b.decided[id] == 0 {
		b.decided[id]++ // the one state change
	}
	b.mu.Unlock()
	answer = bodyS
	if strings.HasPrefix(id, "F") {
		answer = bodyF
	}
	return signedHeader(r.URL.RequestURI(), stamp(time.Now()), answer), answer, nil
}

// ServeHTTP implements http.Handler.
func (b *books) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header, answer, err := b.decide(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), header)
	_, _ = io.WriteString(w, answer)
}

// bubbleCertificate is for localhost, and small: each of its bytes is a place
// to cut. It is valid in the year 2000, where bubbles of synctest begin.
var bubbleCertificate = sync.OnceValue(func() tls.Certificate {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
})

// wireForm is how a request travels.
type wireForm struct {
	name      string
	encrypted bool
	http2     bool
}

var wireForms = []wireForm{
	{"HTTP/1.1", false, false},
	{"HTTP/1.1 over TLS", true, false},
	{"HTTP/2 over TLS", true, true},
}

// cutWorld is a client and the server that it calls, over pipes.
type cutWorld struct {
	*cutListener
	books  *books
	client *alipayplus.Client
	end    func()
}

func newCutWorld(t *testing.T, form wireForm, attempts int, cuts ...cut) *cutWorld {
	w := &cutWorld{
		cutListener: &cutListener{accept: make(chan net.Conn), done: make(chan struct{}), cuts: cuts},
		books:       &books{decided: map[string]int{}},
	}
	server := &http.Server{Handler: w.books, ErrorLog: log.New(io.Discard, "", 0)}
	rt := alipayplus.NewTransport()
	rt.DialContext = w.dial
	base, listener := "http://localhost", net.Listener(w.cutListener)
	if form.encrypted {
		certificate := bubbleCertificate()
		protocol := []string{"http/1.1"}
		if form.http2 {
			protocol = []string{"h2"}
		}
		server.TLSConfig = &tls.Config{
			Certificates: []tls.Certificate{certificate}, NextProtos: protocol, MinVersion: tls.VersionTLS13,
			CurvePreferences: []tls.CurveID{tls.X25519}, SessionTicketsDisabled: true,
		}
		roots := x509.NewCertPool()
		roots.AddCert(certificate.Leaf)
		rt.TLSClientConfig = &tls.Config{
			RootCAs: roots, NextProtos: protocol, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519},
		}
		base, listener = "https://localhost", tls.NewListener(listener, server.TLSConfig)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	w.client = newClient(t, rt, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = base, quick(attempts) })
	w.end = func() {
		rt.CloseIdleConnections()
		_ = server.Close()
		<-served
	}
	return w
}

// call makes one call over connections that are cut, and another one over whole
// ones. It tells what was wrong.
func (f wireForm) call(t *testing.T, id string, cuts ...cut) (attempts int, carried [2]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newCutWorld(t, f, 5, cuts...)
		defer w.end()
		truth := alipayplus.OutcomeSucceeded
		if strings.HasPrefix(id, "F") {
			truth = alipayplus.OutcomeFailed
		}
		var info alipayplus.Info
		_, err := decodeOrder.Call(t.Context(), w.client, &order{ID: id}, alipayplus.WithInfo(&info))
		attempts = info.Attempts
		decided, arrived := w.books.of(id)
		switch outcome := alipayplus.OutcomeOf(err); {
		case outcome == truth && decided == 1:
		case outcome == alipayplus.OutcomeUnknown && attempts == 5:
		case outcome == alipayplus.OutcomeNotSent && attempts == 5 && decided == 0:
		default:
			t.Errorf("%s, %s, %v: %v after %d attempts, decided %d times", f.name, id, cuts, err, attempts, decided)
		}
		if arrived > attempts {
			t.Errorf("%s, %s, %v: %d requests arrived in %d attempts", f.name, id, cuts, arrived, attempts)
		}
		synctest.Wait() // the server has counted what it wrote
		carried = [2]int{int(w.carried[0].Load()), int(w.carried[1].Load())}

		w.mu.Lock()
		w.cuts = nil
		w.mu.Unlock()
		_, err = decodeOrder.Call(t.Context(), w.client, &order{ID: id})
		if decided, _ := w.books.of(id); alipayplus.OutcomeOf(err) != truth || decided != 1 {
			t.Errorf("%s, %s, %v: repeated: %v, decided %d times", f.name, id, cuts, err, decided)
		}
	})
	return attempts, carried
}

// The connection ends, or hangs, after any byte, from the client or to it, on
// any of five attempts, in plain text and inside TLS, with HTTP/1.1 and with
// HTTP/2, from the first byte of the handshake on. The outcome is the server's
// truth, and its state changed once. The attempts before the one that is cut
// are cut somewhere, too. Short: every byte of attempt 1 and every 16th of the
// others, each hanging at a 16th of those; ALIPAYPLUS_LONG=1: every byte, all
// ways.
func TestCutAfterAnyByteOnAnyAttempt(t *testing.T) {
	for _, form := range wireForms {
		t.Run(form.name, func(t *testing.T) {
			attempts, length := form.call(t, "S", whole)
			if attempts != 1 {
				t.Errorf("a call over whole connections took %d attempts", attempts)
			}
			random := mathrand.New(mathrand.NewPCG(1, 1))
			calls, seen := 0, map[int]int{}
			for attempt := 1; attempt <= 5; attempt++ {
				for direction := range 2 {
					step := size(16, 96, 1)
					if attempt == 1 {
						step = size(1, 24, 1)
					}
					for turn, at := range offsets(length[direction], step) {
						for _, hangs := range []bool{false, true} {
							if hangs && !long && turn%16 != 0 {
								continue
							}
							cuts := make([]cut, attempt)
							for i := range cuts {
								d, n := direction, at
								if i < attempt-1 {
									d = random.IntN(2)
									n = random.IntN(length[d])
								}
								cuts[i] = cut{up: -1, down: -1, hangs: hangs}
								if d == 0 {
									cuts[i].up = n
								} else {
									cuts[i].down = n
								}
							}
							id := "S"
							if calls++; calls%2 == 0 {
								id = "F"
							}
							attempts, _ := form.call(t, id, cuts...)
							seen[attempts]++
							if t.Failed() {
								return
							}
						}
					}
				}
			}
			// A call whose first connection is cut may need one attempt, if it writes
			// fewer bytes than the one that was measured; HTTP/2 decides that.
			for attempts := 2; attempts <= 5; attempts++ {
				if seen[attempts] == 0 {
					t.Errorf("no call took %d attempts: the cuts do not cut", attempts)
				}
			}
			t.Logf("%s: %d bytes up, %d down: %d calls, 0 lost, 0 double; by attempts %v", form.name, length[0], length[1], calls, seen)
		})
	}
}

// offsets returns 0, step, 2·step and so on, and the end.
func offsets(end, step int) (all []int) {
	for at := 0; at < end; at += step {
		all = append(all, at)
	}
	return append(all, end)
}
