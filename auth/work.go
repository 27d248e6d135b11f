package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// batch is how many tokens one Work looks at.
const batch = 100

// A worker has a notice for lease, and sends for at most sending, so that no
// other one sends it at the same time.
const (
	lease   = 2 * time.Minute
	sending = 90 * time.Second
)

// Work does what is due: it deletes codes, erases what is sealed and of no more
// use, and delivers notifications of authNotify by c, one after the other. Call
// it every few seconds, in as many processes as you like:
//
//	for range time.Tick(5 * time.Second) {
//		if _, err := service.Work(ctx, client); err != nil {
//			log.Print(err)
//		}
//	}
//
// done counts the tokens that were looked at; 100 means that there may be more.
// A notification that Alipay+ does not acknowledge is no error: it is repeated
// unchanged by Config.Schedule and never changes its token. One that gets an F,
// or whose schedule ends, is parked, with an alarm (level ERROR) on
// Config.Logger; see Resend. An error is the first one of a store, or ctx's; what
// could not be done is due again.
func (s *Service) Work(ctx context.Context, c *alipayplus.Client) (done int, err error) {
	if c == nil {
		return 0, errors.New("auth: Work needs a Client")
	}
	due, err := s.cfg.Tokens.DueTokens(ctx, now(), batch)
	if s.cfg.Codes != nil {
		if failure := s.cfg.Codes.DeleteCodes(ctx, now()); err == nil {
			err = failure
		}
	}
	for _, t := range due {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		failure := s.work(ctx, c, t)
		if err == nil && !errors.Is(failure, ErrConflict) && !errors.Is(failure, ErrNotFound) {
			err = failure // and go on: one bad record must not hold up the others
		}
		done++
	}
	return done, err
}

// work does what is due of one token. ErrConflict: somebody else does it.
func (s *Service) work(ctx context.Context, c *alipayplus.Client, t Token) error {
	at := now()
	changed := t.erase(at)
	deliver := t.take(at, at.Add(lease))
	if !changed && !deliver {
		return nil
	}
	t.Version++
	if err := s.cfg.Tokens.SaveToken(ctx, t); err != nil {
		return err
	}
	if !deliver {
		return nil
	}
	failure := s.deliver(ctx, c, &t)
	if err := ctx.Err(); err != nil && failure != nil {
		return err // stopped, not refused: the lease will end
	}
	after, err := s.update(ctx, t.ID, func(current *Token) (bool, error) {
		return current.delivered(&t.Notice, now(), s.cfg.Schedule, failure), nil
	})
	if err != nil {
		return err
	}
	if failure != nil {
		s.report(ctx, &after, failure)
	}
	return nil
}

func (s *Service) deliver(ctx context.Context, c *alipayplus.Client, t *Token) error {
	m, err := s.openNotice(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	return c.Deliver(ctx, m)
}

// report logs a delivery that failed.
func (s *Service) report(ctx context.Context, t *Token, failure error) {
	attrs := []slog.Attr{
		slog.String("token", t.ID),
		slog.String("referenceAgreementId", t.Grant.ReferenceAgreementID),
		slog.Int("tries", t.Notice.Tries),
		slog.Any("error", failure),
	}
	if t.Notice.State == NoticeParked {
		s.log.LogAttrs(ctx, slog.LevelError, "auth: alarm: Alipay+ does not know of this token: a notification is parked", attrs...)
		return
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "auth: a notification is not acknowledged yet", attrs...)
}

// Resend has Work deliver a parked notification again, unchanged, after its
// cause was mended. It takes the ID of the Token and changes nothing if none is
// parked.
func (s *Service) Resend(ctx context.Context, id string) error {
	_, err := s.update(ctx, id, func(t *Token) (bool, error) { return t.resend(now()), nil })
	return err
}
