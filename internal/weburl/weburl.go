package weburl

import (
	"net"
	"net/url"
	"strings"
)

// maxLength is how many characters a URL may have.
const maxLength = 2048

// Public checks a URL that somebody else gave and that a user or this machine
// will open: absolute, https, with a host that is no IP address, without
// user-info; plain ASCII, so that all programs read it alike.
func Public(raw string) (rule string) {
	u, rule := parse(raw)
	switch {
	case rule != "":
		return rule
	case u.Scheme != "https":
		return "is not https"
	}
	if rule = brokenHost(u); rule == "" && IsIP(u.Hostname()) {
		return "names an IP address"
	}
	return rule
}

// parse reads raw if it consists of characters that URLs consist of.
func parse(raw string) (u *url.URL, rule string) {
	switch {
	case raw == "":
		return nil, "is missing"
	case len(raw) > maxLength:
		return nil, "is longer than 2048 characters"
	}
	for i := range len(raw) {
		switch c := raw[i]; {
		case c <= ' ' || c == 0x7f:
			return nil, "has a blank or a control character"
		case c > 0x7f:
			return nil, "has a character that is not ASCII"
		case c == '\\':
			return nil, "has a backslash"
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, "is no URL"
	}
	return u, ""
}

// brokenHost is the rule that the host of u breaks.
func brokenHost(u *url.URL) (rule string) {
	switch {
	case u.Opaque != "" || u.Hostname() == "":
		return "has no host"
	case u.User != nil || strings.Contains(u.Host, "@"):
		return "has user-info"
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > 0x7f }): // was percent-encoded
		return "has a character that is not ASCII"
	}
	return ""
}

// IsHTTPS reports whether raw is an absolute URL that a message may hold: https,
// or http on this machine.
func IsHTTPS(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname()))
}

// IsOpenable reports whether raw may be opened in a WebView: http or https, with
// a host, without user-info, blanks and control characters.
func IsOpenable(raw string) bool {
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] == 0x7f {
			return false
		}
	}
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// Origin reads scheme and host of a gateway: https, or http for a loopback host,
// and nothing else but a slash.
func Origin(raw string) (origin *url.URL, rule string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "is no URL"
	case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
		return nil, "must be https (http for a loopback host only)"
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, "must be an origin, scheme and host alone: each API has its own path"
	case !IsName(u.Hostname()) && !IsIP(u.Hostname()):
		return nil, "has a host that is no host name"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, ""
}

// Notify says where notifications may go: to the exact origin of the gateway, to
// https on port 443 of alipayplus.com and the names below it, and to Hosts.
type Notify struct {
	Gateway *url.URL
	Hosts   map[string]bool // as HostPort makes them
}

// Check reads raw. The rule of a host that is not allowed names that host, which
// is a plain name then: to add it is the configuration's affair.
func (n Notify) Check(raw string) (u *url.URL, rule string) {
	u, rule = parse(raw)
	if rule == "" {
		rule = brokenHost(u)
	}
	if rule != "" {
		return nil, rule
	}
	target := u.RequestURI()
	if u.Path == "" { // sent as "/"
		u.Path, target = "/", strings.TrimPrefix(target, "/")
	}
	switch {
	case strings.Contains(raw, "#"):
		return nil, "has a fragment"
	case !strings.HasSuffix(raw, target): // and would not be signed as it stands
		return nil, "has a path that would not be sent as it stands"
	case u.Scheme == n.Gateway.Scheme && SameHost(u.Host, n.Gateway.Host):
		return u, ""
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "443"
	}
	name := host
	if port != "443" {
		name = net.JoinHostPort(host, port)
	}
	switch {
	case u.Scheme != "https":
		return nil, "is not https"
	case IsIP(host):
		return nil, "names an IP address"
	case !IsName(host):
		return nil, "has a host that is no host name"
	case n.Hosts[net.JoinHostPort(Lower(host), port)]:
		return u, ""
	case !Within(host, "alipayplus.com"):
		return nil, "names the host " + name + ", which is not allowed; if it is Alipay+'s, add it to ClientConfig.NotifyHosts"
	case port != "443":
		return nil, "names a port other than 443 at " + host
	}
	return u, ""
}
