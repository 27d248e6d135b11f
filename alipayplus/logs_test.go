package alipayplus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// inLines returns the lines of a log whose message holds this text.
func inLines(t *testing.T, log *inLog, message string) (lines []map[string]any) {
	t.Helper()
	for line := range bytes.Lines([]byte(log.String())) {
		var members map[string]any
		if err := json.Unmarshal(line, &members); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(members["msg"].(string), message) {
			lines = append(lines, members)
		}
	}
	return lines
}

// The log says why a request was answered U or F, in the words of the host.
func TestLogsSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		answer  *inResponse
		err     error
		message string
		want    map[string]string
	}{
		"an error of the host": {
			err: fmt.Errorf("debit M1: %w", errors.New("no connection to the ledger")), message: "answering UNKNOWN_EXCEPTION",
			want: map[string]string{"level": "ERROR", "operation": "move", "error": "debit M1: no connection to the ledger"},
		},
		"an error beside a refusal": {
			err: errors.Join(errors.New("commit failed"), alipayplus.CodeRiskReject), message: "answering UNKNOWN_EXCEPTION",
			want: map[string]string{"level": "ERROR", "error": "commit failed\nRISK_REJECT"},
		},
		"a refusal": {
			err: fmt.Errorf("limit of the day: %w", alipayplus.CodeUserAmountExceedLimit), message: "the function refuses",
			want: map[string]string{
				"level": "INFO", "operation": "move", "code": "USER_AMOUNT_EXCEED_LIMIT", "reason": "limit of the day: USER_AMOUNT_EXCEED_LIMIT",
			},
		},
		"a refusal as the answer": {
			answer:  &inResponse{Result: alipayplus.Result{Code: "RISK_REJECT", Status: "F", Message: "blocked card"}},
			message: "the function refuses",
			want:    map[string]string{"level": "INFO", "operation": "move", "code": "RISK_REJECT", "reason": "blocked card"},
		},
		"a refusal without a reason": {
			answer:  &inResponse{Result: alipayplus.Result{Code: "RISK_REJECT", Status: "F"}},
			message: "the function refuses",
			want:    map[string]string{"code": "RISK_REJECT", "reason": "(none)"},
		},
		"an error that is a nil pointer": {
			err: (*inNilError)(nil), message: "answering UNKNOWN_EXCEPTION", want: map[string]string{"level": "ERROR", "operation": "move"},
		},
	} {
		log := &inLog{}
		cfg := inConfig()
		cfg.Logger = log.logger()
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) { return c.answer, c.err })))
		inSend(t, h, inValid)
		lines := inLines(t, log, c.message)
		if len(lines) != 1 {
			t.Errorf("%s: %d lines:\n%s", name, len(lines), log)
			continue
		}
		for member, want := range c.want {
			if got, ok := lines[0][member]; !ok && want == "(none)" {
				continue
			} else if got != want {
				t.Errorf("%s: %s is %q, want %q", name, member, lines[0][member], want)
			}
		}
	}
}

type inNilError struct{ text string }

func (e *inNilError) Error() string { return e.text }

// Strangers cannot fill the log: at most one line a second tells of what does
// not verify, and how many there were.
func TestStrangersInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &inLog{}
		cfg := inConfig()
		cfg.Logger = log.logger()
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
		stranger := inArrive(inMovePath, inValid).request()
		stranger.Header.Set("Signature", "signature=AAAA")
		notOurs := inArrive(inMovePath, inValid).request()
		notOurs.Method = "GET"
		for range 5 {
			for range 50 {
				inServe(h, inAgain(stranger, []byte(inValid)))
				inServe(h, inAgain(notOurs, nil))
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(500 * time.Millisecond)
		}
		lines := inLines(t, log, "refused")
		if len(lines) != 5 {
			t.Fatalf("%d lines in five seconds", len(lines))
		}
		for i, line := range lines {
			want := 99.0
			if i == 0 {
				want = 0
			}
			if line["level"] != "WARN" || line["operation"] != "move" || line["moreSinceLast"] != want || line["error"] == "" {
				t.Errorf("line %d: %v, want %v more", i, line, want)
			}
		}
	})
}

// An alarm is not lost because nobody thought of a Logger.
func TestAlarmsWithoutLogger(t *testing.T) {
	log := testkit.DefaultLog(t)
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) {
		return nil, errors.New("no connection to the ledger")
	})))
	inSend(t, h, inValid)
	if !strings.Contains(log.String(), "no connection to the ledger") {
		t.Errorf("of a function's error: %q", log)
	}
	log.Reset()
	c := newClient(t, answers(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"}`), noRetry)
	_ = c.Deliver(t.Context(), alipayplus.Message{Operation: "x", Path: "/x", Body: alipayplus.Conceal("{}")})
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("of a signed answer that is no JSON: %q", log)
	}
	synctest.Test(t, func(t *testing.T) {
		log := testkit.DefaultLog(t)
		r := newRelayed(t)
		r.answer = func(string) error { return alipayplus.CodeParamIllegal }
		r.put("M1")
		r.runs(r.relay(func(cfg *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { cfg.Logger = nil }), time.Second)
		if !strings.Contains(log.String(), "dead letter") {
			t.Errorf("of a dead letter: %q", log)
		}
	})
}
