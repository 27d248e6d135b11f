package accept

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Suite is a run of the checks against one wallet.
type Suite struct {
	cfg    Config
	log    *journal
	alipay *alipay
	ids    atomic.Int64

	orders   []*order // of all checks
	balances []int64  // of the users, before the first
	failed   []string // numbers of checks
	token    string   // a living one, for calls that must be refused
}

// New checks cfg and makes a Suite. Serve [Suite.Alipay] before the wallet
// starts, then call [Suite.Run].
func New(cfg Config) (*Suite, error) {
	cfg.fill()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "A" + strings.ToUpper(strconv.FormatInt(time.Now().UnixMilli(), 36))
	}
	s := &Suite{cfg: cfg, log: &journal{}}
	s.alipay = newAlipay(&s.cfg, s.log)
	return s, nil
}

// Alipay returns the Alipay+ that the wallet calls. It is to be served at
// Config.Alipay.Listen, or given to the wallet's client by [InMemory].
func (s *Suite) Alipay() http.Handler { return s.alipay }

func (s *Suite) count() int64 { return s.ids.Add(1) }

// timeLimit is how long one check may take, longTimeLimit is for one that waits
// in virtual time.
const timeLimit, longTimeLimit = 15 * time.Minute, 72 * time.Hour

// Run runs the checks, one after the other. An error means that they could not
// begin, because the configuration does not fit the wallet. If ctx ends before
// the checks do, the report has those that were done, and Report.Stopped.
func (s *Suite) Run(ctx context.Context) (*Report, error) {
	began := time.Now()
	if err := s.preflight(ctx); ctx.Err() != nil {
		return nil, fmt.Errorf("accept: stopped before the first check: %w", ctx.Err())
	} else if err != nil {
		return nil, err
	}
	report := &Report{Prefix: s.cfg.Prefix, Began: began}
	for _, k := range checks {
		if len(s.cfg.Only) > 0 && !slices.Contains(s.cfg.Only, k.number) {
			continue
		}
		r := s.check(ctx, k)
		if ctx.Err() != nil { // it may have failed for this reason alone
			report.Stopped = k.number
			break
		}
		report.Checks = append(report.Checks, r)
		if s.cfg.Progress != nil {
			s.cfg.Progress(r)
		}
	}
	report.Took = time.Since(began)
	return report, nil
}

// check runs one check.
func (s *Suite) check(ctx context.Context, k check) Result {
	r := Result{Number: k.number, Name: k.name, Loses: k.loses, Source: k.source}
	for _, need := range k.needs {
		if !s.cfg.can(need) {
			r.Verdict, r.Why = NotApplicable, fmt.Sprintf("the wallet does not offer %q", need)
			return r
		}
	}
	if k.long && !s.cfg.VirtualTime {
		r.Verdict, r.Why = NotApplicable, "it waits for minutes or hours, and runs in virtual time only"
		return r
	}
	if k.slow && s.cfg.Quick {
		r.Verdict, r.Why = NotApplicable, "it waits for seconds, and a quick run leaves it out"
		return r
	}
	limit := timeLimit
	if k.long {
		limit = longTimeLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	s.log.take()
	scenario := &scenario{ctx: ctx, suite: s, cfg: &s.cfg, log: s.log, alipay: s.alipay, number: k.number}
	failed := scenario.guard(func() {
		scenario.balances = []int64{scenario.user(0).balance(), scenario.user(1).balance()}
		if s.balances == nil {
			s.balances = scenario.balances
		}
		k.run(scenario)
		scenario.books()
	})
	s.orders = append(s.orders, scenario.orders...)
	messages, problems := s.log.take()
	switch {
	case len(problems) == 0:
	case failed == nil:
		failed = &failure{problems[0].expected, problems[0].seen}
	default: // it may be the reason
		failed.seen += fmt.Sprintf("; and a message of the wallet was wrong: expected %s, seen %s", problems[0].expected, problems[0].seen)
	}
	r.Took = time.Since(began)
	switch {
	case failed == nil && scenario.why != "":
		r.Verdict, r.Why = NotApplicable, scenario.why
		return r
	case failed == nil:
		r.Verdict = Passed
		return r
	}
	s.failed = append(s.failed, strconv.Itoa(k.number))
	r.Verdict, r.Expected, r.Seen, r.Messages = Failed, failed.expected, failed.seen, messages
	return r
}

// guard runs f and returns how it failed, nil if it did not.
func (s *scenario) guard(f func()) (failed *failure) {
	defer func() {
		if v := recover(); v != nil {
			own, ok := v.(failure)
			if !ok {
				panic(v)
			}
			failed = &own
		}
	}()
	f()
	return nil
}

// preflight says why the checks cannot begin.
func (s *Suite) preflight(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p := &scenario{ctx: ctx, suite: s, cfg: &s.cfg, log: s.log, alipay: s.alipay}
	failed := p.guard(func() {
		for i := range s.cfg.Users[:2] {
			u := p.user(i)
			var err error
			var a amount
			var status int
			p.eventually(30*time.Second, func() bool { // it may just be starting
				status, err = u.try(http.MethodGet, s.cfg.Wallet.Driver, "/balance", nil, &a)
				return err == nil || status != 0
			})
			if err != nil {
				p.fail("wallet.driver answers GET "+s.cfg.Wallet.Driver+"/balance with {\"currency\":\"…\",\"value\":\"…\"}", "%v", err)
			}
			p.must(status == http.StatusOK, fmt.Sprintf("users[%d].header signs somebody in at wallet.driver", i), "GET /balance: HTTP %d", status)
			p.must(a.Currency == s.cfg.Currency, "a balance in "+s.cfg.Currency+", the configured currency", "%v", a)
			least := int64(MinimumBalance)
			if i > 0 {
				least /= 10
			}
			p.must(a.minor() >= least, fmt.Sprintf("users[%d], %s, has at least %s %d to spend", i, u.ID, s.cfg.Currency, least), "%v", a)
		}
		p.preflightInbound(s.cfg.inbound()[0])
		for _, api := range s.cfg.inbound()[1:] {
			p.preflightPath(api)
		}
		if s.cfg.can(MerchantMode) {
			p.preflightDecode()
		}
	})
	if failed != nil {
		return fmt.Errorf("accept: the configuration does not fit the wallet\n  expected: %s\n  seen:     %s", failed.expected, failed.seen)
	}
	return nil
}

func (s *scenario) preflightInbound(api string) {
	got, err := s.try(s.prepare(api, s.inquiryOf(s.newID())))
	if err != nil {
		s.fail("wallet.inbound."+api+", at "+s.cfg.Wallet.Inbound[api]+", answers a request that is signed with alipay.keys[0], and signs the answer with wallet.keys[0] for wallet.clientId", "%v", err)
	}
	if got.code == "INVALID_SIGNATURE" {
		s.fail("the wallet knows the public key of alipay.keys[0]", "%v", got)
	}
}

// preflightPath asks whether api is served where it was registered. What it sends
// is signed as the request of preflightInbound was, but is no request, and changes
// nothing.
func (s *scenario) preflightPath(api string) {
	expected := "wallet.inbound." + api + " is served at " + s.cfg.Wallet.Inbound[api]
	status, _, _, err := s.raw(s.prepareBody(api, []byte("{}")), "")
	if err != nil {
		s.fail(expected, "%v", err)
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		s.fail(expected, "HTTP %d", status)
	}
}

func (s *scenario) preflightDecode() {
	o := s.order()
	next := step{}
	var err error
	if next.http, err = s.user(0).try(http.MethodPost, s.cfg.Wallet.App, "/scan", object{"code": o.code}, &next); err != nil {
		s.fail("wallet.app answers POST "+s.cfg.Wallet.App+"/scan", "%v", err)
	}
	s.must(next.http != http.StatusNotFound, "wallet.app answers POST "+s.cfg.Wallet.App+"/scan", "%v", next)
	s.must(next.http != http.StatusUnauthorized, "users[0].header signs somebody in at wallet.app", "%v", next)
	v := s.view(o)
	if len(v.decodes) == 0 {
		_, problems := s.log.take()
		if len(problems) > 0 {
			s.fail("userInitiatedPay signed with wallet.keys[0] for wallet.clientId", "%s", problems[0].seen)
		}
		s.fail("userInitiatedPay at "+s.cfg.Alipay.BaseURL+" (alipay.baseUrl) for a scanned order code", "no call; POST /scan: %v", next)
	}
	s.must(v.customer == "" || v.customer == s.cfg.Users[0].ID, "customerId of users[0] in userInitiatedPay", "%q", v.customer)
}

// ErrFailed is the error of [Report.Err] if a check failed.
var ErrFailed = errors.New("accept: the wallet is not accepted")
