package codeid

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file judges URLs: which texts are URLs of the web, which of those every
// program reads alike, and whether one of them has another as its prefix.
//
// A text that begins with http:// or https://, in any case, is a URL and nothing
// else: no prefix of texts matches it. It has a problem, and then matches nothing
// and is never opened, if some program would go to another host or path than
// another program: see the problems below.
//
// A URL without a problem is compared in one form: scheme and host in lower case,
// no default port, and a slash after the host. In that form "starts with" is
// safe: a prefix always ends after its host.
//
// A blocklist, which must not be evaded, takes problems out instead of refusing
// them: see readings.

// webURL is an http or https URL.
type webURL struct {
	text    string // in that form
	origin  int    // length of scheme, host and port in text
	host    string // without the port
	problem string // why the URL must not be trusted or opened, "" if it may
}

// path is all that comes after the origin; it begins with a slash.
func (u *webURL) path() string { return u.text[u.origin:] }

const (
	maxHost = 253

	problemHost     = "the URL's host is not a plain host name"
	problemUserInfo = "the URL has user-info"
	problemControl  = "the URL has control characters"
	problemSlash    = "the URL has a backslash"
	problemPort     = "the URL's port is not a number"
	problemDots     = "the URL's path has dot segments"
)

// site is the host with the path: the URL without its scheme and port.
func (u *webURL) site() string {
	if start := schemeLength(u.text); start+len(u.host) == u.origin {
		return u.text[start:]
	}
	return u.host + u.path()
}

// schemeLength is the length of "http://" or "https://" if text begins with one
// of them in any case, else 0.
func schemeLength(text string) int {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(text) >= len(scheme) && equalFoldASCII(text[:len(scheme)], scheme) {
			return len(scheme)
		}
	}
	return 0
}

// parseURL reads text, which may be anything; ok is false if it does not begin
// with http:// or https://. It allocates only if the compared form differs from
// text.
func parseURL(text string) (u webURL, ok bool) {
	scheme := schemeLength(text)
	if scheme == 0 {
		return webURL{}, false
	}
	if u.problem = badCharacter(text); u.problem != "" {
		return u, true
	}
	end := len(text)
	if i := strings.IndexAny(text[scheme:], "/?#"); i >= 0 {
		end = scheme + i
	}
	authority, rest := text[scheme:end], text[end:]
	if strings.IndexByte(authority, '@') >= 0 {
		u.problem = problemUserInfo
		return u, true
	}
	host, port := authority, ""
	if i := strings.IndexByte(authority, ':'); i >= 0 {
		host, port = authority[:i], authority[i+1:]
	}
	if !isHostName(host) {
		u.problem = problemHost
		return u, true
	}
	if !isPort(port) {
		u.problem = problemPort
		return u, true
	}
	if hasDotSegment(rest) {
		u.problem = problemDots
		return u, true
	}
	if port == "443" && scheme == len("https://") || port == "80" && scheme == len("http://") {
		port = ""
	}
	kept := len(host)
	if port != "" {
		kept += 1 + len(port)
	}
	u.origin = scheme + kept
	if kept == len(authority) && isLowerASCII(text[:u.origin]) && strings.HasPrefix(rest, "/") {
		u.text = text
	} else {
		slash := "/"
		if strings.HasPrefix(rest, "/") {
			slash = ""
		}
		var b strings.Builder
		b.Grow(u.origin + len(slash) + len(rest))
		for i := range u.origin {
			b.WriteByte(lowerASCII(text[i]))
		}
		b.WriteString(slash)
		b.WriteString(rest)
		u.text = b.String()
	}
	u.host = u.text[scheme : scheme+len(host)]
	return u, true
}

// badCharacter is the problem of a character at any place: one that programs drop,
// turn round or take for another one.
func badCharacter(text string) string {
	ascii := true
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == 0x7f {
			return problemControl
		}
		if c == '\\' {
			return problemSlash
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return ""
	}
	for _, r := range text {
		if isInvisible(r) {
			return problemControl
		}
	}
	return ""
}

// isInvisible reports whether r is a control or format character, ends a line or
// is no character at all.
func isInvisible(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// isHostName accepts only ASCII: a name in another script is a different host
// that may look the same, and "%2e" is a dot to some programs and not to others. A
// dot at the end is refused because it makes another text of the same host.
func isHostName(host string) bool {
	if len(host) > maxHost {
		return false
	}
	label := 0 // length of the one so far
	for i := range len(host) {
		c := lowerASCII(host[i])
		if c == '.' && label > 0 {
			label = 0
			continue
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
		label++
	}
	return label > 0
}

func isPort(port string) bool {
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	return len(port) <= 5
}

// hasDotSegment reports whether the path in rest, a path with query and fragment,
// has a segment "." or "..", plain, percent-encoded or with a parameter after a
// semicolon: opened, it leads to another path than the one compared.
func hasDotSegment(rest string) bool {
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if strings.Contains(rest, "%") {
		rest = encodedPath.Replace(rest)
	}
	if !strings.Contains(rest, "/.") {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			return true
		}
	}
	return false
}

// encodedPath decodes the percent-encoded characters that some programs decode
// before they take a path apart.
var encodedPath = strings.NewReplacer("%2e", ".", "%2E", ".", "%2f", "/", "%2F", "/", "%5c", "/", "%5C", "/")

// urlPrefix is the beginning of codes: of URLs, or of other texts.
type urlPrefix struct {
	isURL bool
	text  string // in the compared form; "" is no condition
}

func (p *urlPrefix) holds(v *view) bool {
	switch {
	case p.text == "":
		return true
	case p.isURL != v.isURL:
		return false
	case p.isURL:
		return strings.HasPrefix(v.url.text, p.text)
	}
	return strings.HasPrefix(v.code, p.text)
}

func parsePrefix(text string) (p urlPrefix, err error) {
	u, isURL := parseURL(text)
	switch {
	case isURL && u.problem != "":
		return p, errors.New("prefix of URLs that are never accepted: " + u.problem)
	case isURL:
		return urlPrefix{true, u.text}, nil
	case text == "":
		return p, errors.New("empty prefix")
	case strings.HasPrefix(text, "\ufeff"):
		return p, errors.New("prefix with a byte order mark, which codes lose")
	}
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(text) < len(scheme) && equalFoldASCII(text, scheme[:len(text)]) {
			return p, errors.New("prefix of all URLs")
		}
	}
	return urlPrefix{false, text}, nil
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isLowerASCII(text string) bool {
	for i := range len(text) {
		if text[i] != lowerASCII(text[i]) {
			return false
		}
	}
	return true
}

// equalFoldASCII is strings.EqualFold without its Unicode pairs: U+212A is no k.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
