package codeid

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readings returns the URLs that code is to the most forgiving programs, in the
// form in which URLs are compared, for a blocklist: there, a match too many is
// better than one too few. They drop invisible characters, take backslashes for
// slashes and any number of slashes for two, forget user-info, write the host in
// ASCII, resolve dot segments, and some decode the path.
func readings(code string) (all []string) {
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		if isInvisible(r) {
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
		authority, path, _ := strings.Cut(strings.ReplaceAll(rest, `\`, "/"), "/")
		origin := text[:colon] + "://" + forgivingAuthority(authority)
		path = encodedPath.Replace(path)
		for _, path := range []string{path, decoded(path)} {
			u, isURL := parseURL(origin + resolveDots(path) + query)
			if isURL && u.problem == "" && !slices.Contains(all, u.text) {
				all = append(all, u.text)
			}
		}
	}
	return all
}

// decoded is text with its percent-encoded characters decoded, or text itself if
// it has an escape that is none.
func decoded(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// forgivingAuthority is the host in ASCII, with the port if it is one.
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
	if len(parts) > 4 {
		return "", false
	}
	var all uint64
	for i, part := range parts {
		if strings.Contains(part, "_") {
			return "", false
		}
		if part == "0x" {
			part = "0x0"
		}
		n, err := strconv.ParseUint(part, 0, 32) // with 0x and 0, as in C
		if err != nil || strings.HasPrefix(part, "0b") || strings.HasPrefix(part, "0o") {
			return "", false
		}
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts)) // the last part fills what is left
		}
		if n >= 1<<bits {
			return "", false
		}
		all = all<<bits | n
	}
	var quad []string
	for shift := 24; shift >= 0; shift -= 8 {
		quad = append(quad, strconv.Itoa(int(all>>shift&0xFF)))
	}
	return strings.Join(quad, "."), true
}

// resolveDots is path, without its first slash, with its dot segments resolved.
func resolveDots(path string) string {
	var kept []string
	segments := strings.Split(path, "/")
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

// punycodeHost writes the labels of host that are not ASCII in Punycode (RFC
// 3492), as in "xn--bcher-kva.example".
func punycodeHost(host string) string {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		if !isASCII(label) && len(label) <= maxHost {
			labels[i] = "xn--" + punycode([]rune(label))
		}
	}
	return strings.Join(labels, ".")
}

func punycode(label []rune) string {
	const base, low, high, skew, damp = 36, 1, 26, 38, 700
	var out []byte
	for _, r := range label {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(utf8.RuneSelf), 0, 72
	for done := basic; done < len(label); n++ {
		next := rune(utf8.MaxRune)
		for _, r := range label {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range label {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, low), high)
				if q < t {
					break
				}
				out = append(out, punycodeDigit(t+(q-t)%(base-t)))
				q = (q - t) / (base - t)
			}
			out = append(out, punycodeDigit(q))
			// Adapt the bias.
			if done == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			delta += delta / (done + 1)
			for bias = 0; delta > (base-low)*high/2; bias += base {
				delta /= base - low
			}
			bias += (base - low + 1) * delta / (delta + skew)
			delta = 0
			done++
		}
		delta++
	}
	return string(out)
}

func punycodeDigit(n int) byte { return (letters + digits)[n] }
