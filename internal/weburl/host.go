// Package weburl holds every rule about URLs and host names that come from the
// network or from a configuration. Rules are texts to be read after the name of
// the member, "is not https"; "" means that none is broken. None quotes a URL.
package weburl

import (
	"net"
	"net/netip"
	"strings"
)

// Lower is host in lower case. Only ASCII letters change: U+212A, the sign of the
// kelvin, is no k.
func Lower(host string) string {
	lower := []byte(host)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// SameHost reports whether a and b are one host name, or one host name and port.
func SameHost(a, b string) bool { return Lower(a) == Lower(b) }

// Within reports whether host is domain or a name below it.
func Within(host, domain string) bool {
	host, domain = Lower(host), Lower(domain)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// IsName reports whether host is a plain ASCII name: labels of letters, digits
// and hyphens, divided by dots, and no IP address.
func IsName(host string) bool {
	if host == "" || len(host) > 253 || IsIP(host) {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// IsIP reports whether host is an IP address in a form that some resolver takes:
// also 2130706433, 127.1, 0x7f.1 and, with a dot at its end, 127.0.0.1.
func IsIP(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || strings.Contains(host, ":") {
		return true
	}
	host = strings.TrimSuffix(host, ".")
	last := Lower(host[strings.LastIndexByte(host, '.')+1:])
	return strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == ""
}

// IsLoopback reports whether host is this machine: localhost, or an address that
// is written out.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return SameHost(host, "localhost") || err == nil && ip.IsLoopback()
}

// HostPort is entry, "name" or "name:port", in lower case and with a port; 443 if
// it names none. It reports false for everything else.
func HostPort(entry string) (hostPort string, ok bool) {
	name, port, err := net.SplitHostPort(entry)
	if err != nil {
		name, port = entry, "443"
	}
	if !IsName(name) || port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	return net.JoinHostPort(Lower(name), port), true
}
