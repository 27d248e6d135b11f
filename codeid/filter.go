package codeid

import "sync/atomic"

// Decision says who processes a code.
type Decision string

const (
	// DecisionIdentify: neither rejected nor the MPP's own; identify it.
	DecisionIdentify Decision = "identify"
	// DecisionLocal: the MPP processes the code by its own logic.
	DecisionLocal Decision = "local"
	// DecisionRejected: the MPP rejects the code.
	DecisionRejected Decision = "rejected"
)

// Lists are what a [Filter] works with. Nil lists are empty.
//
// The Alipay+ documents know two solutions. With an allowlist, a code that is
// local or in the allowlist is processed by the MPP; all others are identified.
// With a blocklist, a code in the blocklist is rejected, a local code is
// processed by the MPP; all others are identified. Fill in the lists of the
// solution that you use.
type Lists struct {
	// Block holds what is rejected. It takes a code as the most forgiving program
	// would: URLs that are written to be mistaken for another one
	// ("https://good.example@bad.example"), other spellings of a host, GUIDs in
	// any case.
	Block *List
	// Local recognises the MPP's own codes.
	Local *List
	// Allow is the allowlist: what the MPP keeps for itself besides its own
	// codes.
	Allow *List
}

// ListName names one of Lists.
type ListName string

// The lists of a Filter.
const (
	BlockList ListName = "blocklist"
	LocalList ListName = "local codes"
	AllowList ListName = "allowlist"
)

// Verdict is the answer of a [Filter], with the entry that decided.
type Verdict struct {
	Decision Decision
	// List is the list that the entry is in, "" for DecisionIdentify.
	List ListName
	// Kind is the kind of the entry that decided.
	Kind Kind
	// Entry is the entry's value, with scheme and host of a URL in lower case.
	// It is "" for KindExact: there the entry is the code itself.
	Entry string
}

// Filter decides whether a scanned code is the MPP's own business, before it is
// identified. Filters are safe for concurrent use; the zero Filter lets every
// code pass.
type Filter struct {
	lists atomic.Pointer[Lists]
}

// NewFilter makes a filter of lists.
func NewFilter(lists Lists) *Filter {
	f := new(Filter)
	f.Replace(lists)
	return f
}

// Replace replaces all lists at once, while the filter is in use.
func (f *Filter) Replace(lists Lists) { f.lists.Store(&lists) }

// Check decides about a code value: rejected if it is in Block, local if it is
// in Local or in Allow, else to be identified. A text that cannot be a code
// (over 8,192 characters) is in no list; identification refuses it.
func (f *Filter) Check(code string) Verdict {
	lists := f.lists.Load()
	if lists == nil || longer(code, maxCode) {
		return Verdict{Decision: DecisionIdentify}
	}
	code = Clean(code)
	for _, l := range [...]struct {
		list     *List
		name     ListName
		decision Decision
	}{
		{lists.Block, BlockList, DecisionRejected},
		{lists.Local, LocalList, DecisionLocal},
		{lists.Allow, AllowList, DecisionLocal},
	} {
		if l.list == nil {
			continue
		}
		if e, ok := l.list.find(code, l.decision == DecisionRejected); ok {
			return Verdict{l.decision, l.name, e.Kind, e.Value}
		}
	}
	return Verdict{Decision: DecisionIdentify}
}
