package codeid

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// flight is one refresh and all who wait for it.
type flight struct {
	done chan struct{}
	err  error
	lost bool // its own caller gave up
}

// Refresh asks Alipay+ for the rules now. Callers at the same time share one
// call; each of them stops waiting when its own ctx is done. The same version
// keeps the set in use; another one replaces it, at once for all, after every
// rule was checked. Whatever fails, the set in use stays; a set that could not
// be written to Config.File is used all the same (see Loading.FileErr) and
// written by a later refresh.
func (i *Identifier) Refresh(ctx context.Context) error {
	var before *flight
	for first := true; ; first = false {
		i.mutex.Lock()
		if first {
			before = i.last
		} else if i.last != before { // one that began after this call has ended meanwhile
			defer i.mutex.Unlock()
			return i.last.err
		}
		f := i.flight
		if f == nil {
			f = &flight{done: make(chan struct{}), err: errors.New("codeid: the refresh panicked")}
			i.flight = f
			i.mutex.Unlock()
			return i.lead(ctx, f)
		}
		i.mutex.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.done:
			if !f.lost {
				return f.err
			}
		}
	}
}

// lead runs a refresh for all who wait for f.
func (i *Identifier) lead(ctx context.Context, f *flight) error {
	defer func() {
		f.lost = f.err != nil && ctx.Err() != nil
		i.mutex.Lock()
		i.flight = nil
		if !f.lost {
			i.last = f
		}
		i.mutex.Unlock()
		close(f.done)
	}()
	began := time.Now()
	l := Loading{Source: SourceRemote}
	f.err = i.refresh(ctx, &l)
	i.loaded(ctx, l, began, f.err)
	return f.err
}

// refresh runs in one goroutine at a time.
func (i *Identifier) refresh(ctx context.Context, l *Loading) error {
	var info alipayplus.Info
	answer, err := i.config.Operation.Call(ctx, i.config.Client, &InquiryCodeRulesRequest{}, alipayplus.WithInfo(&info))
	if err != nil {
		return err
	}
	next := state{source: SourceRemote, confirmed: time.Now()}
	old := i.state.Load()
	if old != nil && old.source == SourceRemote && answer.Version != "" && answer.Version == old.set.Version() {
		next.set = old.set
		l.Version, l.Rules, l.Skipped = next.set.Version(), next.set.Len(), next.set.Skipped()
	} else {
		if next.set, err = i.accept([]byte(info.Body.Reveal()), l); err != nil {
			return err
		}
		l.Changed = true
		i.unsaved = []byte(info.Body.Reveal())
	}
	i.state.Store(&next)
	if i.config.File == "" {
		i.unsaved = nil
	}
	if i.unsaved != nil {
		if l.FileErr = writeFile(i.config.File, i.unsaved, i.config.Rules.maxBytes()); l.FileErr == nil {
			i.unsaved = nil
		}
	}
	return nil
}

// Run keeps the rules up to date until ctx is done, and returns ctx's error. It
// refreshes within every Interval, at a random time in the last tenth, so that
// many processes do not ask at once; after a failure, or when the set in use did
// not come from Alipay+, after RetryInterval at the latest.
func (i *Identifier) Run(ctx context.Context) error {
	failures := 0
	switch s := i.state.Load(); {
	case s == nil:
		if i.Refresh(ctx) != nil {
			failures = 1
		}
	case s.source != SourceRemote:
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

// pause is the time until the next refresh, after so many failures in a row.
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
