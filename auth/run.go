package auth

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	runEvery = 20 * time.Second
	batch    = 100
)

// Run deletes authorization codes and erases what is sealed when its time is
// over, until ctx ends; then it returns ctx's error. Run it in at least one
// process; any number may. It looks about every 20 seconds. After an error of
// the database it logs an alarm and goes on later. Without Run everything
// works, but sealed texts stay.
func (s *Service) Run(ctx context.Context) error {
	failures := 0
	for {
		full, err := s.erase(ctx)
		wait := runEvery
		switch {
		case err != nil && ctx.Err() == nil:
			failures = min(failures+1, 5)
			s.log.ErrorContext(ctx, "auth: alarm: codes and sealed texts cannot be erased; Run tries again", slog.Any("error", err))
		case full:
			wait = time.Second
		}
		if err == nil {
			failures = 0
		}
		wait <<= failures
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// erase does what is due. full: there may be more. The error is the first one;
// one bad record does not hold up the others.
func (s *Service) erase(ctx context.Context) (full bool, err error) {
	at := now()
	deleted, err := s.cfg.Stores.DeleteCodes(ctx, at, batch)
	ids, failure := s.cfg.Stores.TokensToErase(ctx, at, batch)
	err = first(err, failure)
	for _, id := range ids {
		_, failure := s.update(ctx, id, func(t *Token) (*messages, error) {
			if !t.erase(at) {
				return nil, nil //nolint:nilnil // another process was faster
			}
			return new(messages), nil
		})
		if !errors.Is(failure, ErrNotFound) {
			err = first(err, failure)
		}
	}
	return deleted >= batch || len(ids) >= batch, err
}

func first(err, next error) error {
	if err != nil {
		return err
	}
	return next
}
