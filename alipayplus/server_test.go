package alipayplus_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// A server ends with its context, after the request that runs, and leaves
// neither a goroutine nor an open port; with a certificate it speaks TLS. It
// listens by itself or at a listener.
func TestServe(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certificate, client := certified.TLS.Certificates[0], certified.Client()
	certified.Close()
	testkit.NoLeaks(t)
	speaks := &tls.Config{Certificates: []tls.Certificate{certificate}}
	for _, row := range []struct {
		scheme   string
		config   *tls.Config
		listener bool
	}{{"http", nil, false}, {"https", speaks, false}, {"http", nil, true}, {"https", speaks, true}} {
		ctx, stop := context.WithCancel(t.Context())
		arrived, address := make(chan struct{}), make(chan string, 1)
		server := alipayplus.NewServer("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-ctx.Done()
			w.WriteHeader(http.StatusTeapot)
		}))
		server.TLSConfig = row.config
		server.BaseContext = func(l net.Listener) context.Context {
			address <- l.Addr().String()
			return context.Background()
		}
		serve := func() error { return alipayplus.Serve(ctx, server) }
		if row.listener {
			l := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))
			server.Addr = l.Addr().String() // taken: it would fail there
			serve = func() error { return alipayplus.ServeListener(ctx, server, l) }
		}
		ended := make(chan error, 1)
		go func() { ended <- serve() }()
		go func() {
			<-arrived
			stop()
		}()
		at := <-address
		res, err := client.Get(row.scheme + "://" + at)
		if err != nil || res.StatusCode != http.StatusTeapot {
			t.Fatalf("%v: the request that ran: %v %v", row, res, err)
		}
		res.Body.Close()
		client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("%v: %v", row, err)
		}
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			t.Errorf("%v: the port is open", row)
		}
		stop()
	}
}

func TestServeCannotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := alipayplus.Serve(t.Context(), alipayplus.NewServer(l.Addr().String(), http.NotFoundHandler())); err == nil {
		t.Error("two servers at one address")
	}
	closed := alipayplus.NewServer("127.0.0.1:0", http.NotFoundHandler())
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := alipayplus.Serve(t.Context(), closed); err != nil {
		t.Errorf("a server that was closed: %v", err)
	}
}
