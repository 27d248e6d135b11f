package accept

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// InMemory returns a transport that reaches h without a socket, for a wallet
// and a suite in one process. Like a connection, it breaks when h panics, and
// it is given up when the request's context ends.
func InMemory(h http.Handler) http.RoundTripper { return inMemory{h} }

type inMemory struct{ handler http.Handler }

var errBroken = errors.New("accept: the connection broke")

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.ContentLength = int64(len(body))
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := &recorder{header: http.Header{}}
	done := make(chan bool, 1)
	go func() {
		whole := false
		defer func() {
			_ = recover() // net/http recovers, too, and closes the connection
			done <- whole
		}()
		m.handler.ServeHTTP(w, in)
		whole = true
	}()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case whole := <-done:
		if !whole {
			return nil, errBroken
		}
	}
	return w.response(r), nil
}

// recorder is an http.ResponseWriter in memory.
type recorder struct {
	mu     sync.Mutex
	header http.Header
	body   bytes.Buffer
	status int
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.body.Write(data)
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	w.mu.Lock()
	defer w.mu.Unlock()
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, ContentLength: int64(w.body.Len()),
		Body: io.NopCloser(bytes.NewReader(w.body.Bytes())), Request: r,
	}
}
