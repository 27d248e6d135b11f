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
// no goroutine; with a certificate it speaks TLS.
func TestServe(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certificate, client := certified.TLS.Certificates[0], certified.Client()
	certified.Close()
	testkit.NoLeaks(t)
	for scheme, config := range map[string]*tls.Config{"http": nil, "https": {Certificates: []tls.Certificate{certificate}}} {
		ctx, stop := context.WithCancel(t.Context())
		arrived, address := make(chan struct{}), make(chan string, 1)
		server := alipayplus.NewServer("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-ctx.Done()
			w.WriteHeader(http.StatusTeapot)
		}))
		server.TLSConfig = config
		server.BaseContext = func(l net.Listener) context.Context {
			address <- l.Addr().String()
			return context.Background()
		}
		ended := make(chan error, 1)
		go func() { ended <- alipayplus.Serve(ctx, server) }()
		go func() {
			<-arrived
			stop()
		}()
		res, err := client.Get(scheme + "://" + <-address)
		if err != nil || res.StatusCode != http.StatusTeapot {
			t.Fatalf("%s: the request that ran: %v %v", scheme, res, err)
		}
		res.Body.Close()
		client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", scheme, err)
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
