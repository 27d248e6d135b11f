package alipayplustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Send plays Alipay+ calling the wallet: it signs request, sends it once to
// path at h, verifies the answer and decodes it. F and U come back in the
// answer's Result, not as an error; an error means that there is no verified
// answer. To send over HTTP, give Remote as h.
//
// request is sent as it is, unchecked, so that a test can leave things out.
func Send[Req, Resp any](ctx context.Context, g *Gateway, h http.Handler, path string, op *alipayplus.Inbound[Req, Resp], request *Req) (*Resp, error) {
	body, err := wire.EncodeUnchecked(request)
	if err != nil {
		return nil, err
	}
	answer, err := g.send(ctx, op.Name(), op.Spec().Idempotency != nil, h, g.NewRequest(ctx, path, body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name(), err)
	}
	response := new(Resp)
	if err := wire.Decode(answer, response); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name(), err)
	}
	return response, nil
}

// NewRequest returns a signed inbound request, for tests that spoil it before
// they serve it.
func (g *Gateway) NewRequest(ctx context.Context, path string, body []byte) *http.Request {
	content := alipayplus.Content{
		Method: http.MethodPost, Target: path, ClientID: g.clientID,
		Time: headerTime(time.Now()), Body: body,
	}
	r := must(http.NewRequestWithContext(ctx, http.MethodPost, "https://wallet.example"+path, bytes.NewReader(body)))
	r.Body = rewinding{bytes.NewReader(body)}
	r.RequestURI = path
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header = http.Header{
		"Client-Id":    {content.ClientID},
		"Request-Time": {content.Time},
		"Signature":    {must(content.Sign(ctx, g.signer))},
		"Content-Type": {"application/json; charset=UTF-8"},
	}
	return r
}

// rewinding is a body that can be read again after it was closed.
type rewinding struct{ *bytes.Reader }

func (b rewinding) Close() error {
	_, err := b.Seek(0, io.SeekStart)
	return err
}

// Exchange serves r with h and returns the body of the answer. An answer that
// is not signed by the wallet for this request, or that breaks the rules of the
// protocol, is an error. Serving a request of NewRequest once more delivers a
// late duplicate: the same bytes, time and signature.
func (g *Gateway) Exchange(h http.Handler, r *http.Request) ([]byte, error) {
	target := r.RequestURI
	w := &recorder{header: make(http.Header)}
	h.ServeHTTP(w, r)
	if r.Body != nil {
		_ = r.Body.Close() // as a server does
	}
	body := w.body.Bytes()
	header := w.header
	if len(header.Values("Signature")) != 1 || len(header.Values("Response-Time")) != 1 || len(header.Values("Client-Id")) != 1 {
		return nil, fmt.Errorf("the answer is not signed (HTTP %d)", w.code())
	}
	if header.Get("Client-Id") != g.clientID {
		return nil, errors.New("the answer has another Client-Id")
	}
	err := alipayplus.Content{
		Method: http.MethodPost, Target: target, ClientID: g.clientID, Time: header.Get("Response-Time"), Body: body,
	}.Verify(header.Get("Signature"), g.keys)
	if err != nil {
		return nil, err
	}
	if err := strict(body); err != nil {
		return nil, fmt.Errorf("the answer breaks the rules of the protocol: %w", err)
	}
	switch statusIn(body) {
	case alipayplus.StatusSucceeded, alipayplus.StatusFailed, alipayplus.StatusUnknown:
		return body, nil
	}
	return nil, errors.New("the answer has no result")
}

// recorder is an http.ResponseWriter in memory.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Remote returns a handler that forwards to the server at baseURL, so that Send
// goes over real HTTP. transport nil means http.DefaultTransport.
func Remote(baseURL string, transport http.RoundTripper) http.Handler {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(baseURL, "/")+r.RequestURI, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		out.Header = r.Header.Clone()
		out.ContentLength = r.ContentLength
		response, err := transport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
}
