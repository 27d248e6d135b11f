package weburl

import (
	"encoding/binary"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Readings returns the URLs that code is to the most forgiving programs, in the
// form in which URLs are compared, for a blocklist: there, a match too many is
// better than one too few. They drop invisible characters, take backslashes for
// slashes and any number of slashes for two, forget user-info, write the host
// in ASCII, resolve dot segments, and some decode the path.
func Readings(code string) (all []string) {
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		if IsInvisible(r) {
			return -1
		}
		return r
	}, code))
	for _, text := range []string{text, compatible(text)} {
		colon := strings.IndexByte(text, ':')
		if colon < 0 || !equalFoldASCII(text[:colon], "http") && !equalFoldASCII(text[:colon], "https") {
			continue
		}
		rest, query := strings.TrimLeft(text[colon+1:], `/\`), ""
		if i := strings.IndexAny(rest, "?#"); i >= 0 {
			rest, query = rest[:i], strings.ReplaceAll(rest[i:], `\`, "/")
		}
		authority, rest, _ := strings.Cut(strings.ReplaceAll(rest, `\`, "/"), "/")
		origin := text[:colon] + "://" + forgivingAuthority(authority)
		for _, rest := range []string{encodedPath.Replace(rest), decoded(rest)} {
			u, isURL := Parse(origin + resolveDots(rest) + query)
			if isURL && u.Problem == "" && !slices.Contains(all, u.Text) {
				all = append(all, u.Text)
			}
		}
	}
	return all
}

// decoded returns text with its percent-encoded characters decoded, or text
// itself if it has an escape that is none.
func decoded(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// forgivingAuthority returns the host in ASCII, with the port if it is one.
func forgivingAuthority(authority string) string {
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	host, port, _ := strings.Cut(decoded(authority), ":")
	host = strings.TrimRight(strings.ToLower(compatible(host)), ".")
	if !isASCII(host) {
		host = punycodeHost(host)
	}
	if address, ok := ipv4(host); ok {
		host = address
	}
	if port != "" && isPort(port) {
		host += ":" + port
	}
	return host
}

// ipv4 reads an IP address as browsers and the C library do: 127.1, 0x7f000001
// and 2130706433 are 127.0.0.1.
func ipv4(host string) (address string, ok bool) {
	parts := strings.Split(host, ".")
	var all, size uint64 = 0, 0 // the address so far, and its bits
	for i, part := range parts {
		bits := uint64(8)
		if i == len(parts)-1 {
			bits = 32 - size // the last part fills what is left
		}
		n, err := strconv.ParseUint(part, 0, 32) // with 0x and 0, as in C
		if err != nil || i > 3 || strings.ContainsAny(part, "_bo") || n >= 1<<bits {
			return "", false
		}
		all, size = all<<bits|n, size+bits
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(all)))).String(), true
}

// resolveDots returns a path without its first slash, with its dot segments
// resolved, also those with a parameter after a semicolon.
func resolveDots(text string) string {
	segments := strings.Split(text, "/")
	for i, s := range segments {
		if name, _, _ := strings.Cut(s, ";"); name == "." || name == ".." {
			segments[i] = name
		}
	}
	last := segments[len(segments)-1]
	resolved := path.Clean("/" + strings.Join(segments, "/"))
	if (last == "" || last == "." || last == "..") && resolved != "/" {
		resolved += "/"
	}
	return resolved
}
