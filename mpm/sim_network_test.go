package mpm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// transport returns the network between a process of the wallet and Alipay+.
func (a *simAlipay) transport(p *process) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		w := a.world
		w.visit(p, "before a request", true)
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
			trace.GetConn(r.URL.Host)
		}
		w.pause(time.Millisecond, 200*time.Millisecond)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		var to *book
		if !strings.HasSuffix(r.URL.Path, "/userInitiatedPay") {
			to = a.sending(body, 1)
			defer a.sending(body, -1)
		}
		w.mu.Lock()
		w.stats.exchanges++
		w.mu.Unlock()
		fault := w.chance(100)
		if fault < 18 {
			w.mu.Lock()
			w.stats.faults++
			w.mu.Unlock()
		}
		if fault == 0 {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		process := func() []byte {
			if to != nil || strings.Contains(r.URL.Path, "otify") {
				return a.notified(body)
			}
			return a.decode(body)
		}
		lost := errors.New("connection lost")
		var answer []byte
		switch {
		case fault < 3:
			return nil, lost
		case fault < 5: // arrives later
			w.later(func() { process() })
			return nil, lost
		case fault < 8:
			process()
			return nil, lost
		case fault < 9: // slow
			process()
			<-r.Context().Done()
			return nil, r.Context().Err()
		case fault < 11:
			answer = []byte(`{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`)
		case fault < 12:
			answer = []byte(`{"result":{"resultCode":"REQUEST_TRAFFIC_EXCEED_LIMIT","resultStatus":"U"}}`)
		case fault < 13:
			process()
			return respond(502, nil, []byte("<html>")), nil
		case fault < 14:
			return respond(200, nil, []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`)), nil
		case fault < 15:
			return respond(200, nil, []byte(`{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"F"}}`)), nil
		case fault < 17:
			answer = process()
			answer = answer[:len(answer)/2]
		case fault < 18 && to == nil:
			answer = a.mixUp(body)
		default:
			answer = process()
		}
		header := a.sign(r.URL.RequestURI(), answer)
		if fault == 16 {
			header.Set("Client-Id", "SOMEBODY_ELSE")
		}
		w.pause(time.Millisecond, 200*time.Millisecond)
		w.visit(p, "before an answer", true)
		return respond(200, header, answer), nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// sign makes the headers of an answer.
func (a *simAlipay) sign(target string, body []byte) http.Header {
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	content := alipayplus.Content{Method: http.MethodPost, Target: target, ClientID: simClientID, Time: at, Body: body}
	signature, err := content.Sign(context.Background(), newQuickKey())
	if err != nil {
		panic(err)
	}
	return http.Header{"Client-Id": {simClientID}, "Response-Time": {at}, "Request-Time": {at}, "Signature": {signature}}
}

// send calls the wallet; false if there is no answer. Now and then the request
// arrives twice.
func (a *simAlipay) send(path string, request, answer any) bool {
	w := a.world
	body := testkit.Must(alipayplus.Marshal(request))
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header = a.sign(path, body)
	fault := w.chance(100)
	if fault < 5 {
		again := r.Clone(context.Background())
		again.Body = io.NopCloser(bytes.NewReader(body))
		w.later(func() {
			w.call(func(p *process) { p.handler.ServeHTTP(httptest.NewRecorder(), again) })
		})
	}
	w.pause(time.Millisecond, 200*time.Millisecond)
	out := httptest.NewRecorder()
	arrived := w.call(func(p *process) { p.handler.ServeHTTP(out, r) })
	w.pause(time.Millisecond, 200*time.Millisecond)
	if !arrived || fault >= 93 { // the answer is lost
		return false
	}
	if out.Code != 200 || json.Unmarshal(out.Body.Bytes(), answer) != nil {
		w.violate("%s: HTTP %d", path, out.Code)
		return false
	}
	return true
}

// mixUp returns an answer that belongs to another order, one that the wallet
// has stored already.
func (a *simAlipay) mixUp(body []byte) []byte {
	var r struct{ CodeValue string }
	_ = json.Unmarshal(body, &r)
	var mine, other *book
	for _, b := range a.books {
		if b.code == r.CodeValue {
			mine = b
		} else if a.world.record(b.id).CustomerID != "" {
			other = b
		}
	}
	if mine == nil || other == nil {
		return a.decode(body)
	}
	a.world.note("Alipay+: the answers of %s and %s are mixed up", mine.id, other.id)
	a.world.mu.Lock()
	defer a.world.mu.Unlock()
	mine.mixedUp = true
	return testkit.Must(alipayplus.Marshal(other.answer))
}
