package weburl

import (
	"strings"
	"unicode/utf8"
)

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
