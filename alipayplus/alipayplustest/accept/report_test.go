package accept_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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
		"ok   201", "FAIL 402", "n/a  999", "at stake:  The wallet gives back more", "documents: API refund", "expected:  a refund over the rest: F [REFUND_AMOUNT_EXCEED]",
		"seen:      S SUCCESS", "Alipay+ -> wallet: refund", "NOT ACCEPTED: 2 passed, 1 failed, 1 not applicable", "because",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	var again accept.Report
	if err := json.Unmarshal(data.Bytes(), &again); err != nil || len(again.Checks) != 4 || again.Checks[1].Seen == "" || len(again.Checks[1].Messages) == 0 {
		t.Errorf("the JSON is not the report: %v", err)
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
