package alipayplus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Of all requests that one signature of Alipay+ covers, however its bytes are
// cut into headers and body, at most one verifies, and that one has the
// documented forms. If it reaches the function, then with the members that
// encoding/json reads. A byte more anywhere, and none verifies.
func FuzzRequest(f *testing.F) {
	const at = "2026-02-20T08:51:49.090Z"
	f.Add(inClientID, at, inValid, "")
	f.Add(inClientID, "2026-02-20T08:51:49", "090Z."+inValid, "0")
	f.Add(inClientID+".2026-02-20T08:51:49", "090Z", inValid, ".")
	f.Add(inClientID, at, " \r\n"+inValid, " ")
	f.Add(inClientID, at, `{"id":"M1","ID":"M2"}`, "{}")
	f.Add(inClientID, at, `{"id":"M1","i\u0064":"M2"}`, "")
	f.Add(inClientID, at, inValid+inValid, "")
	f.Add(strings.ToLower(inClientID), at, inValid, "")
	form := regexp.MustCompile(`^[0-9TZ:+.-]{1,40}$`)
	var ran *inRequest
	var read string
	see := alipayplus.NewInbound(alipayplus.Spec[inRequest, inResponse]{Name: "see"})
	cfg := inConfig()
	cfg.Signer = testkit.Unverified{Version: "7"}
	h := testkit.Must(alipayplus.NewHandler(cfg, see.Handle(inAskPath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		info, _ := alipayplus.RequestInfo(ctx)
		ran, read = r, info.Body.Reveal()
		return &inResponse{}, nil
	})))
	f.Fuzz(func(t *testing.T, id, time, body, more string) {
		signed := inArrival{inAskPath, id, time, []byte(body), signerOf("1", testkit.Keys().Alipay)}
		signature := signed.signature()
		verifies := func(id, time, body string) bool {
			ran = nil
			r := inAgain(&http.Request{Method: http.MethodPost, RequestURI: inAskPath, Header: http.Header{
				"Client-Id": {id}, "Request-Time": {time}, "Signature": {signature},
			}}, []byte(body))
			w := inServe(h, r)
			verified := w.Code == http.StatusOK
			if want := verified && !strings.Contains(w.Body.String(), `"PARAM_ILLEGAL"`); want != (ran != nil) {
				t.Fatalf("a function ran: %t, the answer is HTTP %d %s", ran != nil, w.Code, w.Body)
			}
			return verified
		}
		text := id + "." + time + "." + body
		verified := 0
		for a, tries := strings.IndexByte(text, '.'), 0; a >= 0 && tries < 4; a, tries = nextDot(text, a), tries+1 {
			for b, tries := nextDot(text, a), 0; b >= 0 && tries < 4; b, tries = nextDot(text, b), tries+1 {
				id, time, body := text[:a], text[a+1:b], text[b+1:]
				if !verifies(id, time, body) {
					if id == inClientID && form.MatchString(time) && body == inValid {
						t.Fatalf("refused: %q %q", time, body)
					}
					continue
				}
				verified++
				if id != inClientID || !form.MatchString(time) || !strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{") {
					t.Fatalf("verified: %q %q %q", id, time, body)
				}
				if ran == nil {
					continue
				}
				var want struct{ ID any } // a text, or a number or a boolean in its native form
				numbers := json.NewDecoder(strings.NewReader(body))
				numbers.UseNumber()
				if !json.Valid([]byte(body)) || numbers.Decode(&want) != nil || read != body {
					t.Fatalf("a function ran for %q %q %q", id, time, body)
				}
				if testkit.OneCase([]byte(body)) && fmt.Sprint(want.ID) != ran.ID {
					t.Fatalf("%q is read as %q, by encoding/json as %v", body, ran.ID, want.ID)
				}
			}
		}
		if verified > 1 {
			t.Fatalf("%d requests verify by one signature over %q", verified, text)
		}
		if more != "" && (verifies(id+more, time, body) || verifies(id, time+more, body) || verifies(id, time, body+more) || verifies(id, time, more+body)) {
			t.Fatalf("with %q somewhere it verifies, too: %q %q %q", more, id, time, body)
		}
	})
}

// nextDot returns where the next dot after at is, -1 if there is none.
func nextDot(text string, at int) int {
	if i := strings.IndexByte(text[at+1:], '.'); i >= 0 {
		return at + 1 + i
	}
	return -1
}
