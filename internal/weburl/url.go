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
	// Problem is the rule that the URL breaks and because of which it must not be
	// trusted or opened; "" if it may.
	Problem string

	origin int // length of scheme, host and port in Text
}

// Path returns all that comes after the origin; it begins with a slash.
func (u *URL) Path() string { return u.Text[u.origin:] }

// Site returns the host with the path: the URL without its scheme and port.
func (u *URL) Site() string {
	if start := schemeLength(u.Text); start+len(u.Host) == u.origin {
		return u.Text[start:]
	}
	return u.Host + u.Path()
}

// schemeLength returns the length of "http://" or "https://" if text begins
// with one of them in any case, else 0.
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
	host, port, _ := strings.Cut(authority, ":")
	switch {
	case strings.Contains(authority, "@"):
		u.Problem = ruleUserInfo
	case !isPlain(host):
		u.Problem = ruleHost
	case !isPort(port):
		u.Problem = "has a port that is no number"
	case hasDotSegment(rest):
		u.Problem = "has dot segments in its path"
	}
	if u.Problem != "" {
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

// badCharacter returns the rule about a character at any place: one that
// programs drop, turn round or take for another one.
func badCharacter(text string) (rule string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f:
			return "has control characters"
		case c == '\\':
			return ruleBackslash
		}
	}
	if !isASCII(text) && strings.ContainsFunc(text, IsInvisible) {
		return "has control characters"
	}
	return ""
}

// IsInvisible reports whether r is a control or format character, ends a line
// or is no character at all.
func IsInvisible(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
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
