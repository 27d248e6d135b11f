package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

var (
	errReentered = errors.New("payment: OnChange, Ledger and Check must not change the payment that they are called for")
	errRemoteTx  = errors.New("payment: with a RemoteLedger a payment cannot change in a transaction of the caller: the ledger is called after the commit")
)

// insideKey marks the context of a running change.
type insideKey struct{ id string }

// undecided is an error of the host that says nothing about the payment,
// whatever result code it may hold: several causes never classify as a refusal
// (see alipayplus.Inbound.Handle).
type undecided struct {
	what string
	err  error
}

func (e *undecided) Error() string   { return "payment: " + e.what + ": " + e.err.Error() }
func (e *undecided) Unwrap() []error { return []error{e.err} }

// changeFailed is an error of OnChange.
type changeFailed struct{ undecided }

// debitRefused ends a transaction whose ledger refused a debit. It is no
// refusal itself: in a transaction of the caller nothing is recorded.
type debitRefused struct {
	id  string
	end Refused
}

func (e *debitRefused) Error() string {
	return "payment: the ledger refused, and the transaction must be rolled back: " + e.end.Code.Error()
}
func (e *debitRefused) Unwrap() []error { return []error{e.end.Code} }

// guard calls a function of the host. Its panic becomes an error, so that the
// transaction is rolled back, money that may have moved is asked for again, and
// Run goes on. The value may hold anything, so that only its type is shown.
func (s *Service) guard(ctx context.Context, id, what string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &undecided{what, fmt.Errorf("panic with a %T", v)}
			s.log.ErrorContext(ctx, "payment: alarm: panic", slog.String("paymentRequestId", id),
				slog.Any("error", err), slog.String("stack", string(debug.Stack())))
		}
	}()
	return call()
}
