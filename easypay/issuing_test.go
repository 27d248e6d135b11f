package easypay_test

import (
	"context"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// issuing is a way to issue the token of a payment with consent.
type issuing struct {
	name   string
	within func(context.Context, *wallet, *tables, string, auth.Grant) error // in the transaction of the debit
	after  func(context.Context, *wallet) error                              // after it, and every few seconds
}

// In the transaction, and after it.
var (
	issueInTransaction = issuing{
		name: "Issue, in the debit's transaction",
		within: func(ctx context.Context, w *wallet, _ *tables, _ string, g auth.Grant) error {
			_, err := w.tokens.Issue(ctx, g)
			return err
		},
	}
	issueAfterwards = issuing{
		name: "Issue, after the debit and again until it is done",
		within: func(_ context.Context, _ *wallet, t *tables, id string, g auth.Grant) error {
			t.Due[id] = g
			return nil
		},
		after: func(ctx context.Context, w *wallet) error {
			for id, g := range w.view().Due {
				if _, err := w.tokens.Issue(ctx, g); err != nil {
					return err
				}
				if err := w.done(ctx, id); err != nil {
					return err
				}
			}
			return nil
		},
	}
)

func (w *wallet) done(ctx context.Context, id string) error {
	return w.transaction(ctx, func(_ context.Context, t *tables) error { delete(t.Due, id); return nil })
}
