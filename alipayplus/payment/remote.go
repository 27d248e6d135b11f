package payment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// remoteTimeout bounds the calls of a RemoteLedger that follow from one event,
// all together: a handler waits for them, and Alipay+ for the handler.
const remoteTimeout = 5 * time.Second

// recordTimeout bounds, beyond that, how long the database may take to record
// the answers. What is not recorded is asked for again.
const recordTimeout = 20 * time.Second

// again is the next look after some tries: 10, 20, 40 … seconds, at most 10
// minutes, longer than the calls of the ledger take.
func again(tries int) Resume {
	tries = max(tries, 0) // a stored number, which may be damaged
	wait := min(10*time.Second<<min(tries, 6), 10*time.Minute)
	return Resume{At: time.Now().Add(wait).UTC().Truncate(time.Microsecond), Tries: tries + 1}
}

// pursue calls the RemoteLedger for all that is due, each once, and records the
// answers. It goes on when the caller gives up, because money moves. What is
// not known stays due.
func (s *Service) pursue(ctx context.Context, r Record) Record {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteTimeout+recordTimeout)
	defer cancel()
	calls, cancelCalls := context.WithTimeout(ctx, remoteTimeout)
	defer cancelCalls()
	called := make(map[Effect]bool)
	for {
		var next Effect
		for _, effect := range r.Due() {
			if !called[effect] {
				next = effect
				break
			}
		}
		if next == nil || calls.Err() != nil {
			return r
		}
		called[next] = true
		end, err := s.call(calls, r, next)
		log := s.log.With(slog.String("paymentRequestId", r.PaymentRequestID))
		if err != nil {
			log.WarnContext(ctx, "payment: the ledger does not know the end yet; it is asked again", slog.Any("error", err))
			continue
		}
		after, err := s.change(ctx, r.PaymentRequestID, occurrence{event: end})
		if failed := (*changeFailed)(nil); errors.As(err, &failed) {
			log.ErrorContext(ctx, "payment: alarm: OnChange failed after money moved; it is called again", slog.Any("error", err))
			after, err = s.change(ctx, r.PaymentRequestID, occurrence{event: end, unseen: true})
		}
		if err != nil {
			log.ErrorContext(ctx, "payment: the end of a debit, void or credit is not recorded; the ledger is asked again", slog.Any("error", err))
			continue
		}
		r = after
	}
}

// call calls the RemoteLedger. An error means that the end is not known.
func (s *Service) call(ctx context.Context, r Record, effect Effect) (end Event, err error) {
	ledger := s.cfg.RemoteLedger
	err = s.guard(ctx, r.PaymentRequestID, "the ledger", func() error {
		switch d := effect.(type) {
		case Debit:
			at, err := ledger.Debit(ctx, r, d)
			if refused, ok := refusalOf(err); ok {
				refused.Attempt = d.Attempt
				end = refused
				return nil
			}
			if _, ok := alipayplus.TimeOf(at).Time(); !ok { // absent, or no message could tell it
				at = time.Now()
			}
			end = Debited{Attempt: d.Attempt, At: at}
			return err
		case Void:
			landed, err := ledger.Void(ctx, r, d)
			end = Debited{Attempt: d.Attempt, At: landed}
			if landed.IsZero() {
				end = Refused{Attempt: d.Attempt}
			}
			return err
		}
		credit := effect.(Credit) // nothing else is due
		end = Credited{Key: credit.Key}
		return ledger.Credit(ctx, r, credit)
	})
	return end, err
}
