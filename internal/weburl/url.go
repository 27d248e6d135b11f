// Package weburl judges URLs that come from the network: which texts are URLs
// of the web, which of those every program reads alike, and what a forgiving
// program would make of the others.
//
// A text that begins with http:// or https://, in any case, is a URL. It has a
// Problem, and must then match nothing and never be opened, if some program
// would go to another host or path than another program.
//
// A URL without a Problem has one form in which it is compared: scheme and host
// in lower case, no default port, and a slash after the host. In that form
// "starts with" is safe: a prefix always ends after its host.
//
// A blocklist, which must not be evaded, takes problems out instead of refusing
// them: see [Readings].
package weburl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// URL is an http or https URL. Without a Problem its other fields are set.
type URL struct {
	// Text is the URL in the form in which URLs are compared.
	Text string
	// Host is in lower case and without the port.
	Host string
	// Problem says why the URL must not be trusted or opened, "" if it may.
	Problem string

	origin int // length of scheme, host and port in Text
}

// Path is all that comes after the origin; it begins with a slash.
func (u *URL) Path() string { return u.Text[u.origin:] }

const (
	maxHost = 253

	problemHost     = "the URL's host is not a plain host name"
	problemUserInfo = "the URL has user-info"
	problemControl  = "the URL has control characters"
	problemSlash    = "the URL has a backslash"
	problemPort     = "the URL's port is not a number"
	problemDots     = "the URL's path has dot segments"
)

// Site is the host with the path: the URL without its scheme and port.
func (u *URL) Site() string {
	if start := schemeLength(u.Text); start+len(u.Host) == u.origin {
		return u.Text[start:]
	}
	return u.Host + u.Path()
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

// Parse reads text, which may be anything; ok is false if it does not begin
// with http:// or https://. It allocates only if the compared form differs from
// text.
func Parse(text string) (u URL, ok bool) {
	scheme := schemeLength(text)
	if scheme == 0 {
		return URL{}, false
	}
	if u.Problem = badCharacter(text); u.Problem != "" {
		return u, true
	}
	end := len(text)
	if i := strings.IndexAny(text[scheme:], "/?#"); i >= 0 {
		end = scheme + i
	}
	authority, rest := text[scheme:end], text[end:]
	if strings.IndexByte(authority, '@') >= 0 {
		u.Problem = problemUserInfo
		return u, true
	}
	host, port := authority, ""
	if i := strings.IndexByte(authority, ':'); i >= 0 {
		host, port = authority[:i], authority[i+1:]
	}
	if !IsHostName(host) {
		u.Problem = problemHost
		return u, true
	}
	if !isPort(port) {
		u.Problem = problemPort
		return u, true
	}
	if hasDotSegment(rest) {
		u.Problem = problemDots
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
		u.Text = text
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
		u.Text = b.String()
	}
	u.Host = u.Text[scheme : scheme+len(host)]
	return u, true
}

// badCharacter is the problem of a character at any place: one that programs
// drop, turn round or take for another one.
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
		if IsInvisible(r) {
			return problemControl
		}
	}
	return ""
}

// IsInvisible reports whether r is a control or format character, ends a line
// or is no character at all.
func IsInvisible(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// IsHostName accepts only ASCII: a name in another script is a different host
// that may look the same, and "%2e" is a dot to some programs and not to
// others. A dot at the end is refused because it makes another text of the same
// host.
func IsHostName(host string) bool {
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

// hasDotSegment reports whether the path in rest, a path with query and
// fragment, has a segment "." or "..", plain, percent-encoded or with a
// parameter after a semicolon: opened, it leads to another path than the one
// compared.
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

// equalFoldASCII is strings.EqualFold without its Unicode pairs: U+212A is no
// k.
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
