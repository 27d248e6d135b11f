package codeid

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// Kind is the kind of a list entry; its text is the word in a list file.
type Kind string

const (
	// KindExact is a whole code value.
	KindExact Kind = "exact"
	// KindPrefix is the beginning of code values, in upper and lower case as
	// written. A prefix that begins with http:// or https:// is one of URLs:
	// scheme, host and port must be equal, in any case, and what follows them in
	// the code begins with what follows them in the prefix.
	KindPrefix Kind = "prefix"
	// KindHost is the host of http and https URLs, with any port:
	// "pay.example.com" is this host alone, "*.example.com" is example.com and
	// all hosts below it. A path after it, "pay.example.com/m/", is the
	// beginning of the URL's path, in upper and lower case as written.
	KindHost Kind = "host"
	// KindGUID is the globally unique identifier of a merchant account template
	// of an EMVCo code (field 00 in one of 26 to 51), as written:
	// "A0000006150001".
	KindGUID Kind = "guid"
	// KindRegexp is a regular expression, in Go's syntax, of the whole code. It
	// has at most 512 bytes and sees codes of up to 512 characters.
	KindRegexp Kind = "regexp"
	// KindFunc is a function of the application, Entry.Func; Value names it. It
	// cannot be in a file.
	KindFunc Kind = "func"
)

// Entry is one entry of a List.
type Entry struct {
	Kind  Kind
	Value string
	// Func reports whether a code value, as Clean returns it, belongs to the
	// list, only for KindFunc. It must be safe for concurrent use.
	Func func(code string) bool
}

// Format prints the kind, and the value unless it is a whole code, for every
// verb.
func (e Entry) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.text()) }

// LogValue returns what Format prints, for log/slog.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.text()) }

func (e Entry) text() string {
	if e.Kind == KindExact {
		return string(e.Kind) + " [redacted]"
	}
	return string(e.Kind) + " " + e.Value
}

// ListError says which entry of a list is wrong, and why. It does not quote the
// entry.
type ListError struct {
	// Line is the line in the file, or the place among the values, from 1.
	Line int
	// Reason says what is wrong.
	Reason string
}

// Error says which line is wrong, and why, without quoting it.
func (e *ListError) Error() string { return fmt.Sprintf("codeid: line %d: %s", e.Line, e.Reason) }

// List is a set of entries. It is immutable and safe for concurrent use. A
// search costs some look-ups in a map, one for each different length of
// prefixes; regular expressions and functions are tried one by one. All regular
// expressions together may have a size of about 5,000 characters, counters
// written out.
type List struct {
	exact     prefixSet           // for its lengths
	exactURLs map[string]struct{} // those of exact that are written in another form than URLs are compared in
	texts     prefixSet
	urls      prefixSet // in the form in which URLs are compared
	hosts     prefixSet // host and path
	domains   prefixSet // host and path, with the hosts below
	guids     map[string]struct{}
	anyGUIDs  map[string]string // by their lower case
	regexps   []listRegexp
	funcs     []Entry

	compiler patternCompiler // of regexps
}

type listRegexp struct {
	text    string
	pattern *pattern
}

// NewList makes a list of values. The error is a [*ListError].
func NewList(entries ...Entry) (*List, error) {
	l := newList()
	for i, e := range entries {
		if err := l.add(e); err != nil {
			return nil, &ListError{i + 1, err.Error()}
		}
	}
	l.done()
	return l, nil
}

func newList() *List {
	return &List{
		exact:     newPrefixSet(),
		exactURLs: map[string]struct{}{},
		texts:     newPrefixSet(),
		urls:      newPrefixSet(),
		hosts:     newPrefixSet(),
		domains:   newPrefixSet(),
		guids:     map[string]struct{}{},
		anyGUIDs:  map[string]string{},
		compiler:  patternCompiler{left: maxCodeRegexes},
	}
}

// add adds an entry. One that can never match is an error.
func (l *List) add(e Entry) error {
	switch {
	case e.Value == "":
		return errors.New("an entry without a value")
	case !utf8.ValidString(e.Value):
		return errors.New("not UTF-8")
	case longer(e.Value, maxCode):
		return errors.New("longer than any code")
	case (e.Func != nil) != (e.Kind == KindFunc):
		return errors.New("a function belongs to an entry of kind func, and only there")
	}
	switch e.Kind {
	case KindExact:
		if Clean(e.Value) != e.Value {
			return errors.New("begins with a byte order mark or ends with a blank, which codes lose")
		}
		l.exact.add(e.Value, 0)
		if u, isURL := weburl.Parse(e.Value); isURL && u.Problem == "" && u.Text != e.Value {
			l.exactURLs[u.Text] = struct{}{}
		}
	case KindPrefix:
		p, err := parsePrefix(e.Value)
		switch {
		case err != nil:
			return err
		case p.isURL:
			l.urls.add(p.text, 0)
		default:
			l.texts.add(p.text, 0)
		}
	case KindHost:
		text, below := strings.CutPrefix(e.Value, "*.")
		host, _, _ := strings.Cut(text, "/")
		u, _ := weburl.Parse("https://" + text)
		switch {
		case u.Problem != "" || len(host) != len(u.Host):
			return errors.New("not a host name with an optional path")
		case below:
			l.domains.add(u.Site(), len(u.Host))
		default:
			l.hosts.add(u.Site(), len(u.Host))
		}
	case KindGUID:
		if utf8.RuneCountInString(e.Value) > 95 {
			return errors.New("longer than any GUID")
		}
		l.guids[e.Value] = struct{}{}
		l.anyGUIDs[strings.ToLower(e.Value)] = e.Value
	case KindRegexp:
		r, err := l.compiler.golang(e.Value)
		if err != nil {
			return err
		}
		l.regexps = append(l.regexps, listRegexp{e.Value, r})
	case KindFunc:
		l.funcs = append(l.funcs, e)
	default:
		return errors.New("unknown kind of entry; the kinds are exact, prefix, host, guid and regexp")
	}
	return nil
}

// done makes l ready for searches, after the last add.
func (l *List) done() {
	l.texts.indexStarts()
	l.urls.indexStarts()
}

// find looks for a clean code: among the texts first, then the GUIDs, then the
// functions. A forgiving search, for a blocklist, also finds what another
// program would take the code for: see readings, and GUIDs in any case and with
// a wrong checksum.
func (l *List) find(code string, forgiving bool) (Entry, bool) {
	if e, ok := l.findText(code); ok {
		return e, true
	}
	if forgiving {
		for _, text := range weburl.Readings(code) {
			if _, ok := l.exactURLs[text]; ok {
				return Entry{Kind: KindExact}, true
			}
			if e, ok := l.findText(text); ok {
				return e, true
			}
		}
	}
	if len(l.guids) > 0 {
		if c, err := emvqr.Parse(code); err == nil || c != nil && forgiving {
			if e, ok := l.findGUID(c, forgiving); ok {
				return e, true
			}
		}
	}
	for _, f := range l.funcs {
		if f.Func(code) {
			return Entry{Kind: KindFunc, Value: f.Value}, true
		}
	}
	return Entry{}, false
}

// findText looks for a text among the exact values, then the prefixes and
// hosts, then the regular expressions.
func (l *List) findText(text string) (Entry, bool) {
	if l.exact.has(text) {
		return Entry{Kind: KindExact}, true
	}
	if u, isURL := weburl.Parse(text); !isURL {
		if p, ok := l.texts.longest(text, 0); ok {
			return Entry{Kind: KindPrefix, Value: p}, true
		}
	} else if u.Problem == "" {
		if e, ok := l.findURL(&u); ok {
			return e, true
		}
	}
	if len(l.regexps) > 0 && !isLong(text) {
		for _, r := range l.regexps {
			if r.pattern.match(text) {
				return Entry{Kind: KindRegexp, Value: r.text}, true
			}
		}
	}
	return Entry{}, false
}

func (l *List) findURL(u *weburl.URL) (Entry, bool) {
	if p, ok := l.urls.longest(u.Text, 0); ok {
		return Entry{Kind: KindPrefix, Value: p}, true
	}
	if len(l.hosts.entries)+len(l.domains.entries) == 0 {
		return Entry{}, false
	}
	site := u.Site()
	if p, ok := l.hosts.longest(site, len(u.Host)); ok {
		return Entry{Kind: KindHost, Value: hostEntry(p, u.Host)}, true
	}
	for host := u.Host; ; {
		if p, ok := l.domains.longest(site[len(u.Host)-len(host):], len(host)); ok {
			return Entry{Kind: KindHost, Value: "*." + hostEntry(p, host)}, true
		}
		var found bool
		if _, host, found = strings.Cut(host, "."); !found {
			return Entry{}, false
		}
	}
}

// hostEntry returns the entry of a host, without the slash if it has no path.
func hostEntry(site, host string) string {
	if len(site) == len(host)+1 {
		return host
	}
	return site
}

func (l *List) findGUID(c *emvqr.Code, forgiving bool) (Entry, bool) {
	for _, t := range c.Templates() {
		guid := t.Fields.Find(0)
		if guid == "" || !t.IsAccount() {
			continue
		}
		if _, ok := l.guids[guid]; ok {
			return Entry{Kind: KindGUID, Value: guid}, true
		}
		if entry, ok := l.anyGUIDs[strings.ToLower(guid)]; ok && forgiving {
			return Entry{Kind: KindGUID, Value: entry}, true
		}
	}
	return Entry{}, false
}

// prefixSet is a set of prefixes, with their different lengths. Most searches
// find nothing: the start that all prefixes have at least tells which lengths
// to try.
type prefixSet struct {
	entries map[string]struct{}
	lengths []int             // ascending
	starts  map[string]uint64 // of the smallest length: bit n is lengths[n], the last one also all above; nil: try all
}

func newPrefixSet() prefixSet { return prefixSet{entries: map[string]struct{}{}} }

// add adds a prefix; its first skip bytes do not count for its length.
func (s *prefixSet) add(prefix string, skip int) {
	s.entries[prefix] = struct{}{}
	n := len(prefix) - skip
	if i, found := slices.BinarySearch(s.lengths, n); !found {
		s.lengths = slices.Insert(s.lengths, i, n)
	}
}

// has reports whether text itself is one of the prefixes.
func (s *prefixSet) has(text string) bool {
	if _, found := slices.BinarySearch(s.lengths, len(text)); !found {
		return false
	}
	_, ok := s.entries[text]
	return ok
}

// indexStarts makes starts, after the last add with a skip of 0.
func (s *prefixSet) indexStarts() {
	s.starts = map[string]uint64{}
	for prefix := range s.entries {
		i, _ := slices.BinarySearch(s.lengths, len(prefix))
		s.starts[prefix[:s.lengths[0]]] |= 1 << min(i, 63)
	}
}

// longest returns the longest prefix of text, of those with this skip.
func (s *prefixSet) longest(text string, skip int) (prefix string, ok bool) {
	if len(s.lengths) == 0 || len(text) < skip+s.lengths[0] {
		return "", false
	}
	try := ^uint64(0)
	if s.starts != nil {
		try = s.starts[text[:s.lengths[0]]]
	}
	for i, n := range slices.Backward(s.lengths) {
		if try>>min(i, 63)&1 == 1 && skip+n <= len(text) {
			if _, ok := s.entries[text[:skip+n]]; ok {
				return text[:skip+n], true
			}
		}
	}
	return "", false
}
