// Identify says what to do with scanned codes, by a saved set of code rules:
//
//	identify -rules rules.json [-allow FILE] [-block FILE] [CODE ...]
//	identify -rules rules.json -check
//
// To try it, with the rules of a test:
//
//	go run ./examples/identify -rules codeid/testdata/rules.json https://qr.pay.example/menu/7 hello
//
// rules.json is the body of an inquiryCodeRules response. Codes are arguments
// or, without any, the lines of the standard input. For every code it prints
// one JSON object on a line of its own:
//
//	decision     local (in the allowlist), rejected (in the blocklist) or identified (the rules were asked)
//	supported    true if Alipay+ processes the code
//	action       DECODE: send the code to userInitiatedPay; OPEN_URL: open redirectUrl with userAgent
//	needsRemote  true if the rules alone cannot decide
//	rule         the place in codeRules of the rule that decided, from 0; -1 for none
//	reason       why, in words
//	result       S, or F with PARAM_ILLEGAL for what cannot be a code
//
// The lists hold one entry a line: exact, prefix, host, guid or regexp, a
// blank, and the value; see codeid.ReadList.
//
// With -check it lists the rules that cannot be used, and why.
//
// Exit status: 0; 1 if -check found something; 2 if a file cannot be used or
// the command line is wrong.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const usage = `usage: identify -rules FILE [-allow FILE] [-block FILE] [CODE ...]
       identify -rules FILE -check

Says what to do with scanned codes: one JSON object a line. Codes are arguments or, without any, lines of the standard input.

  -rules FILE  the body of an inquiryCodeRules response
  -allow FILE  codes that we keep for ourselves ("local"), one entry a line
  -block FILE  codes that we reject ("rejected"), one entry a line
  -check       only list the rules that cannot be used; exit status 1 if there are any

An entry is a kind, a blank and a value:

  exact   28166604AbCdEf0123456789
  prefix  https://pay.example.com/m/
  host    shop.example.com           (this host; "*.example.com" with all below it; a path may follow)
  guid    com.example.wallet         (of an EMVCo code)
  regexp  EXW[0-9]{12}               (the whole code)
  # a comment`

const (
	exitFound    = 1
	exitUnusable = 2
)

func run(args []string, in io.Reader, out, complain io.Writer) int {
	say := func(words ...any) { _, _ = fmt.Fprintln(complain, words...) }
	flags := flag.NewFlagSet("identify", flag.ContinueOnError)
	flags.SetOutput(complain)
	flags.Usage = func() { say(usage) }
	rules := flags.String("rules", "", "")
	allow := flags.String("allow", "", "")
	block := flags.String("block", "", "")
	check := flags.Bool("check", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUnusable
	case *rules == "":
		say("identify: -rules is missing\n\n" + usage)
		return exitUnusable
	case *check && flags.NArg() > 0:
		say("identify: -check takes no codes")
		return exitUnusable
	}

	t := tool{out: bufio.NewWriter(out)}
	if err := t.load(*rules, *allow, *block); err != nil {
		say("identify:", err)
		return exitUnusable
	}
	var err error
	skipped := t.rules.Skipped()
	if *check {
		err = t.list(skipped)
	} else {
		if len(skipped) > 0 {
			say(fmt.Sprintf("identify: %d of %d rules cannot be used; -check says why", len(skipped), len(skipped)+t.rules.Len()))
		}
		err = t.identify(flags.Args(), in)
	}
	if err = cmp.Or(err, t.out.Flush()); err != nil {
		say("identify:", err)
		return exitUnusable
	}
	if *check && len(skipped) > 0 {
		return exitFound
	}
	return 0
}

type tool struct {
	rules  *codeid.Ruleset
	filter *codeid.Filter
	out    *bufio.Writer
}

func (t *tool) load(rules, allow, block string) error {
	body, err := os.ReadFile(rules) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	if t.rules, err = codeid.ParseRuleset(body, codeid.RuleOptions{}); err != nil {
		return inFile(rules, err)
	}
	var lists codeid.Lists
	if lists.Allow, err = readList(allow); err != nil {
		return err
	}
	if lists.Block, err = readList(block); err != nil {
		return err
	}
	t.filter = codeid.NewFilter(lists)
	return nil
}

func readList(name string) (*codeid.List, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	list, err := codeid.ReadList(f)
	if err != nil {
		return nil, inFile(name, err)
	}
	return list, nil
}

func inFile(name string, err error) error {
	return fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "codeid: "))
}

func (t *tool) list(skipped []codeid.SkippedRule) error {
	for _, s := range skipped {
		if s.Member != "" {
			s.Reason += fmt.Sprintf(": %q", s.Member)
		}
		if _, err := fmt.Fprintf(t.out, "rule %d: %s\n", s.Index, s.Reason); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(t.out, "version %s: %d rules in use, %d skipped\n", t.rules.Version(), t.rules.Len(), len(skipped))
	return err
}

// identify writes an answer for every code: the arguments or, without any, the
// lines of in.
func (t *tool) identify(codes []string, in io.Reader) error {
	for _, code := range codes {
		if err := t.write(code); err != nil {
			return err
		}
	}
	if len(codes) > 0 {
		return nil
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			if err := t.write(line); err != nil {
				return err
			}
			if err := t.out.Flush(); err != nil { // somebody may be typing
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// answer is one line of the output. Every member is always there.
type answer struct {
	CodeValue   string `json:"codeValue"`
	Decision    string `json:"decision"`
	Supported   bool   `json:"supported"`
	Action      string `json:"action"`
	RedirectURL string `json:"redirectUrl"`
	UserAgent   string `json:"userAgent"`
	NeedsRemote bool   `json:"needsRemote"`
	Rule        int    `json:"rule"`
	Reason      string `json:"reason"`
	Result      struct {
		Code    string `json:"resultCode"`
		Status  string `json:"resultStatus"`
		Message string `json:"resultMessage"`
	} `json:"result"`
}

func (t *tool) write(code string) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(t.answer(code))
}

func (t *tool) answer(code string) answer {
	a := answer{CodeValue: code, Rule: codeid.NoRule}
	a.Result.Code, a.Result.Status, a.Result.Message = string(alipayplus.CodeSuccess), "S", "success"
	if v := t.filter.Check(code); v.Decision != codeid.DecisionIdentify {
		a.Decision = string(v.Decision)
		a.Reason = strings.TrimSpace(fmt.Sprintf("%s: %s %s", v.List, v.Kind, v.Entry))
		return a
	}
	a.Decision = "identified"
	id, err := t.rules.Identify(code)
	if result, ok := errors.AsType[alipayplus.Result](err); ok {
		a.Result.Code, a.Result.Status, a.Result.Message = string(result.Code), string(result.Status), result.Message
		a.Reason = result.Message
		return a
	}
	a.Supported = id.Supported
	a.Action = string(id.Action)
	a.RedirectURL = id.RedirectURL()
	a.UserAgent = id.UserAgent
	a.NeedsRemote = id.NeedsRemote
	a.Rule = id.Rule
	a.Reason = id.Reason
	return a
}
