package codeid

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// Kind is the kind of a list entry; its text is the word in a list file.
type Kind string

const (
	// KindExact is a whole code value.
	KindExact Kind = "exact"
	// KindPrefix is the beginning of code values, in upper and lower case as
	// written. A prefix that begins with http:// or https:// is one of URLs:
	// scheme, host and port must be equal, in any case, and the rest begins with
	// the rest.
	KindPrefix Kind = "prefix"
	// KindHost is the host of http and https URLs, with any port:
	// "pay.example.com" is this host alone, "*.example.com" is example.com and
	// all hosts below it. A path behind it, "pay.example.com/m/", is the
	// beginning of the URL's path, in upper and lower case as written.
	KindHost Kind = "host"
	// KindGUID is the globally unique identifier of a merchant account template
	// of an EMVCo code (field 00 in one of 26 to 51), as written:
	// "A0000006150001".
	KindGUID Kind = "guid"
	// KindRegexp is a regular expression, in Go's syntax, of the whole code. It
	// may have 512 bytes and sees codes of up to 512 characters.
	KindRegexp Kind = "regexp"
	// KindFunc is a function of the application, Entry.Func; Value names it. It
	// cannot stand in a file.
	KindFunc Kind = "func"
)

// Entry is one entry of a List.
type Entry struct {
	Kind  Kind
	Value string
	// Func reports whether a code value belongs to the list, only for KindFunc.
	// It must be safe for concurrent use.
	Func func(code string) bool
}

// Format prints the kind, and the value unless it is a whole code, for every
// verb.
func (e Entry) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.text()) }

// LogValue is what Format prints, for log/slog.
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

func (e *ListError) Error() string { return fmt.Sprintf("codeid: line %d: %s", e.Line, e.Reason) }

// List is a set of entries. It is immutable and safe for concurrent use. The
// time to search it hardly depends on the number of entries, except for regular
// expressions and functions, which are tried one by one. All regular expressions
// together may have a size of about 5,000 characters, counters written out.
type List struct {
	exact   table[struct{}]
	texts   textPrefixes
	urls    prefixSet // by origin
	hosts   prefixSet // by host
	domains prefixSet // by host, with the hosts below it
	guids   table[struct{}]
	regexps []listRegexp
	funcs   []Entry
}

type listRegexp struct {
	pattern string
	*regex
}

// NewList makes a list of values. The error is a *ListError.
func NewList(entries ...Entry) (*List, error) {
	b := newListBuilder()
	for i, e := range entries {
		if err := b.add(e); err != nil {
			return nil, &ListError{i + 1, err.Error()}
		}
	}
	return b.list(), nil
}

type listBuilder struct {
	l                          List
	exact, guids               map[string]struct{}
	texts, urls, hosts, domain []prefixEntry
	regexps                    regexCompiler
}

func newListBuilder() *listBuilder {
	return &listBuilder{
		exact:   map[string]struct{}{},
		guids:   map[string]struct{}{},
		regexps: regexCompiler{left: maxCodeRegexes},
	}
}

func (b *listBuilder) add(e Entry) error {
	switch {
	case e.Value == "":
		return errors.New("an entry without a value")
	case !utf8.ValidString(e.Value):
		return errors.New("not UTF-8")
	case len(e.Value) > MaxCode && utf8.RuneCountInString(e.Value) > MaxCode:
		return errors.New("longer than any code")
	case (e.Func != nil) != (e.Kind == KindFunc):
		return errors.New("a function belongs to an entry of kind func, and only there")
	}
	switch e.Kind {
	case KindExact:
		b.exact[e.Value] = struct{}{}
	case KindPrefix:
		p, err := parsePrefix(e.Value)
		if err != nil {
			return err
		}
		list := &b.texts
		if p.isURL {
			list = &b.urls
		}
		*list = append(*list, prefixEntry{p.key, p.rest, 0})
	case KindHost:
		text, below := strings.CutPrefix(e.Value, "*.")
		host, _, _ := strings.Cut(text, "/")
		u, _ := parseURL("https://" + text)
		if u.problem != "" || !isHostName(host) {
			return errors.New("not a host name with an optional path")
		}
		list := &b.hosts
		if below {
			list = &b.domain
		}
		*list = append(*list, prefixEntry{u.host, u.path(), 0})
	case KindGUID:
		if utf8.RuneCountInString(e.Value) > 95 {
			return errors.New("longer than any GUID")
		}
		b.guids[e.Value] = struct{}{}
	case KindRegexp:
		r, err := b.regexps.compile(e.Value, false)
		if err != nil {
			return err
		}
		b.l.regexps = append(b.l.regexps, listRegexp{e.Value, r})
	case KindFunc:
		b.l.funcs = append(b.l.funcs, e)
	default:
		return errors.New("unknown kind of entry; the kinds are exact, prefix, host, guid and regexp")
	}
	return nil
}

func (b *listBuilder) list() *List {
	b.l.exact, b.l.guids = newTable(b.exact), newTable(b.guids)
	b.l.texts = newTextPrefixes(b.texts)
	b.l.urls, b.l.hosts, b.l.domains = newPrefixSet(b.urls), newPrefixSet(b.hosts), newPrefixSet(b.domain)
	return &b.l
}

// find looks for code: first among the exact values, then the prefixes and hosts, the GUIDs, the regular expressions and
// the functions. A careless list also recognises URLs that are written to be mistaken for another one; see carelessURL.
func (l *List) find(code string, careless bool) (Entry, bool) {
	if _, ok := l.exact.get(code); ok {
		return Entry{Kind: KindExact}, true
	}
	u, isURL := parseURL(code)
	if careless && (!isURL || u.problem != "") {
		if plain, ok := carelessURL(code); ok {
			u, isURL = parseURL(plain)
		}
	}
	if isURL && u.problem == "" {
		if e, ok := l.findURL(&u); ok {
			return e, true
		}
	} else if !isURL {
		if n := l.texts.longest(code); n > 0 {
			return Entry{Kind: KindPrefix, Value: code[:n]}, true
		}
	}
	if len(l.guids.entries) > 0 && !isURL {
		var emv emvqr.Code
		if emv.Parse(code) == nil {
			for tag := emv.NextTemplate(0); tag != 0; tag = emv.NextTemplate(tag + 1) {
				guid := emv.Template(tag).Find(0)
				if _, ok := l.guids.get(guid); ok {
					return Entry{Kind: KindGUID, Value: guid}, true
				}
			}
		}
	}
	if len(l.regexps) > 0 && !isLong(code) {
		for i := range l.regexps {
			if l.regexps[i].matches(code) {
				return Entry{Kind: KindRegexp, Value: l.regexps[i].pattern}, true
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

func (l *List) findURL(u *webURL) (Entry, bool) {
	path := u.path()
	if item := l.urls.find(u.text[:u.origin], path); item != nil {
		return Entry{Kind: KindPrefix, Value: u.text[:u.origin+len(item.rest)]}, true
	}
	if item := l.hosts.find(u.host, path); item != nil {
		return Entry{Kind: KindHost, Value: hostEntry("", u.host, item.rest)}, true
	}
	if len(l.domains.items) == 0 {
		return Entry{}, false
	}
	for domain := u.host; ; {
		if item := l.domains.find(domain, path); item != nil {
			return Entry{Kind: KindHost, Value: hostEntry("*.", domain, item.rest)}, true
		}
		var found bool
		if _, domain, found = strings.Cut(domain, "."); !found {
			return Entry{}, false
		}
	}
}

func hostEntry(start, host, path string) string {
	if path == "/" {
		path = ""
	}
	return start + host + path
}
