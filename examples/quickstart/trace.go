package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
)

// trace prints what happens, for a person to read.
type trace struct {
	out      io.Writer
	number   int
	messages atomic.Int64
	whole    sync.Mutex // a message is printed as a whole, although several pass at the same time
}

func (t *trace) title(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, "\n=== %s ===\n", fmt.Sprintf(format, args...))
}

// step begins a numbered step. seed is where the Alipay+ guide has it.
func (t *trace) step(seed, format string, args ...any) {
	t.number++
	_, _ = fmt.Fprintf(t.out, "\n%d. %s  [%s]\n", t.number, fmt.Sprintf(format, args...), seed)
}

func (t *trace) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, "   %s\n", fmt.Sprintf(format, args...))
}

// json prints a long line in several, broken behind commas.
func (t *trace) json(indent string, text []byte) {
	const width = 110
	for len(text) > width {
		end := bytes.LastIndexByte(text[:width], ',') + 1
		if end == 0 {
			break
		}
		_, _ = fmt.Fprintf(t.out, "%s%s\n", indent, text[:end])
		text = text[end:]
		indent = strings.Repeat(" ", len(indent))
	}
	_, _ = fmt.Fprintf(t.out, "%s%s\n", indent, text)
}

// forApp prints the JSON that goes to the wallet's app.
func (t *trace) forApp(text []byte) { t.json("   to the app: ", text) }

// tracingApp prints the answers for the wallet's app as they pass.
type tracingApp struct {
	trace *trace
	next  http.RoundTripper
}

func (t tracingApp) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(answer))
	t.trace.forApp(answer)
	return response, nil
}

// tracingTransport prints every request and answer as they pass.
type tracingTransport struct {
	trace *trace
	way   string
	next  http.RoundTripper
}

func (t *tracingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	t.trace.message(fmt.Sprintf("%s: %s %s", t.way, r.Method, r.URL.Path), r.Header, "Request-Time", body)
	response, err := t.next.RoundTrip(r)
	if err != nil {
		t.trace.whole.Lock()
		defer t.trace.whole.Unlock()
		t.trace.say("answer to %s: none, the connection was closed", path.Base(r.URL.Path))
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(answer))
	t.trace.message(fmt.Sprintf("answer to %s: HTTP %d", path.Base(r.URL.Path), response.StatusCode), response.Header, "Response-Time", answer)
	return response, nil
}

// message prints a signed message.
func (t *trace) message(line string, h http.Header, timeHeader string, body []byte) {
	t.whole.Lock()
	defer t.whole.Unlock()
	t.messages.Add(1)
	t.say("%s", line)
	signature := h.Get("Signature")
	if head, tail, ok := strings.Cut(signature, "signature="); ok {
		signature = fmt.Sprintf("%ssignature=%.12s…", head, tail)
	}
	t.say("      Client-Id: %s   %s: %s", h.Get("Client-Id"), timeHeader, h.Get(timeHeader))
	t.say("      Signature: %s", signature)
	t.json("         ", redact(body))
}

// secretMembers never stand in a log.
var secretMembers = map[string]bool{
	"codeValue": true, "paymentUrl": true, "paymentRedirectUrl": true, "accessToken": true, "refreshToken": true, "authCode": true,
	"paymentMethodId": true, "userLoginId": true, "authState": true, "passThroughInfo": true, "sdkActionPayload": true,
}

// redact is the body on one line without its secrets, for the eye only: what is
// signed and sent are the exact bytes.
func redact(body []byte) []byte {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return fmt.Appendf(nil, "%d bytes", len(body))
	}
	var hide func(any)
	hide = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if secretMembers[name] {
					v[name] = "[redacted]"
				}
				hide(member)
			}
		case []any:
			for _, element := range v {
				hide(element)
			}
		}
	}
	hide(v)
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSpace(line.Bytes())
}
