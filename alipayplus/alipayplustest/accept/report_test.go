package accept_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// The report says what an outsider needs, in three forms, and nothing secret.
func TestReport(t *testing.T) {
	report := runPlain(t, "refunds over the cap", 201, 402, 604)
	report.Checks = append(report.Checks, accept.Result{Number: 999, Name: "n", Verdict: accept.NotApplicable, Why: "because"})
	if err := report.Err(); !errors.Is(err, accept.ErrFailed) || !strings.Contains(err.Error(), "402") || strings.Contains(err.Error(), "201") {
		t.Errorf("the verdict is %v", err)
	}
	var text, data, junit bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteJSON(&data), report.WriteJUnit(&junit)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ok   201", "FAIL 402", "n/a  999", "at stake:  The wallet gives back more", "documents: API refund", "expected:  a refund over the rest is answered F REFUND_AMOUNT_EXCEED",
		"seen:      S SUCCESS", "Alipay+ -> wallet: refund", "app -> wallet: POST /confirm as alice", "NOT ACCEPTED: 2 passed, 1 failed, 1 not applicable", "because",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	var again accept.Report
	if err := json.Unmarshal(data.Bytes(), &again); err != nil || len(again.Checks) != 4 || again.Checks[1].Seen == "" || len(again.Checks[1].Messages) == 0 {
		t.Errorf("the JSON is not the report: %v", err)
	}
	var verdict struct {
		Accepted bool
		Failed   int
		Seconds  float64
		Checks   []struct{ Seconds float64 }
	}
	if err := json.Unmarshal(data.Bytes(), &verdict); err != nil || verdict.Accepted || verdict.Failed != 1 || verdict.Seconds != report.Took.Seconds() || verdict.Checks[1].Seconds != report.Checks[1].Took.Seconds() {
		t.Errorf("the JSON has no verdict, or no seconds: %v, %+v", err, verdict)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &suite); err != nil || suite.Tests != 4 || suite.Failures != 1 || suite.Skipped != 1 || suite.Cases[1].Failure == nil {
		t.Errorf("the JUnit is not the report: %v, %+v", err, suite)
	}
	for _, secret := range []string{"1234", "https://qr.accept.example/281", "paymentSessionData", "852-9000", "wallet.accept.example/verify/"} {
		for form, all := range map[string]string{"text": text.String(), "JSON": data.String(), "JUnit": junit.String()} {
			if i := strings.Index(all, secret); i >= 0 && secret != "1234" || secret == "1234" && strings.Contains(all, `"1234"`) {
				t.Errorf("%s of the report has %q", form, secret)
			}
		}
	}
}

// What was wrong with a message of the wallet is told where it was missed: the
// notification that could not be used.
func TestReportOfARefusedMessage(t *testing.T) {
	r := runPlain(t, "writes times without their zone", 201).Checks[0]
	if !strings.Contains(r.Seen, "no notifyPayment that could be used") || !strings.Contains(r.Seen, "paymentTime is no time") {
		t.Errorf("seen: %s", r.Seen)
	}
	if !slices.ContainsFunc(r.Messages, func(m accept.Message) bool {
		return strings.Contains(m.Body, `"resultMessage":"paymentTime is no time`)
	}) {
		t.Error("no answer of Alipay+ says why")
	}
}

// What an app asks again and again while it waits is there once, and a check
// that exchanged thousands of messages shows its beginning and its end. The JSON
// has them all.
func TestMessagesForPeople(t *testing.T) {
	var messages []accept.Message
	say := func(from, what, body string) {
		messages = append(messages, accept.Message{At: time.Unix(int64(len(messages)), 0), From: from, To: "x", What: what, Body: body})
	}
	say("app", "POST /confirm", "")
	for range 50 {
		say("app", "GET /payments/P1", "")
		say("wallet", "answer", `{"state":"processing"}`)
	}
	say("app", "GET /payments/P1", "")
	say("wallet", "answer", `{"state":"paid"}`)
	report := accept.Report{Checks: []accept.Result{{Number: 201, Verdict: accept.Failed, Expected: "e", Seen: "s\x01]]>", Messages: messages}}}
	text, junit := forms(t, &report)
	for _, form := range []string{text, junit} {
		if strings.Count(form, "processing") != 1 || !strings.Contains(form, "the same again, 49 times") || !strings.Contains(form, `"paid"`) || !strings.Contains(form, "POST /confirm") {
			t.Errorf("not folded:\n%s", form)
		}
	}
	for i := range 300 {
		say("app", "POST /scan", strconv.Itoa(i))
	}
	report.Checks[0].Messages = messages
	text, junit = forms(t, &report)
	for _, form := range []string{text, junit} {
		if strings.Count(form, "\n") > 70 || !strings.Contains(form, "POST /confirm") || !strings.Contains(form, "messages are left out here") || !strings.Contains(form, "POST /scan 299") {
			t.Errorf("not cut in the middle:\n%s", form)
		}
	}
	var data bytes.Buffer
	if err := report.WriteJSON(&data); err != nil || strings.Count(data.String(), "POST /scan") != 300 {
		t.Errorf("the JSON leaves something out: %v", err)
	}
}

func forms(t *testing.T, r *accept.Report) (text, junit string) {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(r.WriteText(&a), r.WriteJUnit(&b)); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
		t.Errorf("the JUnit is no XML: %v", err)
	}
	return a.String(), b.String()
}

// A run that is stopped reports what it has found, and accepts nobody.
func TestStoppedRun(t *testing.T) {
	keys()
	var report *accept.Report
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		cfg := plainConfig()
		cfg.Only = []int{201, 202, 203}
		cfg.Progress = func(r accept.Result) {
			if r.Number == 201 {
				stop()
			}
		}
		w := newPlain(cfg, "")
		cfg.Transport = accept.InMemory(w)
		suite, err := accept.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.client = accept.InMemory(suite.Alipay())
		w.start(t.Context())
		defer func() { w.stop() }()
		if report, err = suite.Run(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if len(report.Checks) != 1 || report.Stopped != 202 {
		t.Fatalf("the report of the stopped run is %+v", report)
	}
	if err := report.Err(); !errors.Is(err, accept.ErrFailed) || !strings.Contains(err.Error(), "202") {
		t.Errorf("its verdict is %v", err)
	}
	text, junit := forms(t, report)
	if !strings.Contains(text, "NOT ACCEPTED") || !strings.Contains(text, "stopped during check 202") || !strings.Contains(junit, `failures="1"`) {
		t.Errorf("it does not say that it was stopped:\n%s\n%s", text, junit)
	}
}

// A report without a check accepts nobody.
func TestEmptyReport(t *testing.T) {
	if err := (&accept.Report{}).Err(); !errors.Is(err, accept.ErrFailed) {
		t.Error(err)
	}
}

var pages = regexp.MustCompile(`[A-Za-z/]+\.md`)

// Numbers are there once and in order, and every check says what is at stake
// and where the rule is.
func TestList(t *testing.T) {
	list := accept.List()
	if !slices.IsSortedFunc(list, func(a, b accept.Result) int { return a.Number - b.Number }) {
		t.Error("the numbers are not in order")
	}
	for i, c := range list {
		if i > 0 && list[i-1].Number == c.Number {
			t.Errorf("%d is there twice", c.Number)
		}
		if c.Name == "" || c.Source == "" || !strings.HasSuffix(c.Loses, ".") {
			t.Errorf("%d says too little: %+v", c.Number, c)
		}
		for _, page := range pages.FindAllString(c.Source, -1) {
			if _, err := os.Stat(filepath.Join("../../..", page)); err != nil {
				t.Errorf("%d names a document that nobody has: %v", c.Number, err)
			}
		}
	}
}
