// Package hostname knows host names of URLs that come from the network.
package hostname

import (
	"net/netip"
	"strings"
)

// IsIP reports whether name is an IP address in a form that some resolver takes:
// also 2130706433, 127.1, 0x7f.1 and, with a dot behind it, 127.0.0.1.
func IsIP(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, ":") {
		return true
	}
	name = strings.TrimSuffix(name, ".")
	last := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	return strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == ""
}
