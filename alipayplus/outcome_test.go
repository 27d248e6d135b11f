package alipayplus_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// say is what a body says.
type say struct {
	name, body string
	code       alipayplus.ResultCode
	status     alipayplus.ResultStatus
	json       bool // it can be decoded
	result     bool // it holds one
}

var says = []say{
	{"S", bodyS, "SUCCESS", "S", true, true},
	{"F", bodyF, "ORDER_IS_CLOSED", "F", true, true},
	{"F that begs for advice", `{"result":{"resultCode":"INVALID_SIGNATURE","resultStatus":"F"}}`, "INVALID_SIGNATURE", "F", true, true},
	{"U", bodyU, "UNKNOWN_EXCEPTION", "U", true, true},
	{"throttled", `{"result":{"resultCode":"REQUEST_TRAFFIC_EXCEED_LIMIT","resultStatus":"U"}}`, "REQUEST_TRAFFIC_EXCEED_LIMIT", "U", true, true},
	{"F with a code of U", `{"result":{"resultCode":"REQUEST_TRAFFIC_EXCEED_LIMIT","resultStatus":"F"}}`, "REQUEST_TRAFFIC_EXCEED_LIMIT", "F", true, true},
	{"F with a code of S", `{"result":{"resultCode":"SUCCESS","resultStatus":"F"}}`, "SUCCESS", "F", true, true},
	{"U with a code of S", `{"result":{"resultCode":"SUCCESS","resultStatus":"U"}}`, "SUCCESS", "U", true, true},
	{"status s", `{"result":{"resultCode":"SUCCESS","resultStatus":"s"}}`, "SUCCESS", "s", true, true},
	{"status f", `{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"f"}}`, "PROCESS_FAIL", "f", true, true},
	{"status SUCCESS", `{"result":{"resultCode":"SUCCESS","resultStatus":"SUCCESS"}}`, "SUCCESS", "SUCCESS", true, true},
	{"no status", `{"result":{"resultCode":"SUCCESS"}}`, "SUCCESS", "", true, true},
	{"no result", `{"action":"none"}`, "", "", true, false},
	{"empty result", `{"result":{}}`, "", "", true, false},
	{"two results", `{"result":{"resultStatus":"S"},"result":{"resultStatus":"F"}}`, "", "", false, false},
	{"a result of the wrong type", `{"result":"S"}`, "", "", false, false},
	{"two status members that differ", `{"result":{"resultStatus":"S","RESULTSTATUS":"F"}}`, "", "", false, false},
	{"two documents", bodyS + bodyF, "", "", false, false},
	{"HTML", "<html>S</html>", "", "", false, false},
	{"nothing", "", "", "", false, false},
}

// seal is how an answer is signed.
type seal struct {
	name  string
	kind  string // valid, stale, bad or unsigned
	apply func(at time.Time, body string) http.Header
}

func validSeal(at time.Time, body string) http.Header {
	return signedHeader(decodePath, stamp(at), body)
}

// without returns a valid seal that lost or changed something.
func without(change func(h http.Header, at time.Time, body string)) func(time.Time, string) http.Header {
	return func(at time.Time, body string) http.Header {
		h := validSeal(at, body)
		change(h, at, body)
		return h
	}
}

var seals = []seal{
	{"valid", "valid", validSeal},
	{"valid, an hour old", "stale", func(at time.Time, body string) http.Header { return validSeal(at.Add(-time.Hour), body) }},
	{"valid, an hour ahead", "stale", func(at time.Time, body string) http.Header { return validSeal(at.Add(time.Hour), body) }},
	{"unsigned", "unsigned", func(time.Time, string) http.Header { return http.Header{} }},
	{"unsigned with a Client-Id", "unsigned", func(time.Time, string) http.Header { return http.Header{"Client-Id": {clientID}} }},
	{"over another body", "bad", func(at time.Time, body string) http.Header { return validSeal(at, body+" ") }},
	{"a stranger's", "bad", without(func(h http.Header, at time.Time, body string) {
		h.Set("Signature", signByHand(testkit.Keys().Stranger, "POST", decodePath, clientID, stamp(at), body))
	})},
	{"for another client id", "bad", without(func(h http.Header, at time.Time, body string) {
		h.Set("Client-Id", "OTHER")
		h.Set("Signature", signByHand(testkit.Keys().Alipay, "POST", decodePath, "OTHER", stamp(at), body))
	})},
	{"without Client-Id", "bad", without(func(h http.Header, _ time.Time, _ string) { h.Del("Client-Id") })},
	{"without Response-Time", "bad", without(func(h http.Header, _ time.Time, _ string) { h.Del("Response-Time") })},
	{"without Signature", "bad", without(func(h http.Header, _ time.Time, _ string) { h.Del("Signature") })},
	{"malformed", "bad", without(func(h http.Header, _ time.Time, _ string) { h.Set("Signature", "signature=!") })},
}

// verdict is what the table of the package's documentation says.
type tableRow struct {
	row             string
	outcome         alipayplus.Outcome
	retry           bool
	security, alarm bool
	verified        bool // Result may be read
	cause           error
}

// lookUp reads the table: the first row that fits.
func lookUp(s say, status int, seal string) tableRow {
	unknown := alipayplus.OutcomeUnknown
	switch {
	case seal == "stale":
		return tableRow{row: "5, stale", outcome: unknown, retry: true, cause: alipayplus.ErrStale}
	case seal == "valid" && !s.json:
		return tableRow{row: "5b", outcome: unknown, alarm: true, cause: alipayplus.ErrMalformed}
	case seal == "valid" && s.status == "S":
		return tableRow{row: "3", outcome: alipayplus.OutcomeSucceeded, verified: true}
	case seal == "valid" && s.status == "F":
		return tableRow{row: "4", outcome: alipayplus.OutcomeFailed, verified: true}
	case seal == "valid":
		return tableRow{row: "5", outcome: unknown, retry: true, verified: true}
	case seal == "bad":
		return tableRow{row: "6", outcome: unknown, retry: true, security: true, cause: alipayplus.ErrSignature}
	case s.status == "S":
		return tableRow{row: "7", outcome: unknown, retry: true, security: true, cause: alipayplus.ErrUnsigned}
	case status >= 300 && status < 400:
		return tableRow{row: "8", outcome: unknown}
	case status >= 500 || status == 408 || status == 421 || status == 425 || status == 429 || s.body == "":
		return tableRow{row: "9", outcome: unknown, retry: true}
	case s.result && s.status != "F":
		return tableRow{row: "10", outcome: unknown, retry: true, cause: alipayplus.ErrUnsigned}
	case s.result:
		return tableRow{row: "11", outcome: unknown, cause: alipayplus.ErrUnsigned}
	}
	return tableRow{row: "12", outcome: unknown, cause: alipayplus.ErrUnsigned}
}

// statuses begin with one of each kind.
var statuses = []int{200, 302, 400, 429, 502, 201, 401, 403, 404, 408, 421, 425, 500, 503}

// The table of results, cell by cell: what the answer says × HTTP status × how
// it is signed.
func TestEveryAnswer(t *testing.T) {
	rows := map[string]int{}
	for _, seal := range seals {
		for _, s := range says {
			seal := seal
			if (seal.kind == "valid" || seal.kind == "stale") && !strings.HasPrefix(s.body, "{") {
				seal.kind = "bad" // no signature covers it
			}
			for _, status := range statuses[:size(len(statuses), 5, len(statuses))] {
				want := lookUp(s, status, seal.kind)
				rows[want.row]++
				synctest.Test(t, func(t *testing.T) {
					checkCell(t, fmt.Sprintf("row %s: %s, HTTP %d, %s", want.row, s.name, status, seal.name), s, status, seal, want)
				})
			}
		}
	}
	cells, texts := 0, []string(nil)
	for _, row := range []string{"3", "4", "5", "5, stale", "5b", "6", "7", "8", "9", "10", "11", "12"} {
		cells += rows[row]
		texts = append(texts, fmt.Sprintf("%d of row %s", rows[row], strings.ReplaceAll(row, ",", "")))
		if rows[row] == 0 {
			t.Errorf("no cell for row %s", row)
		}
	}
	t.Logf("%d cells: %s", cells, strings.Join(texts, ", "))
}

func checkCell(t *testing.T, cell string, s say, status int, seal seal, want tableRow) {
	log := &journal{}
	attempts := 0
	gateway := transport(func(*http.Request) (*http.Response, error) {
		attempts++
		return response(status, seal.apply(time.Now(), s.body), s.body), nil
	})
	c := newClient(t, gateway, func(cfg *alipayplus.ClientConfig) {
		cfg.Retry, cfg.Logger = quick(2), slog.New(log)
	})
	var info alipayplus.Info
	answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
	fail := func(format string, args ...any) {
		t.Errorf("%s: %s\n\terr: %v", cell, fmt.Sprintf(format, args...), err)
	}

	if got := alipayplus.OutcomeOf(err); got != want.outcome {
		fail("outcome %v, want %v", got, want.outcome)
	}
	wantAttempts := 1
	if want.retry {
		wantAttempts = 2
	}
	if attempts != wantAttempts || info.Attempts != wantAttempts {
		fail("%d attempts, %d reported, want %d", attempts, info.Attempts, wantAttempts)
	}
	if got := log.count("security event"); got != bool2int(want.security)*wantAttempts {
		fail("%d security events", got)
	}
	if got := log.count("cannot be used"); got != bool2int(want.alarm) {
		fail("%d alarms", got)
	}
	if (answer != nil) != (err == nil) || (answer != nil) != (want.outcome == alipayplus.OutcomeSucceeded) {
		fail("answer %v", answer)
	}
	if sealed := seal.kind == "valid" || seal.kind == "stale"; (!sealed && !info.Body.IsZero()) || (sealed && info.Body.Reveal() != s.body) {
		fail("Info.Body is %d bytes", len(info.Body.Reveal()))
	}
	if info.HTTPStatus != status {
		fail("Info.HTTPStatus %d", info.HTTPStatus)
	}
	carried, ok := decodeOrder.AnswerIn(err)
	if ok != (err != nil && want.verified) || (carried != nil) != ok {
		fail("AnswerIn: %v, %v", carried, ok)
	}
	if ok && (carried.Result.Code != s.code || carried.Result.Status != s.status) {
		fail("AnswerIn holds %v", carried.Result)
	}
	if err == nil {
		if answer.Result.Code != s.code || answer.Action != "none" {
			fail("answer %v", answer)
		}
		return
	}

	var e *alipayplus.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: no *Error: %T", cell, err)
	}
	if e.Operation != "decodeOrder" || e.Attempts != wantAttempts || e.HTTPStatus != status || e.Outcome != want.outcome {
		fail("*Error %+v", *e)
	}
	said := alipayplus.Result{Code: s.code, Status: s.status}
	result, claimed := alipayplus.Result{}, said
	if want.verified {
		result, claimed = said, alipayplus.Result{}
	}
	if want.row == "5, stale" || want.row == "5b" {
		claimed = alipayplus.Result{}
	}
	e.Result.Message = ""
	if e.Result != result {
		fail("Result %v, want %v", e.Result, result)
	}
	if e.Claimed != claimed {
		fail("Claimed %v, want %v", e.Claimed, claimed)
	}
	if s.code != "" && errors.Is(err, s.code) != want.verified {
		fail("errors.Is finds the code %s: %v", s.code, errors.Is(err, s.code))
	}
	if want.cause != nil && !errors.Is(err, want.cause) {
		fail("want the cause %v", want.cause)
	}
	if advice := strings.Contains(err.Error(), "check that"); advice != (want.row == "11" && s.code == alipayplus.CodeInvalidSignature) {
		fail("advice %v", advice)
	}
	if status != 200 && !strings.Contains(err.Error(), fmt.Sprintf("HTTP %d", status)) {
		fail("the text does not name the HTTP status")
	}
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Four claims of an unsigned F get advice; they are what goes wrong on the
// first day.
func TestUnsignedRefusalsSayWhatToCheck(t *testing.T) {
	for code, advice := range map[alipayplus.ResultCode]string{
		alipayplus.CodeInvalidSignature: "public key",
		alipayplus.CodeKeyNotFound:      "key version",
		alipayplus.CodeInvalidClient:    "ClientID",
		alipayplus.CodeAccessDenied:     "contract",
		alipayplus.CodeProcessFail:      "",
	} {
		body := `{"result":{"resultCode":"` + string(code) + `","resultStatus":"F"}}`
		c := newClient(t, &fixedAnswer{200, nil, body}, noRetry)
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if !errors.Is(err, alipayplus.ErrUnsigned) || errors.Is(err, code) {
			t.Errorf("%s: %v", code, err)
		}
		if strings.Contains(err.Error(), "check") != (advice != "") || !strings.Contains(err.Error(), advice) {
			t.Errorf("%s: %v, want advice about %q", code, err, advice)
		}
	}
}

// A claim is text from a stranger: it is cut and cleaned before anybody sees
// it.
func TestClaimsAreCleaned(t *testing.T) {
	body := `{"result":{"resultCode":"A\nB` + strings.Repeat("x", 100) + `","resultStatus":"U\u001b[31m    ","resultMessage":"secret"}}`
	c := newClient(t, &fixedAnswer{200, http.Header{"Trace-Id": {"id\x1b[31m\u00e9" + strings.Repeat("y", 100)}}, body}, noRetry)
	_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
	var e *alipayplus.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if want := "A?B" + strings.Repeat("x", 61); string(e.Claimed.Code) != want {
		t.Errorf("code %q", e.Claimed.Code)
	}
	if e.Claimed.Status != "U?[31m??" || e.Claimed.Message != "" {
		t.Errorf("status %q, message %q", e.Claimed.Status, e.Claimed.Message)
	}
	if len(e.TraceID) != 64 || strings.ContainsAny(e.TraceID, "\x1b\u00e9") {
		t.Errorf("trace id %q", e.TraceID)
	}
}

// The names under which a trace id comes.
func TestTraceID(t *testing.T) {
	for _, name := range []string{"Trace-Id", "traceId", "TRACE-ID"} {
		var info alipayplus.Info
		header := http.Header{}
		header.Set(name, "T1")
		c := newClient(t, &fixedAnswer{404, header, "no"}, noRetry)
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
		if info.TraceID != "T1" || !strings.Contains(err.Error(), "T1") {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// "Not sent" is proved for all attempts or not at all, and a later answer
// decides.
func TestOutcomeOverSeveralAttempts(t *testing.T) {
	refused := func(r *http.Request) (*http.Response, error) { return nil, dialError(r) }
	lost := func(r *http.Request) (*http.Response, error) { arrived(r); return nil, errLost }
	give := func(body string) transport { return answers(body) }
	for _, test := range []struct {
		name     string
		attempts []transport
		want     alipayplus.Outcome
	}{
		{"refused three times", []transport{refused, refused, refused}, alipayplus.OutcomeNotSent},
		{"lost, then refused", []transport{lost, refused, refused}, alipayplus.OutcomeUnknown},
		{"refused, then lost", []transport{refused, lost, refused}, alipayplus.OutcomeUnknown},
		{"U, then refused", []transport{give(bodyU), refused, refused}, alipayplus.OutcomeUnknown},
		{"refused, then S", []transport{refused, give(bodyS)}, alipayplus.OutcomeSucceeded},
		{"lost, then F", []transport{lost, give(bodyF)}, alipayplus.OutcomeFailed},
		{"U, then S", []transport{give(bodyU), give(bodyU), give(bodyS)}, alipayplus.OutcomeSucceeded},
		{"U three times", []transport{give(bodyU), give(bodyU), give(bodyU)}, alipayplus.OutcomeUnknown},
	} {
		n := 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			return test.attempts[n-1](r)
		}), func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(3) })
		answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if alipayplus.OutcomeOf(err) != test.want || n != len(test.attempts) || (answer != nil) != (err == nil) {
			t.Errorf("%s: %v after %d attempts, want %v", test.name, err, n, test.want)
		}
	}
}

// What repeats, and what must not: an API without identity that may have
// arrived.
func TestOnlySafeCallsAreRepeated(t *testing.T) {
	for _, test := range []struct {
		name     string
		op       *alipayplus.Outbound[order, orderAnswer]
		lost     func(*http.Request) (*http.Response, error)
		attempts int
	}{
		{"with an identity", decodeOrder, func(r *http.Request) (*http.Response, error) { arrived(r); return nil, errLost }, 3},
		{"read-only", readOrder, func(r *http.Request) (*http.Response, error) { arrived(r); return nil, errLost }, 3},
		{"neither", onceOnly, func(r *http.Request) (*http.Response, error) { arrived(r); return nil, errLost }, 1},
		{"neither, answered U", onceOnly, answers(bodyU), 1},
		{"neither, HTTP 503", onceOnly, (&fixedAnswer{503, nil, ""}).RoundTrip, 1},
		{"neither, but proved not sent", onceOnly, func(r *http.Request) (*http.Response, error) { return nil, dialError(r) }, 3},
	} {
		n := 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) { n++; return test.lost(r) }),
			func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(3) })
		if _, err := test.op.Call(t.Context(), c, &order{ID: "1"}); err == nil || n != test.attempts {
			t.Errorf("%s: %d attempts, want %d: %v", test.name, n, test.attempts, err)
		}
	}
	// A Message knows by its Key.
	for key, attempts := range map[string]int{"": 1, "1": 3} {
		n := 0
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) { n++; return nil, errLost }),
			func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(3) })
		if err := c.Deliver(t.Context(), alipayplus.Message{Operation: "x", Key: key, Path: "/a", Body: alipayplus.Conceal("{}")}); err == nil || n != attempts {
			t.Errorf("Deliver with key %q: %d attempts, want %d", key, n, attempts)
		}
	}
}

// An answer that breaks off is lost (row 9), whatever its headers and its
// beginning say: not a forgery, and nothing is read from it.
func TestTruncatedAnswers(t *testing.T) {
	for _, s := range says[:4] {
		for _, seal := range seals {
			for _, status := range []int{200, 302, 400, 500} {
				synctest.Test(t, func(t *testing.T) {
					log, attempts := &journal{}, 0
					c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
						attempts++
						arrived(r)
						res := response(status, seal.apply(time.Now(), s.body), s.body)
						res.Body = io.NopCloser(io.MultiReader(strings.NewReader(s.body), readerFunc(func([]byte) (int, error) {
							return 0, io.ErrUnexpectedEOF // after the last byte: the length did not say so
						})))
						return res, nil
					}), func(cfg *alipayplus.ClientConfig) { cfg.Retry, cfg.Logger = quick(2), slog.New(log) })
					var info alipayplus.Info
					answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
					var e *alipayplus.Error
					if answer != nil || !errors.As(err, &e) || e.Outcome != alipayplus.OutcomeUnknown || !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Fatalf("%s, HTTP %d, %s: %v", s.name, status, seal.name, err)
					}
					if attempts != 2 || log.count("") != 0 || !info.Body.IsZero() || e.Result != (alipayplus.Result{}) || e.Claimed != (alipayplus.Result{}) || e.HTTPStatus != status {
						t.Errorf("%s, HTTP %d, %s: %d attempts, %d log lines, %+v", s.name, status, seal.name, attempts, log.count(""), *e)
					}
				})
			}
		}
	}
}
