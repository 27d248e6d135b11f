package easypay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// The controls: hosts with a mistake that no test without a crash would show.
const (
	notifiesLater = "writes the notification after the commit"
	debitsOutside = "debits outside of the transaction, without a key"
)

// debitOutside books a debit whatever becomes of the transaction.
func (w *wallet) debitOutside(t *tables, effect payment.Effect) payment.Event {
	d, ok := effect.(payment.Debit)
	if !ok {
		return t.perform(effect)
	}
	key := w.db.newID()
	for _, t := range []*tables{w.db.committed, t} {
		t.Ledger[key] = -d.Amount.Minor
		t.Balances[d.CustomerID] -= d.Amount.Minor
	}
	return payment.Debited{Attempt: d.Attempt, At: time.Now()}
}

var (
	forgetsToIssue = issuing{
		name: "issues after the commit, once",
		within: func(_ context.Context, w *wallet, t *tables, id string, g auth.Grant) error {
			issue := func(ctx context.Context, w *wallet) error {
				w.issuing.after = nil
				_, err := w.tokens.Issue(ctx, g)
				return err
			}
			w.issuing.after = issue // in memory
			return nil
		},
	}
	unmarksFirst = issuing{
		name:   "takes the mark away and then issues",
		within: issueAfterwards.within,
		after: func(ctx context.Context, w *wallet) error {
			for id, g := range w.view().Due {
				if err := w.done(ctx, id); err != nil {
					return err
				}
				if _, err := w.tokens.Issue(ctx, g); err != nil {
					return err
				}
			}
			return nil
		},
	}
)

func TestCrashControls(t *testing.T) {
	for _, c := range []struct {
		way     issuing
		mistake string
		problem string
	}{
		{way: forgetsToIssue, problem: "Alipay+ knows 0 tokens"},
		{way: unmarksFirst, problem: "Alipay+ knows 0 tokens"},
		{way: issueInTransaction, mistake: notifiesLater, problem: "the notification of PR1 is lost"},
		{way: issueInTransaction, mistake: debitsOutside, problem: "150 was spent in 3 bookings"},
	} {
		name := c.way.name
		if c.mistake != "" {
			name = c.mistake
		}
		caught := ""
		for at, met := 0, true; met && caught == ""; at++ {
			for _, after := range []bool{false, true} {
				first := &crash{at: at, after: after}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, c.way)
					w.mistake = c.mistake
					w.life(first, never)
					for _, problem := range w.problems {
						if at == 0 {
							t.Errorf("%s: without a crash: %s", name, problem)
						} else if strings.Contains(problem, c.problem) {
							caught = fmt.Sprintf("at step %d, after it %t: %s", at, after, problem)
						}
					}
					w.problems = nil
				})
				if met = at == 0 || first.isDead(); at == 0 {
					break // it does not die
				}
			}
		}
		if caught == "" {
			t.Errorf("a host that %s is not caught", name)
		}
		t.Logf("a host that %s is caught %s", name, caught)
	}
}
