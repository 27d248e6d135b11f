package codeid

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// refresh is a refresh that ended before its caller gave up.
type refresh struct{ err error }

// Refresh asks Alipay+ for the rules now. Callers at the same time share one
// call; each of them stops waiting when its own ctx is done. The same version
// keeps the set in use; another one replaces it, at once for all, after every
// rule was checked. Whatever fails, the set in use stays; a set that could not
// be written to Config.File is used all the same and written by a later
// refresh.
func (i *Identifier) Refresh(ctx context.Context) error {
	before := i.ended.Load()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case i.turn <- struct{}{}:
	}
	defer func() { <-i.turn }()
	if last := i.ended.Load(); last != before { // one has ended while this call waited
		return last.err
	}
	err := i.refresh(ctx)
	if err == nil || ctx.Err() == nil {
		i.ended.Store(&refresh{err})
	}
	if err != nil {
		i.notLoaded(ctx, SourceRemote, err)
	}
	return err
}

// refresh runs in one goroutine at a time.
func (i *Identifier) refresh(ctx context.Context) error {
	var info alipayplus.Info
	answer, err := i.config.Operation.Call(ctx, i.config.Client, &InquiryCodeRulesRequest{}, alipayplus.WithInfo(&info))
	if err != nil {
		return err
	}
	next := state{source: SourceRemote, confirmed: time.Now()}
	old := i.state.Load()
	if old != nil && old.source == SourceRemote && answer.Version != "" && answer.Version == old.set.Version() {
		next.set = old.set
		i.state.Store(&next)
	} else {
		body := []byte(info.Body.Reveal())
		if next.set, err = i.accept(body); err != nil {
			return err
		}
		i.use(ctx, next)
		if i.config.File != "" {
			i.unsaved = body
		}
	}
	i.save(ctx)
	return nil
}

// save writes the set in use to Config.File, if it is not there yet.
func (i *Identifier) save(ctx context.Context) {
	if i.unsaved == nil {
		return
	}
	if err := writeFile(i.config.File, i.unsaved, i.config.Rules.maxBytes()); err != nil {
		i.log.WarnContext(ctx, "codeid: the rule set cannot be written to Config.File", slog.Any("error", err))
		return
	}
	i.unsaved = nil
}

// Run keeps the rules up to date until ctx is done, and returns ctx's error. It
// refreshes within every Interval, at a random time in the last tenth, so that
// many processes do not ask at once; after a failure, or when the set in use
// did not come from Alipay+, after RetryInterval at the latest.
func (i *Identifier) Run(ctx context.Context) error {
	failures := 0
	if i.Status().Source != SourceRemote {
		failures = 1
	}
	for {
		timer := time.NewTimer(i.pause(failures))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if i.Refresh(ctx) == nil {
			failures = 0
		} else {
			failures++
		}
	}
}

// pause returns the time until the next refresh, after so many failures in a
// row.
func (i *Identifier) pause(failures int) time.Duration {
	if failures == 0 {
		return i.config.Interval - rand.N(i.config.Interval/10+1) //nolint:gosec // no secret, just spread
	}
	limit := min(max(time.Hour, i.config.RetryInterval), i.config.Interval)
	d := i.config.RetryInterval
	for ; failures > 1 && d < limit; failures-- {
		d *= 2
	}
	d = min(d, limit)
	return d - rand.N(d/2+1) //nolint:gosec // no secret, just spread
}
