package alipayplus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// RelayConfig is what [NewRelay] needs. Fields without "required" may stay
// zero.
type RelayConfig struct {
	Client *Client // required
	Queue  Queue   // required
	// Sealer opens sealed bodies (messages with tokens); required if a message
	// is sealed.
	Sealer *Sealer
	// Schedule says when a message is tried again, each wait at least a
	// millisecond; nil means the default.
	Schedule Schedule
	// Workers is how many messages are delivered at the same time; 0 means 8.
	Workers int
	// Poll is how often the queue is asked when nothing is due; 0 means a
	// second. A Queue with a method Ready is asked at once after a commit in
	// this process.
	Poll time.Duration
	// Logger gets an alarm (level ERROR) for each dead letter, and oddities,
	// never a secret; nil means slog.Default().
	Logger *slog.Logger
	// DeadLetter, if set, is called for each message that becomes a dead letter.
	DeadLetter func(ctx context.Context, d Delivery)
}

// Relay delivers the messages of a [Queue] to Alipay+: one attempt for each
// lease, again by the [Schedule], until Alipay+ acknowledges it with a verified
// S. What gets a verified F, and what is not acknowledged when the schedule
// ends, becomes a dead letter with an alarm: look at it, mend the cause and
// call Queue.Requeue. Neither changes a payment or a token. A message that
// cannot be read or opened raises an alarm at each try.
//
// Any number of processes may run a Relay on one queue. A message may be
// delivered twice after a crash, always with the same bytes, which Alipay+
// takes for one.
type Relay struct {
	cfg   RelayConfig
	woken chan struct{}
}

// The lease of a message is longer than an attempt takes, so that no two
// workers send it at the same time.
const leaseMargin = 10 * time.Second

// NewRelay checks cfg and returns a [Relay].
func NewRelay(cfg RelayConfig) (*Relay, error) {
	if cfg.Client == nil || cfg.Queue == nil {
		return nil, errors.New("alipayplus: a Relay needs a Client and a Queue")
	}
	if cfg.Workers < 0 || cfg.Poll < 0 {
		return nil, errors.New("alipayplus: Workers and Poll of a Relay cannot be negative")
	}
	if cfg.Schedule != nil && len(cfg.Schedule) == 0 {
		return nil, errors.New("alipayplus: the Schedule of a Relay has no wait: every message that is not acknowledged at once would be a dead letter")
	}
	for _, wait := range cfg.Schedule {
		if wait < time.Millisecond {
			return nil, fmt.Errorf("alipayplus: the Schedule of a Relay has a wait of %v; the least is a millisecond (10*time.Second is ten seconds)", wait)
		}
	}
	if cfg.Workers == 0 {
		cfg.Workers = 8
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Relay{cfg: cfg, woken: make(chan struct{}, 1)}, nil
}

// Wake makes Run look for due messages at once. Call it after a commit if the
// Queue has no method Ready: a merchant waits.
func (r *Relay) Wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// Run delivers until ctx ends. Then it lets running attempts end, which takes
// no longer than their time-out, and returns ctx's error.
func (r *Relay) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, r.cfg.Workers)
	for range r.cfg.Workers {
		free <- struct{}{}
	}
	var ready <-chan struct{}
	if q, ok := r.cfg.Queue.(interface{ Ready() <-chan struct{} }); ok {
		ready = q.Ready()
	}
	failures := 0
	for {
		// Lease no more than there are free workers: a message that waits for
		// one would use up its lease.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-free:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n := 1
		for more := true; more; {
			select {
			case <-free:
				n++
			default:
				more = false
			}
		}
		var due []Delivery
		// The end of ctx must not cut this off: what the queue leased, and nobody
		// heard of, would wait for the end of its lease.
		err := r.guard(context.WithoutCancel(ctx), leaseMargin, func(ctx context.Context) (err error) {
			due, err = r.cfg.Queue.Lease(ctx, n, longestAttempt+leaseMargin)
			return err
		})
		if err != nil && ctx.Err() == nil {
			failures = min(failures+1, 6)
			r.cfg.Logger.ErrorContext(ctx, "alipayplus: the relay cannot read its queue", slog.Any("error", err))
		} else if err == nil {
			failures = 0
		}
		for range n - min(n, len(due)) {
			free <- struct{}{}
		}
		for _, d := range due[:min(n, len(due))] {
			running.Go(func() {
				defer func() { free <- struct{}{} }()
				r.deliver(ctx, d)
			})
		}
		if len(due) > 0 {
			continue
		}
		wait := r.cfg.Poll << failures
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-ready:
		case <-r.woken:
		}
		timer.Stop()
	}
}

// longestAttempt bounds one delivery, whatever Message.Timeout says.
const longestAttempt = 20 * time.Second

// deliver makes one attempt and records its end.
func (r *Relay) deliver(ctx context.Context, d Delivery) {
	// The end of ctx stops Run, not a delivery that is under way: half a
	// delivery would cost a lease.
	ctx = context.WithoutCancel(ctx)
	log := r.cfg.Logger.With(slog.String("operation", d.Message.Operation), slog.String("key", d.Message.Key), slog.Int("tries", d.Tries))
	var e *Error
	err := r.attempt(ctx, d)
	end := End{State: EndAcknowledged, Code: CodeSuccess}
	if err != nil {
		end = End{}
		if errors.As(err, &e) {
			end.Code = e.Result.Code
		}
		var again bool
		if end.After, again = r.cfg.Schedule.Next(d.Tries, err); again {
			log.WarnContext(ctx, "alipayplus: a message is not acknowledged yet", slog.Any("error", err))
		} else {
			end.State = EndDead
			log.ErrorContext(ctx, "alipayplus: alarm: a message is not acknowledged; it is a dead letter now", slog.Any("error", err))
		}
	}
	finish := func(ctx context.Context) error { return r.cfg.Queue.Finish(ctx, d, end) }
	if err := r.guard(ctx, leaseMargin/2, finish); err != nil {
		// The lease ends by itself, and the message is delivered again.
		log.ErrorContext(ctx, "alipayplus: the end of a delivery cannot be recorded", slog.Any("error", err))
		return
	}
	if end.State == EndDead && r.cfg.DeadLetter != nil {
		d.Code, d.Lease = end.Code, ""
		_ = r.guard(ctx, leaseMargin, func(ctx context.Context) error {
			r.cfg.DeadLetter(ctx, d)
			return nil
		})
	}
}

// attempt sends the message once. What cannot be read is tried again, too: the
// key or the version that is missing here may come, or be in another process.
func (r *Relay) attempt(ctx context.Context, d Delivery) error {
	if d.Err != nil {
		r.cfg.Logger.ErrorContext(ctx, "alipayplus: alarm: a message of the outbox cannot be read", slog.Any("error", d.Err))
		return d.Err
	}
	message, err := r.cfg.Sealer.OpenMessage(d.Message)
	if err != nil {
		r.cfg.Logger.ErrorContext(ctx, "alipayplus: alarm: a message of the outbox cannot be opened", slog.Any("error", err))
		return err
	}
	return r.guard(ctx, longestAttempt, func(ctx context.Context) error {
		return r.cfg.Client.Deliver(ctx, message, WithRetry(NoRetry))
	})
}

// guard calls a function that runs the host's code, for at most the time d. A
// panic becomes an error: one message must not stop the others. The value may
// hold anything, so that only its type is shown.
func (r *Relay) guard(ctx context.Context, d time.Duration, call func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("alipayplus: panic with a %T in a relay", v)
			r.cfg.Logger.ErrorContext(ctx, "alipayplus: alarm: panic", slog.Any("error", err), slog.String("stack", string(debug.Stack())))
		}
	}()
	return call(ctx)
}
