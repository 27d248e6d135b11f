package payment

import (
	"context"
	"errors"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Stage says what a [Check] is about.
type Stage string

// The stages of a Check.
const (
	StageEvaluation Stage = "evaluation" // would the account support the payment? nothing is stored
	StageOpen       Stage = "open"       // the payment is about to be stored; the user did not see it yet
	StageDebit      Stage = "debit"      // the user agreed and is about to be debited
)

// Check is what ServiceConfig.Check is asked about.
type Check struct {
	Stage  Stage
	Terms  Terms
	Record Record // at StageDebit: before the debit
	// Source and Proof are those of the Confirmation, at StageDebit of a scanned
	// code (Terms.CodeValueDigest is not empty then). They are absent for Easy
	// Pay and one-click payments: the verification page or the token has told
	// who pays.
	Source string
	Proof  alipayplus.Secret
}

func (s *Service) check(ctx context.Context, c Check) error {
	if s.cfg.Check == nil {
		return nil
	}
	id := c.Terms.PaymentRequestID
	return s.guard(ctx, id, "Check", func() error { return s.cfg.Check(context.WithValue(ctx, insideKey{id}, true), c) })
}

// asked is what Check said about a debit.
type asked struct {
	attempt int      // that it was asked about, 0 if e ordered none
	refused *Refused // nil: agreed
}

// errUnchecked: the event orders another debit than the one that Check was
// asked about, because the payment changed in between.
var errUnchecked = errors.New("payment: Check was not asked about this debit")

// checkDebit asks Check before e orders a debit. A refusal is returned to be
// recorded.
func (s *Service) checkDebit(ctx context.Context, id string, e Event, proof alipayplus.Secret) (record Record, a asked, err error) {
	switch e.(type) {
	case Confirmed, Verified:
	default:
		return Record{}, asked{}, nil
	}
	if s.cfg.Check == nil {
		return Record{}, asked{}, nil
	}
	if record, err = s.Find(ctx, id); err != nil {
		return record, asked{}, err
	}
	next, do, _ := record.On(e) // an error orders no debit; the transaction returns it
	for _, effect := range do {
		d, ok := effect.(Debit)
		if !ok {
			continue
		}
		a.attempt = d.Attempt
		err := s.check(ctx, Check{Stage: StageDebit, Terms: next.Terms, Record: record, Source: next.Source, Proof: proof})
		if err == nil {
			continue
		}
		end, ok := refusalOf(err)
		if !ok {
			return record, asked{}, &undecided{"Check", err}
		}
		a.refused = &end
	}
	return record, a, nil
}

// refusalOf is the refusal that err is wholly, also at the end of a chain of
// single %w.
func refusalOf(err error) (Refused, bool) {
	result, ok := alipayplus.RefusalOf(err)
	return Refused{Code: result.Code, Retry: errors.As(err, new(retryable))}, ok
}
