package codeid

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// carelessURL is code as the most forgiving program would read it, for a blocklist: there, a match too many is better than
// one too few. It drops invisible characters, takes backslashes for slashes and any number of slashes for two, forgets
// user-info, decodes the host and resolves dot segments. ok is false if even so it is no http or https URL.
func carelessURL(code string) (plain string, ok bool) {
	text := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, code)
	text = strings.TrimSpace(text)
	colon := strings.IndexByte(text, ':')
	if colon < 0 || !equalFoldASCII(text[:colon], "http") && !equalFoldASCII(text[:colon], "https") {
		return "", false
	}
	scheme, rest := text[:colon], text[colon+1:]
	rest = strings.TrimLeft(rest, `/\`)
	query := ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest, query = rest[:i], rest[i:]
	}
	rest = strings.ReplaceAll(rest, `\`, "/")
	query = strings.ReplaceAll(query, `\`, "/")
	authority, path, _ := strings.Cut(rest, "/")
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if host, err := url.PathUnescape(authority); err == nil {
		authority = host
	}
	host, port, _ := strings.Cut(authority, ":")
	host = strings.TrimRight(host, ".")
	if port != "" && isPort(port) {
		host += ":" + port
	}
	return scheme + "://" + host + resolveDots(path) + query, true
}

// resolveDots is path, without its first slash, with its dot segments resolved. Percent-encoded dots and slashes count.
func resolveDots(path string) string {
	var kept []string
	segments := strings.Split(encodedPath.Replace(path), "/")
	for i, s := range segments {
		name, _, _ := strings.Cut(s, ";")
		switch name {
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		case ".":
		default:
			kept = append(kept, s)
			continue
		}
		if i == len(segments)-1 {
			kept = append(kept, "") // "/a/.." is "/", not ""
		}
	}
	return "/" + strings.Join(kept, "/")
}
