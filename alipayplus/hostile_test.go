package alipayplus_test

import (
	"bufio"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Signed JSON that two parsers could read in two ways, or that says nothing, is
// PARAM_ILLEGAL with a text that names the rule; what is only odd is served.
func TestHostileJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	ran := 0
	cfg := inConfig()
	cfg.Signer = testkit.Unverified{Version: "7"}
	h := testkit.Must(alipayplus.NewHandler(cfg, inAsk.Handle(inAskPath, func(context.Context, *inRequest) (*inResponse, error) {
		ran++
		return &inResponse{}, nil
	})))
	cases := 0
	for _, c := range []struct {
		rule, body string
		want       string // "" is served
	}{
		{"nothing", ``, inUnverified},
		{"white space", " \n ", inUnverified},
		{"an array", `[{"id":"1"}]`, inUnverified},
		{"a text", `"id"`, inUnverified},
		{"null", `null`, inUnverified},
		{"a byte order mark", "\ufeff" + `{"id":"1"}`, inUnverified},
		{"a form feed", "\f" + `{"id":"1"}`, inUnverified},
		{"UTF-16", "{\x00\"\x00i\x00d\x00", "syntax"},
		{"a second document", `{"id":"1"}{"id":"2"}`, "trailing-data"},
		{"a second document on its own line", `{"id":"1"}` + "\n" + `{"id":"2"}`, "trailing-data"},
		{"a NUL after it", `{"id":"1"}` + "\x00", "trailing-data"},
		{"a member twice", `{"id":"1","id":"2"}`, "duplicate-key"},
		{"a member twice with one value", `{"id":"1","id":"1"}`, "duplicate-key"},
		{"a member twice, once in escapes", `{"id":"1","\u0069d":"2"}`, "duplicate-key"},
		{"a member twice, deep down, unknown", `{"id":"1","x":{"y":[{"z":1,"z":1}]}}`, "duplicate-key"},
		{"two spellings with different values", `{"id":"1","ID":"2"}`, "given twice with different values"},
		{"invalid UTF-8", `{"id":"` + "\xff" + `"}`, "utf8"},
		{"invalid UTF-8 in an unknown member", `{"id":"1","x":"` + "\xc0\xaf" + `"}`, "utf8"},
		{"half a surrogate pair", `{"id":"\ud800"}`, "surrogate"},
		{"a control character", `{"id":"` + "\n" + `"}`, "control-character"},
		{"33 levels", deep(33), "depth"},
		{"100,000 levels", strings.Repeat(`{"a":[`, 50_000), "depth"},
		{"a comment", `{"id":"1"/**/}`, "syntax"},
		{"single quotes", `{'id':'1'}`, "syntax"},
		{"a comma at the end", `{"id":"1",}`, "syntax"},
		{"no end", `{"id":"1"`, "syntax"},
		{"NaN", `{"id":"1","amount":{"currency":"JPY","value":NaN}}`, "syntax"},
		{"a number with a zero in front", `{"id":"1","amount":{"currency":"JPY","value":010}}`, "number"},
		{"no id", `{}`, "id: missing"},
		{"an empty id", `{"id":""}`, "id: missing"},
		{"an id that is null", `{"id":null}`, "id: missing"},
		{"an id that is an empty object", `{"id":{}}`, "id: missing"},
		{"an id that is an object", `{"id":{"a":1}}`, "id: not readable"},
		{"an id that is an array", `{"id":["1"]}`, "id: not readable"},
		{"a huge exponent", `{"id":"1","amount":{"currency":"JPY","value":1E1000000000}}`, "amount: has a value"},
		{"a huge exponent in a text", `{"id":"1","amount":{"currency":"JPY","value":"1E1000000000"}}`, "amount: has a value"},
		{"a fraction", `{"id":"1","amount":{"currency":"JPY","value":"1.0"}}`, "amount: has a value"},
		{"a sign", `{"id":"1","amount":{"currency":"JPY","value":"-1"}}`, "amount: has a value"},
		{"17 digits", `{"id":"1","amount":{"currency":"JPY","value":"10000000000000000"}}`, "amount: has a value"},
		{"digits of another script", `{"id":"1","amount":{"currency":"JPY","value":"١٢"}}`, "amount: has a value"},
		{"no currency", `{"id":"1","amount":{"value":"1"}}`, "amount: has no currency"},
		{"an amount that is a text", `{"id":"1","amount":"100"}`, "amount"},

		{"as it should be", inValid, ""},
		{"32 levels", `{"id":"1","a":` + deep(31) + `}`, ""},
		{"white space", " \r\n\t{ \"id\" : \"1\" } \n", ""},
		{"unknown members", `{"id":"1","new":{"a":[1,2,{"b":null}]},"":0}`, ""},
		{"two spellings with one value", `{"id":"1","Id":"1"}`, ""},
		{"an empty text where an object belongs", `{"id":"1","amount":""}`, ""},
		{"an empty object", `{"id":"1","amount":{}}`, ""},
		{"native scalars", `{"id":1,"amount":{"currency":"JPY","value":100},"note":true}`, ""},
		{"odd values that nobody reads", `{"id":"1","note":{"a":"b"}}`, ""},
		{"escapes", `{"\u0069d":"\ud83d\ude00"}`, ""},
		{"a thousand members", `{"id":"1"` + inMembers(1000) + `}`, ""},
		{"1 MiB", `{"id":"1","note":"` + strings.Repeat("x", 1<<20-20) + `"}`, ""},
	} {
		cases++
		before := ran
		w := inServe(h, inArrive(inAskPath, c.body).request())
		result, err := inResultIn(w.Body.Bytes())
		served := ran > before
		switch {
		case c.want == inUnverified:
			if w.Code != 401 || served || w.Header().Get("Signature") != "" {
				t.Errorf("%s: HTTP %d %s, served %t", c.rule, w.Code, w.Body, served)
			}
		case w.Code != 200 || err != nil || w.Header().Get("Signature") == "":
			t.Errorf("%s: HTTP %d %s", c.rule, w.Code, w.Body)
		case c.want == "" && (!served || result.Status != "S"):
			t.Errorf("%s: refused: %v %s", c.rule, result, result.Message)
		case c.want != "" && (served || result.Code != alipayplus.CodeParamIllegal || result.Status != "F"):
			t.Errorf("%s: %v, served %t", c.rule, result, served)
		case c.want != "" && !strings.Contains(result.Message, c.want):
			t.Errorf("%s: the answer says %q, not %q", c.rule, result.Message, c.want)
		}
	}
	t.Logf("%d bodies, read or refused as documented", cases)
}

// inUnverified is what becomes of a body that does not begin with "{": it
// counts as not signed, whatever its signature.
const inUnverified = "does not verify"

func inMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":0`, i)
	}
	return b.String()
}

// inHTTP returns the text of a signed request as it goes over a socket.
func inHTTP(a inArrival) string {
	h := a.header()
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: wallet.example\r\nClient-Id: %s\r\nRequest-Time: %s\r\nSignature: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		a.target, h.Get("Client-Id"), h.Get("Request-Time"), h.Get("Signature"), len(a.body), a.body)
}

// What raw sockets can do to NewServer: a documented status and no function,
// unless the request is one that Alipay+ signed.
func TestHostileHTTP(t *testing.T) {
	testkit.NoLeaks(t)
	var ran atomic.Int64
	count := func(context.Context, *inRequest) (*inResponse, error) { ran.Add(1); return &inResponse{}, nil }
	server := alipayplus.NewServer("", testkit.Must(alipayplus.NewHandler(inConfig(), inAsk.Handle(inAskPath, count), inMove.Handle(inMovePath, count))))
	listener := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	good := inHTTP(inArrive(inAskPath, inValid))
	length := fmt.Sprintf("Content-Length: %d\r\n", len(inValid))
	head, body, _ := strings.Cut(good, "\r\n\r\n")
	chunked := func(chunks ...string) string {
		text := strings.Replace(head, strings.TrimSpace(length), "Transfer-Encoding: chunked", 1) + "\r\n\r\n"
		for _, chunk := range chunks {
			text += fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
		}
		return text + "0\r\n\r\n"
	}
	add := func(lines string) string { return head + "\r\n" + lines + "\r\n" + body }
	target := func(sent, signed string) string {
		return strings.Replace(inHTTP(inArrive(signed, inValid)), "POST "+signed+" ", "POST "+sent+" ", 1)
	}
	cases := 0
	for _, c := range []struct {
		rule, sent string
		want       []int // statuses, of several answers; 0 is a connection closed without one
		ran        int64
	}{
		{"as it should be", good, []int{200}, 1},
		{"in chunks", chunked(body[:10], body[10:]), []int{200}, 1},
		{"HTTP/1.0", strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1), []int{200}, 1},
		{"line feeds alone end lines: the signature decides", strings.ReplaceAll(head, "\r\n", "\n") + "\n\n" + body, []int{200}, 1},
		{"one length twice", add(length), []int{200}, 1},
		{"chunks and a length: chunks count, and the signature covers them",
			strings.Replace(chunked(body), "Transfer-Encoding", length+"Transfer-Encoding", 1), []int{200}, 1},
		{"header names in another case", strings.ReplaceAll(strings.ReplaceAll(good, "Client-Id", "cLIENT-iD"), "Signature:", "SIGNATURE:"), []int{200}, 1},
		{"absolute form", target("http://elsewhere.example"+inAskPath, inAskPath), []int{200}, 1},
		{"a signed query", inHTTP(inArrive(inAskPath+"?a=%2F&b", inValid)), []int{200}, 1},
		{"a signed spelling", inHTTP(inArrive("/wallet/%61sk", inValid)), []int{200}, 1},
		{"two requests on one connection", good + good, []int{200, 200}, 2},
		{"an upgrade to HTTP/2 that is not taken", add("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n"), []int{200}, 1},

		{"two lengths", add("Content-Length: 1\r\n"), []int{400}, 0},
		{"a negative length", strings.Replace(good, length, "Content-Length: -1\r\n", 1), []int{400}, 0},
		{"a length with a sign", strings.Replace(good, "Content-Length: ", "Content-Length: +", 1), []int{400}, 0},
		{"a length that is hexadecimal", strings.Replace(good, length, "Content-Length: 0x10\r\n", 1), []int{400}, 0},
		{"a length that is too long", strings.Replace(good, length, "Content-Length: 1048577\r\n", 1), []int{413}, 0},
		{"a length of many digits", strings.Replace(good, length, "Content-Length: 99999999999999999999\r\n", 1), []int{400}, 0},
		{"no length", strings.Replace(good, length, "", 1), []int{401, 400}, 0}, // the body is no second request
		{"a length that is too short", strings.Replace(good, length, "Content-Length: 10\r\n", 1), []int{401, 400}, 0},
		{"chunks over 1 MiB", chunked(strings.Repeat("x", 1<<20), "x"), []int{413}, 0},
		{"a chunk of no length", strings.Replace(chunked(body), "\r\n\r\n", "\r\n\r\nzz\r\n", 1), []int{401}, 0},
		{"chunks with a signature in the trailer", strings.Replace(strings.Replace(chunked(body), "Signature:", "Trailer: Signature\r\nX-Was:", 1),
			"0\r\n\r\n", "0\r\nSignature: signature=AAAA\r\n\r\n", 1), []int{401}, 0},
		{"an unknown transfer encoding", strings.Replace(good, length, "Transfer-Encoding: gzip, chunked\r\n", 1), []int{501}, 0},
		{"two transfer encodings", strings.Replace(chunked(body), "chunked", "chunked\r\nTransfer-Encoding: identity", 1), []int{501}, 0},
		{"a content encoding", add("Content-Encoding: gzip\r\n"), []int{415}, 0},
		{"a content encoding nobody knows", add("Content-Encoding: x-new\r\n"), []int{415}, 0},
		{"a Content-Type that is not JSON", strings.Replace(good, "application/json", "text/plain", 1), []int{415}, 0},
		{"an expectation nobody knows", add("Expect: 200-ok\r\n"), []int{417}, 0},
		{"no Host", strings.Replace(good, "Host: wallet.example\r\n", "", 1), []int{400}, 0},
		{"two Hosts", add("Host: other.example\r\n"), []int{400}, 0},
		{"a space before the colon", strings.Replace(good, "Signature:", "Signature :", 1), []int{400}, 0},
		{"a header without colon", add("Oops\r\n"), []int{400}, 0},
		{"a header with an empty name", add(": x\r\n"), []int{400}, 0},
		{"a NUL in a header", add("X-A: a\x00b\r\n"), []int{400}, 0},
		{"a bare carriage return in a header", add("X-A: a\rb\r\n"), []int{400}, 0},
		{"20 KiB of headers", add("X-A: " + strings.Repeat("a", 21<<10) + "\r\n"), []int{431}, 0},
		{"a second Signature", add("Signature: signature=AAAA\r\n"), []int{401}, 0},
		{"a second Signature in another case", add("signature: signature=AAAA\r\n"), []int{401}, 0},
		{"a second Client-Id", add("Client-Id: " + inClientID + "\r\n"), []int{401}, 0},
		{"a Signature that goes on in the next line", strings.Replace(good, ",keyVersion", ",\r\n keyVersion", 1), []int{200}, 1}, // joined by a space
		{"no headers at all", "POST " + inAskPath + " HTTP/1.1\r\nHost: h\r\n\r\n", []int{401}, 0},
		{"GET", strings.Replace(good, "POST", "GET", 1), []int{405}, 0},
		{"TRACE", strings.Replace(good, "POST", "TRACE", 1), []int{405}, 0},
		{"a method of 100 letters", strings.Replace(good, "POST", strings.Repeat("P", 100), 1), []int{405}, 0},
		{"a method in lower case", strings.Replace(good, "POST", "post", 1), []int{405}, 0},
		{"no such HTTP", strings.Replace(good, "HTTP/1.1", "HTTP/9.9", 1), []int{505}, 0},
		{"HTTP/0.9", "POST " + inAskPath + "\r\n\r\n", []int{400}, 0},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}, 0},
		{"another API's request", target(inMovePath, inAskPath), []int{401}, 0},
		{"a query that was not signed", target(inAskPath+"?x", inAskPath), []int{401}, 0},
		{"a signed query that was taken away", target(inAskPath, inAskPath+"?x"), []int{401}, 0},
		{"a spelling that was not signed", target("/wallet/%61sk", inAskPath), []int{401}, 0},
		{"dots", target("/wallet/x/../ask", inAskPath), []int{404}, 0},
		{"two slashes", target("//wallet/ask", inAskPath), []int{404}, 0},
		{"a slash at the end", target("/wallet/ask/", inAskPath), []int{404}, 0},
		{"a fragment", target("/wallet/ask#x", inAskPath), []int{404}, 0},
		{"a fragment after a query", target("/wallet/ask?a#x", inAskPath), []int{401}, 0},
		{"a broken escape", target("/wallet/%zz", inAskPath), []int{400}, 0},
		{"a space in the target", target("/wallet/ask x", inAskPath), []int{400}, 0},
		{"a control character in the target", target("/wallet/ask\x01", inAskPath), []int{400}, 0},
		{"letters beyond ASCII in the target", target("/wallet/äsk", inAskPath), []int{404}, 0},
		{"no target", target("", inAskPath), []int{400}, 0},
		{"a star", target("*", inAskPath), []int{404}, 0},
		{"a smuggled request after a signed one", good + strings.Replace(good, `"100"`, `"900"`, 1), []int{200, 401}, 1},
	} {
		cases++
		ranBefore := ran.Load()
		got := inExchange(t, listener.Addr().String(), c.sent)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: answered %v, want %v", c.rule, got, c.want)
		}
		if n := ran.Load() - ranBefore; n != c.ran {
			t.Errorf("%s: the function ran %d times, want %d", c.rule, n, c.ran)
		}
	}

	// A client that waits for 100 before its body gets no 100 if its headers are
	// bad.
	continued := strings.Replace(head, "RSA256", "none", 1) + "\r\nExpect: 100-continue\r\n\r\n"
	if got := inExchange(t, listener.Addr().String(), continued); fmt.Sprint(got) != "[401]" {
		t.Errorf("a client that asks before it sends: %v", got)
	}
	t.Logf("%d connections, no function ran that should not", cases)
}

// inExchange sends text over a socket and returns the statuses that come back.
func inExchange(t *testing.T, address, text string) (statuses []int) {
	t.Helper()
	conn := testkit.Must(net.Dial("tcp", address))
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	for from := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			return statuses
		}
		statuses = append(statuses, response.StatusCode)
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// inPipes is a listener in memory, so that the server's limits can pass in the
// time of a bubble.
type inPipes chan net.Conn

func (p inPipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p inPipes) Close() error { close(p); return nil }
func (inPipes) Addr() net.Addr { return &net.TCPAddr{} }

// A slow sender and a slow reader are cut off, and no function runs for a body
// that is not complete.
func TestSlowHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int64
		server := alipayplus.NewServer("", testkit.Must(alipayplus.NewHandler(inConfig(), inAsk.Handle(inAskPath, func(context.Context, *inRequest) (*inResponse, error) {
			ran.Add(1)
			return &inResponse{}, nil
		}))))
		pipes := make(inPipes)
		done := make(chan error)
		go func() { done <- server.Serve(pipes) }()
		good := inHTTP(inArrive(inAskPath, inValid))
		for _, c := range []struct {
			rule  string
			bytes int           // that are sent, one each second
			at    int           // after that many at once
			least time.Duration // when the server hangs up
			most  time.Duration
		}{
			{"slow headers", 100, 0, 5 * time.Second, 6 * time.Second},
			{"headers that stop", 0, 100, 5 * time.Second, 6 * time.Second},
			{"a slow body", 50, len(good) - 50, 4 * time.Second, 5 * time.Second},
			{"a body that stops", 0, len(good) - 1, 4 * time.Second, 5 * time.Second},
			{"nothing at all", 0, 0, 5 * time.Second, 6 * time.Second},
		} {
			client, at := net.Pipe()
			pipes <- at
			began := time.Now()
			go func() {
				_, _ = io.WriteString(client, good[:c.at])
				for i := range c.bytes {
					time.Sleep(time.Second)
					if _, err := io.WriteString(client, good[c.at+i:c.at+i+1]); err != nil {
						return
					}
				}
			}()
			_, _ = io.Copy(io.Discard, client)
			if took := time.Since(began); took < c.least || took > c.most {
				t.Errorf("%s: cut off after %v, want %v to %v", c.rule, took, c.least, c.most)
			}
			_ = client.Close()
		}
		if n := ran.Load(); n != 0 {
			t.Errorf("the function ran %d times", n)
		}
		// A client that never reads its answer.
		client, at := net.Pipe()
		pipes <- at
		began := time.Now()
		_, _ = io.WriteString(client, good)
		time.Sleep(time.Minute)
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || ran.Load() != 1 {
			t.Errorf("after %v the connection of a client that never reads: %v, %d runs", time.Since(began), err, ran.Load())
		}
		_ = server.Close()
		<-done
	})
}

// BenchmarkFlood measures what requests of strangers cost, in verifications of
// a body of 1 KB, floor-ns each.
func BenchmarkFlood(b *testing.B) {
	keys := testkit.Keys()
	handler := func(cfg alipayplus.HandlerConfig) http.Handler {
		return testkit.Must(alipayplus.NewHandler(cfg, inAsk.Handle(inAskPath, func(context.Context, *inRequest) (*inResponse, error) {
			b.Fatal("a function ran")
			return nil, nil
		})))
	}
	plain, logs, rotates := inConfig(), inConfig(), inConfig()
	logs.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil))
	rotates.Keys = ringOf(map[string]*rsa.PrivateKey{"1": keys.Alipay, "2": keys.Next})
	body := `{"id":"1","note":"` + strings.Repeat("x", 1024-20) + `"}`
	a := inArrive(inAskPath, body)
	content := alipayplus.Content{Method: "POST", Target: a.target, ClientID: a.clientID, Time: a.time, Body: a.body}
	header := a.header()
	ring := ringOf(map[string]*rsa.PrivateKey{"1": keys.Alipay})
	stranger := a
	stranger.signer = signerOf("1", keys.Wallet)
	for _, c := range []struct {
		name   string
		cfg    alipayplus.HandlerConfig
		header http.Header
		spoil  func(http.Header)
	}{
		{"no-signature", plain, header, func(h http.Header) { delete(h, "Signature") }},
		{"bad-client-id", plain, header, func(h http.Header) { h["Client-Id"] = []string{"x.y"} }},
		{"other-client-id", plain, header, func(h http.Header) { h["Client-Id"] = []string{"STRANGER"} }},
		{"bad-time", plain, header, func(h http.Header) { h["Request-Time"] = []string{"now"} }},
		{"bad-algorithm", plain, header, func(h http.Header) {
			h["Signature"] = []string{strings.Replace(h.Get("Signature"), "RSA256", "none", 1)}
		}},
		{"bad-base64", plain, header, func(h http.Header) { h["Signature"] = []string{h.Get("Signature") + "!"} }},
		{"not-json", plain, header, func(h http.Header) { h["Content-Type"] = []string{"text/html"} }},
		{"no-signature-logged", logs, header, func(h http.Header) { delete(h, "Signature") }},
		{"bad-signature", plain, stranger.header(), func(http.Header) {}},
		{"bad-signature-logged", logs, stranger.header(), func(http.Header) {}},
		{"bad-signature-in-a-rotation", rotates, stranger.header(), func(http.Header) {}},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := handler(c.cfg)
			spoiled := c.header.Clone()
			c.spoil(spoiled)
			r := httptest.NewRequest(http.MethodPost, inAskPath, nil)
			r.Header, r.ContentLength = spoiled, int64(len(body))
			reader := strings.NewReader(body)
			r.Body = io.NopCloser(reader)
			w := inNowhere{http.Header{}}
			benchPairs(b, "x-verify", 3000, func() {
				reader.Reset(body)
				clear(w.header)
				h.ServeHTTP(w, r)
			}, func() {
				if content.Verify(header.Get("Signature"), ring) != nil {
					b.Fatal("does not verify")
				}
			})
		})
	}
}

type inNowhere struct{ header http.Header }

func (w inNowhere) Header() http.Header       { return w.header }
func (inNowhere) WriteHeader(int)             {}
func (inNowhere) Write(p []byte) (int, error) { return len(p), nil }
