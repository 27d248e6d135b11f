package codeid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Config is what Open needs. Fields without "required" may stay zero.
type Config struct {
	// Client calls Alipay+, required.
	Client *alipayplus.Client
	// Operation is InquiryCodeRules at another path; nil means InquiryCodeRules.
	Operation *alipayplus.Outbound[InquiryCodeRulesRequest, InquiryCodeRulesResponse]
	// File keeps the last good rule set for the next start. It is replaced
	// atomically and only by another set; Open fails if its directory does not
	// exist. "" keeps none.
	File string
	// Preset is the body of an inquiryCodeRules response that is part of the
	// application, the last resort.
	Preset []byte
	// Minimum is the worst source that Open accepts; SourceNone means
	// SourcePreset: any.
	Minimum Source

	// Interval is the longest time between two refreshes by Run; 0 means 24
	// hours, which is also the largest: Alipay+ wants to be asked at least once
	// a day.
	Interval time.Duration
	// RetryInterval is the longest time until Run tries again after a failure; 0
	// means a minute. It doubles with every further failure, up to an hour.
	RetryInterval time.Duration

	// Rules settle how rules are evaluated.
	Rules RuleOptions
	// Remote decides what the rules cannot; nil means that such codes are not
	// supported.
	Remote Remote
	// Logger gets each rule set that comes into use (level INFO, or WARN if some
	// of its rules are skipped), each that could not be loaded (WARN) or written
	// to File (WARN), and alarms (ERROR): a refresh failed and the set in use is
	// over two days old. It never gets a code value. nil means slog.Default().
	Logger *slog.Logger
}

// Identifier identifies codes with the rules of Alipay+ and keeps those up to
// date. It is safe for concurrent use. It owns no goroutine: refreshing goes on
// as long as the application runs Run.
type Identifier struct {
	config Config
	log    *slog.Logger
	state  atomic.Pointer[state]

	turn    chan struct{}           // holds a token while a refresh is running
	ended   atomic.Pointer[refresh] // the last refresh that came to its own end
	unsaved []byte                  // the body of the set in use until it is in Config.File; belongs to the refresh
}

// state is the rule set in use, with its history.
type state struct {
	set       *Ruleset
	source    Source
	confirmed time.Time
}

// Open checks cfg and loads a rule set from Alipay+, else from Config.File,
// else from Config.Preset: the first that works. Sources below Config.Minimum
// are not tried. If there is no set in the end, Open fails with all the
// reasons, and the application should not start.
func Open(ctx context.Context, cfg Config) (*Identifier, error) {
	const day = 24 * time.Hour
	cfg.Operation = cmp.Or(cfg.Operation, InquiryCodeRules)
	cfg.Interval = cmp.Or(cfg.Interval, day)
	cfg.RetryInterval = cmp.Or(cfg.RetryInterval, time.Minute)
	cfg.Minimum = cmp.Or(cfg.Minimum, SourcePreset)
	switch {
	case cfg.Client == nil:
		return nil, errors.New("codeid: no Client")
	case cfg.Interval < 0 || cfg.Interval > day:
		return nil, errors.New("codeid: Interval is not within 24 hours")
	case cfg.RetryInterval < 0 || cfg.RetryInterval > cfg.Interval:
		return nil, errors.New("codeid: RetryInterval is not within Interval")
	case cfg.Minimum > SourceRemote:
		return nil, errors.New("codeid: Minimum is no Source")
	}
	if cfg.File != "" { // who finds out at the next outage has no rules then
		if info, err := os.Stat(filepath.Dir(cfg.File)); err != nil {
			return nil, fmt.Errorf("codeid: File cannot be kept: %w", err)
		} else if !info.IsDir() {
			return nil, errors.New("codeid: File cannot be kept: it is in no directory")
		}
	}
	i := &Identifier{config: cfg, log: cfg.Logger, turn: make(chan struct{}, 1)}
	if i.log == nil {
		i.log = slog.Default()
	}
	err := i.Refresh(ctx)
	if err == nil {
		return i, nil
	}
	failed := fmt.Errorf("from Alipay+: %w", err)
	if cfg.File != "" && cfg.Minimum <= SourceFile {
		if err = i.restore(ctx, SourceFile); err == nil {
			return i, nil
		}
		failed = errors.Join(failed, fmt.Errorf("from the file: %w", err))
	}
	if len(cfg.Preset) > 0 && cfg.Minimum <= SourcePreset {
		if err = i.restore(ctx, SourcePreset); err == nil {
			return i, nil
		}
		failed = errors.Join(failed, fmt.Errorf("from the preset: %w", err))
	}
	if len(cfg.Preset) == 0 && cfg.Minimum <= SourcePreset {
		failed = fmt.Errorf("%w\n(Config.Preset would let Open start without Alipay+)", failed)
	}
	return nil, fmt.Errorf("codeid: no rule set: %w", failed)
}

// restore loads a set that this process did not get from Alipay+, for Open:
// nobody else has the Identifier yet.
func (i *Identifier) restore(ctx context.Context, source Source) error {
	body, confirmed := i.config.Preset, time.Time{}
	var err error
	if source == SourceFile {
		body, confirmed, err = readFile(i.config.File, i.config.Rules.maxBytes())
	}
	var set *Ruleset
	if err == nil {
		set, err = i.accept(body)
	}
	if err != nil {
		i.notLoaded(ctx, source, err)
		return err
	}
	i.use(ctx, state{set, source, confirmed})
	return nil
}

// accept parses a set and refuses a half-bad one: then the set is broken, or
// this version of the SDK too old for it, and the set before it is better.
func (i *Identifier) accept(body []byte) (*Ruleset, error) {
	set, err := ParseRuleset(body, i.config.Rules)
	if err != nil {
		return nil, err
	}
	if len(set.Skipped()) >= set.Len() {
		return nil, fmt.Errorf("%w: at least half of its rules cannot be used", ErrRuleset)
	}
	return set, nil
}

// use puts another set in use.
func (i *Identifier) use(ctx context.Context, next state) {
	i.state.Store(&next)
	level, skipped := slog.LevelInfo, len(next.set.Skipped())
	if skipped > 0 { // somebody should look at them
		level = slog.LevelWarn
	}
	i.log.Log(ctx, level, "codeid: another rule set is in use", slog.String("source", next.source.String()),
		slog.String("version", next.set.Version()), slog.Int("rules", next.set.Len()), slog.Int("skipped", skipped))
}

// notLoaded logs why there is no set from source, unless the caller gave up.
func (i *Identifier) notLoaded(ctx context.Context, source Source, err error) {
	const days = 48 * time.Hour
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	level, message := slog.LevelWarn, "codeid: a rule set cannot be loaded"
	s := i.Status()
	if s.Source != SourceNone && s.Age > days {
		level, message = slog.LevelError, "codeid: alarm: the rules are over two days old, and others cannot be loaded"
	}
	i.log.Log(ctx, level, message, slog.String("source", source.String()), slog.Any("error", err),
		slog.String("inUse", s.Source.String()), slog.String("version", s.Version))
}

// errNotLoaded is the error of an Identifier that Open did not make.
var errNotLoaded = unknown("no rule set was loaded")

// Identify says what to do with a code value, as scanned. ctx is for the
// Remote.
//
// A nil error means that the question is answered, be it with "not supported".
// Errors wrap an alipayplus.Result: F PARAM_ILLEGAL for what cannot be a code;
// U UNKNOWN_EXCEPTION if there is no answer now, because the Remote failed. Ask
// again then; it does not mean "not supported".
func (i *Identifier) Identify(ctx context.Context, code string) (Identification, error) {
	id, err := Identification{Rule: NoRule}, errNotLoaded
	if s := i.state.Load(); s != nil {
		id, err = s.set.Identify(code)
	}
	if err == nil && i.config.Remote != nil && (id.NeedsRemote || id.Untrusted) {
		id, err = askRemote(ctx, i.config.Remote, Clean(code), id)
	}
	return id, err
}
