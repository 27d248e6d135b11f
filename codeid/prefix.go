package codeid

import (
	"errors"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// prefix is the beginning of codes: of URLs, which are compared as such, or of
// other texts.
type prefix struct {
	isURL bool
	first byte   // of text, 0 for no condition
	text  string // of a URL: in the compared form; "" is no condition
}

func parsePrefix(text string) (p prefix, err error) {
	u, isURL := weburl.Parse(text)
	switch {
	case isURL && u.Problem != "":
		return p, errors.New("prefix that " + u.Problem)
	case isURL:
		return prefix{true, u.Text[0], u.Text}, nil
	case text == "":
		return p, errors.New("empty prefix")
	case strings.HasPrefix(text, "\ufeff"):
		return p, errors.New("prefix with a byte order mark, which codes lose")
	}
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(text) < len(scheme) && strings.EqualFold(text, scheme[:len(text)]) {
			return p, errors.New("prefix of all URLs")
		}
	}
	return prefix{false, text[0], text}, nil
}

// holds reports whether a code begins with p.
func (p *prefix) holds(v *view) bool {
	switch {
	case p.text == "":
		return true
	case p.isURL != v.isURL:
		return false
	case p.isURL:
		return strings.HasPrefix(v.url.Text, p.text)
	}
	return strings.HasPrefix(v.code, p.text)
}
