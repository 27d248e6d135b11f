package codeid

import (
	"context"
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

// Hooks observe an [Identifier]. They run on the goroutine of the call, must
// return soon and must not refresh. Unset hooks are skipped. No code value
// reaches them.
type Hooks struct {
	// Loaded ends every attempt to get a rule set.
	Loaded func(ctx context.Context, l Loading)
	// Identified ends every Identify. The identification has no RedirectURL.
	Identified func(ctx context.Context, id Identification, err error)
}

// Loading is one attempt to get a rule set.
type Loading struct {
	Source Source
	Took   time.Duration
	// Err says why the set was not taken; the one before it stays in use.
	Err error
	// FileErr says why a set that was taken could not be written to Config.File.
	FileErr error
	// Version is the version of the set, Changed says that it is now in use
	// instead of another one (or of none).
	Version string
	Changed bool
	// Rules is the number of rules in use; Skipped lists those that are not,
	// which somebody should look at.
	Rules   int
	Skipped []SkippedRule
}
