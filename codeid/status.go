package codeid

import (
	"math"
	"time"
)

// Source says where a rule set came from. A better source is a greater value.
type Source uint8

const (
	// SourceNone: no rule set was loaded.
	SourceNone Source = iota
	// SourcePreset is Config.Preset.
	SourcePreset
	// SourceFile is Config.File.
	SourceFile
	// SourceRemote is Alipay+ itself.
	SourceRemote
)

// String returns "none", "preset", "file" or "remote".
func (s Source) String() string {
	return [...]string{"none", "preset", "file", "remote"}[min(s, SourceRemote)]
}

// Status describes the rule set in use.
type Status struct {
	// Source is where the set came from.
	Source Source
	// Version is the version of the set.
	Version string
	// Confirmed is when Alipay+ last gave this set to this process, or when
	// Config.File was written; zero for a preset.
	Confirmed time.Time
	// Age is the time since Confirmed; the largest Duration for a preset and for
	// none. Over two days it is an alarm: Alipay+ wants to be asked every day.
	Age time.Duration
	// Rules is the number of rules in use, Skipped lists the others.
	Rules   int
	Skipped []SkippedRule
}

// Status returns what Identify works with now.
func (i *Identifier) Status() Status {
	s := i.state.Load()
	if s == nil {
		return Status{Age: math.MaxInt64}
	}
	st := Status{
		Source: s.source, Version: s.set.Version(), Confirmed: s.confirmed, Age: math.MaxInt64,
		Rules: s.set.Len(), Skipped: s.set.Skipped(),
	}
	if !s.confirmed.IsZero() {
		st.Age = max(0, time.Since(s.confirmed))
	}
	return st
}
