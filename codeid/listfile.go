package codeid

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// maxListLine is more than the longest entry takes.
const maxListLine = 64 << 10

// ReadList reads a list from r, one entry a line: a kind, blanks, and the
// value, which ends where the line ends. Blanks around the value do not belong
// to it. Empty lines, and lines that begin with #, are comments. Lines end with
// LF or CR LF.
//
//	# what we keep for ourselves
//	exact   28166604AbCdEf0123456789AbCdEf
//	prefix  https://pay.example.com/m/
//	prefix  EXW1
//	host    shop.example.com
//	host    *.example.net/qr/
//	guid    com.example.wallet
//	regexp  EXW[0-9]{12}
//
// The first line that is wrong ends the reading with a [*ListError], so that no
// list is shorter than its file: also a line with a control or invisible
// character or with CR alone, an entry that can never match, and a comment
// after an entry. An error of r is returned as it is.
func ReadList(r io.Reader) (*List, error) {
	l := newList()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxListLine)
	n := 0
	for lines.Scan() {
		n++
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if err := checkLine(text); err != nil {
			return nil, &ListError{n, err.Error()}
		}
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := l.addLine(text); err != nil {
			return nil, &ListError{n, err.Error()}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &ListError{n + 1, "longer than 64 KiB"}
	case err != nil:
		return nil, err
	}
	l.done()
	return l, nil
}

// checkLine refuses what an editor does not show, in comments as well: they may
// hide entries.
func checkLine(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("not UTF-8")
	}
	for _, r := range text {
		if r == '\r' {
			return errors.New("a CR that is not followed by LF")
		}
		if r != '\t' && weburl.IsInvisible(r) {
			return errors.New("a control or invisible character")
		}
	}
	return nil
}

func (l *List) addLine(text string) error {
	kind, value := text, ""
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		kind, value = text[:i], strings.TrimLeft(text[i:], " \t")
	}
	switch {
	case kind == string(KindFunc):
		return errors.New("a function cannot be in a file")
	case strings.Contains(value, " #"), strings.Contains(value, "\t#"):
		return errors.New("a comment must have a line of its own")
	}
	return l.add(Entry{Kind: Kind(kind), Value: strings.Clone(value)})
}
