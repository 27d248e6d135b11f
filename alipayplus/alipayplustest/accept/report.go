package accept

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts.
const (
	Passed        Verdict = "passed"
	Failed        Verdict = "failed"
	NotApplicable Verdict = "not applicable"
)

// Result is one check of a [Report].
type Result struct {
	Number  int     `json:"number"` // stable
	Name    string  `json:"name"`
	Loses   string  `json:"loses"`  // what a user or a merchant would lose
	Source  string  `json:"source"` // where the documents have the rule
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"` // why it is not applicable
	// Expected and Seen say how it failed; Messages are what was exchanged,
	// without secrets.
	Expected string        `json:"expected,omitempty"`
	Seen     string        `json:"seen,omitempty"`
	Messages []Message     `json:"messages,omitempty"`
	Took     time.Duration `json:"-"` // in the JSON: seconds
}

// Report is what the checks found.
type Report struct {
	Prefix string        `json:"prefix"` // of every id of the run
	Began  time.Time     `json:"began"`
	Took   time.Duration `json:"-"` // in the JSON: seconds
	// Stopped is the number of the check that was under way when the run was
	// stopped; 0 means that all checks ran. A run that was stopped accepts
	// nobody.
	Stopped int      `json:"stopped,omitempty"`
	Checks  []Result `json:"checks"`
}

// Count returns how many checks ended with v.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, c := range r.Checks {
		if c.Verdict == v {
			n++
		}
	}
	return n
}

// Err returns nil if no check failed, at least one passed and all ran, else
// [ErrFailed] with the reason.
func (r *Report) Err() error {
	var failed []string
	for _, c := range r.Checks {
		if c.Verdict == Failed {
			failed = append(failed, fmt.Sprintf("%d %s", c.Number, c.Name))
		}
	}
	switch {
	case len(failed) > 0:
		return fmt.Errorf("%w: %s", ErrFailed, strings.Join(failed, "; "))
	case r.Stopped != 0:
		return fmt.Errorf("%w: the run was stopped during check %d", ErrFailed, r.Stopped)
	case r.Count(Passed) == 0:
		return fmt.Errorf("%w: no check ran", ErrFailed)
	}
	return nil
}

// WriteText writes the report for people: the [Result.String] of each check,
// and the [Report.Summary]. Messages of failed checks are in it.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		b.WriteString(c.String())
	}
	b.WriteString(r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// String returns the result in lines for people, with the messages if it
// failed.
func (c Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-4s %d  %s", map[Verdict]string{Passed: "ok", Failed: "FAIL", NotApplicable: "n/a"}[c.Verdict], c.Number, c.Name)
	switch c.Verdict {
	case NotApplicable:
		fmt.Fprintf(&b, "\n          not applicable: %s\n", c.Why)
	case Failed:
		fmt.Fprintf(&b, " (%.1fs)\n          at stake:  %s\n          documents: %s\n          expected:  %s\n          seen:      %s\n",
			c.Took.Seconds(), c.Loses, c.Source, c.Expected, c.Seen)
		for _, line := range lines(c.Messages) {
			fmt.Fprintf(&b, "            %s\n", line)
		}
	case Passed:
		fmt.Fprintf(&b, " (%.1fs)\n", c.Took.Seconds())
	}
	return b.String()
}

// Summary returns the verdict, what failed, and why checks were not applicable.
func (r *Report) Summary() string {
	var b strings.Builder
	verdict := "ACCEPTED"
	if r.Err() != nil {
		verdict = "NOT ACCEPTED"
	}
	fmt.Fprintf(&b, "\n%s: %d passed, %d failed, %d not applicable, in %v (ids begin with %s)\n",
		verdict, r.Count(Passed), r.Count(Failed), r.Count(NotApplicable), r.Took.Round(time.Millisecond), r.Prefix)
	if r.Stopped != 0 {
		fmt.Fprintf(&b, "  the run was stopped during check %d; what comes after it did not run\n", r.Stopped)
	}
	if r.Count(Failed) > 0 {
		b.WriteString("  In \"documents\", \"package …\" and RELIABILITY.md are of github.com/alipayplus-mpp/alipayplus-go; all else is Alipay+'s.\n")
	}
	var reasons []string
	why := map[string][]string{}
	for _, c := range r.Checks {
		switch c.Verdict {
		case Failed:
			fmt.Fprintf(&b, "  failed %d  %s\n             at stake: %s\n             expected: %s\n             seen:     %s\n", c.Number, c.Name, c.Loses, c.Expected, c.Seen)
		case NotApplicable:
			if why[c.Why] == nil {
				reasons = append(reasons, c.Why)
			}
			why[c.Why] = append(why[c.Why], strconv.Itoa(c.Number))
		case Passed:
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(&b, "  not applicable, because %s: %s\n", reason, strings.Join(why[reason], " "))
	}
	return b.String()
}

// WriteJSON writes the report for programs: the Report with its verdict, and
// times in seconds.
func (r *Report) WriteJSON(w io.Writer) error {
	type check struct {
		Result
		Seconds float64 `json:"seconds"`
	}
	all := struct {
		Accepted      bool      `json:"accepted"`
		Passed        int       `json:"passed"`
		Failed        int       `json:"failed"`
		NotApplicable int       `json:"notApplicable"`
		Stopped       int       `json:"stopped,omitempty"`
		Prefix        string    `json:"prefix"`
		Began         time.Time `json:"began"`
		Seconds       float64   `json:"seconds"`
		Checks        []check   `json:"checks"`
	}{r.Err() == nil, r.Count(Passed), r.Count(Failed), r.Count(NotApplicable), r.Stopped, r.Prefix, r.Began, r.Took.Seconds(), []check{}}
	for _, c := range r.Checks {
		all.Checks = append(all.Checks, check{c, c.Took.Seconds()})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// printable replaces what XML cannot hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == '\uFFFE' || r == '\uFFFF' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// WriteJUnit writes the report as JUnit XML, as CI systems read it.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "alipayplus acceptance", Tests: len(r.Checks), Failures: r.Count(Failed), Skipped: r.Count(NotApplicable),
		Time: fmt.Sprintf("%.3f", r.Took.Seconds()),
	}
	for _, c := range r.Checks {
		one := junitCase{Class: "accept", Name: fmt.Sprintf("%d %s", c.Number, c.Name), Time: fmt.Sprintf("%.3f", c.Took.Seconds())}
		switch c.Verdict {
		case Failed:
			var text strings.Builder
			fmt.Fprintf(&text, "\nat stake:  %s\ndocuments: %s\nexpected:  %s\nseen:      %s\n\n", c.Loses, c.Source, c.Expected, c.Seen)
			for _, line := range lines(c.Messages) {
				fmt.Fprintln(&text, line)
			}
			one.Failure = &junitMessage{"expected: " + c.Expected + "; seen: " + c.Seen, printable(text.String())}
		case NotApplicable:
			one.Skipped = &junitMessage{Message: c.Why}
		case Passed:
		}
		suite.Cases = append(suite.Cases, one)
	}
	if r.Stopped != 0 {
		suite.Tests++
		suite.Failures++
		suite.Cases = append(suite.Cases, junitCase{Class: "accept", Name: "all checks ran", Time: "0", Failure: &junitMessage{Message: r.Err().Error()}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(suite)
}
