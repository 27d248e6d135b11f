// Package weburl holds every rule about URLs and hosts that come from outside.
//
// A rule that is broken is a text to be read after the name of what broke it,
// "is not https" or "has user-info"; "" means that none is broken. No rule
// quotes a URL.
//
// # Members and settings
//
// [Public], [IsHTTPS] and [IsOpenable] judge the URLs of messages, [Origin] the
// address of a gateway, and [Notify] where notifications may go. They read URLs
// with net/url.
//
// # Scanned texts
//
// [Parse] takes every text that begins with http:// or https://, in any case,
// for a URL. The URL has a Problem, and must then match nothing and never be
// opened, if some program would go to another host or path than another
// program.
//
// A URL without a Problem has one form in which it is compared: scheme and host
// in lower case, no default port, and a slash after the host. In that form
// "starts with" is safe: a prefix always ends after its host.
//
// A blocklist, which must not be evaded, takes problems out instead of refusing
// them: see [Readings].
package weburl

import (
	"net/url"
	"strings"
)

// The rules that have more than one place.
const (
	ruleHTTPS     = "is not https"
	ruleUserInfo  = "has user-info"
	ruleBackslash = "has a backslash"
	ruleHost      = "has a host that is no host name"
)

// maxLength is how many characters a URL may have.
const maxLength = 2048

// Public checks a URL that somebody else gave and that a user or this machine
// will open: absolute, https, with a host that is no IP address, without
// user-info; plain ASCII, so that all programs read it alike.
func Public(raw string) (rule string) {
	u, rule := strict(raw)
	switch {
	case rule != "":
		return rule
	case u.Scheme != "https":
		return ruleHTTPS
	case isIP(u.Hostname()):
		return "names an IP address"
	}
	return ""
}

// IsHTTPS reports whether raw is an absolute URL that a message may hold:
// https, or http on this machine.
func IsHTTPS(raw string) bool {
	u, rule := absolute(raw)
	return rule == "" && isSecure(u)
}

// IsOpenable reports whether raw may be opened in a WebView: http or https,
// with a host, without user-info, blanks and control characters.
func IsOpenable(raw string) bool {
	u, rule := absolute(raw)
	return rule == "" && u.User == nil && !strings.ContainsFunc(raw, isBlank)
}

// Origin reads scheme and host of a gateway: https, or http for a loopback
// host, and nothing else but a slash.
func Origin(raw string) (origin *url.URL, rule string) {
	u, rule := absolute(raw)
	switch {
	case rule != "":
		return nil, rule
	case !isSecure(u):
		return nil, "must be https (http for a loopback host only)"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, "must be an origin, scheme and host alone: each API has its own path"
	case !isName(u.Hostname()) && !isIP(u.Hostname()):
		return nil, ruleHost
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, ""
}

// isSecure reports whether u is https, or http on this machine.
func isSecure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

// absolute reads an http or https URL that has a host.
func absolute(raw string) (u *url.URL, rule string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "is no URL"
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, ruleHTTPS
	case u.Hostname() == "":
		return nil, "has no host"
	}
	return u, ""
}

// strict reads a URL that all programs read alike: it consists of the
// characters that URLs consist of, and has a host and no user-info.
func strict(raw string) (u *url.URL, rule string) {
	switch {
	case raw == "":
		return nil, "is missing"
	case len(raw) > maxLength:
		return nil, "is longer than 2048 characters"
	case strings.ContainsFunc(raw, isBlank):
		return nil, "has a blank or a control character"
	case !isASCII(raw):
		return nil, "has a character that is not ASCII"
	case strings.Contains(raw, `\`):
		return nil, ruleBackslash
	}
	u, rule = absolute(raw)
	switch {
	case rule != "":
		return nil, rule
	case u.User != nil || strings.Contains(u.Host, "@"):
		return nil, ruleUserInfo
	case !isASCII(u.Host): // it was percent-encoded
		return nil, "has a character that is not ASCII"
	}
	return u, ""
}

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f }
