package weburl

import (
	"net/netip"
	"strings"
)

const maxHost = 253

// isPlain reports whether host consists of labels of ASCII letters, digits,
// hyphens and underscores, divided by dots. A name in another script is a
// different host that may look the same, and "%2e" is a dot to some programs
// and not to others. A dot at the end is refused because it makes another text
// of the same host.
func isPlain(host string) bool {
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

// isName reports whether host is a host name as DNS has them: plain, without
// underscores, each label of at most 63 characters and without a hyphen at its
// ends, and no IP address.
func isName(host string) bool {
	if !isPlain(host) || strings.Contains(host, "_") || isIP(host) {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// isIP reports whether host is an IP address in a form that some resolver
// takes: also 2130706433, 127.1, 0x7f.1 and, with a dot at its end, 127.0.0.1.
// Such names end in a number, which no name of DNS does.
func isIP(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || strings.Contains(host, ":") {
		return true
	}
	host = strings.TrimSuffix(host, ".")
	last := lower(host[strings.LastIndexByte(host, '.')+1:])
	return strings.HasPrefix(last, "0x") || isDigits(last)
}

// isLoopback reports whether host is this machine: localhost, or an address
// that is written out.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return equalFoldASCII(host, "localhost") || err == nil && ip.IsLoopback()
}

// within reports whether host is domain or a name below it.
func within(host, domain string) bool {
	host = lower(host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// isPort reports whether port is a number of at most five digits, or "".
func isPort(port string) bool { return len(port) <= 5 && isDigits(port) }

func isDigits(text string) bool { return strings.Trim(text, digits) == "" }
