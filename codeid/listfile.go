package codeid

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// maxListLine is more than the longest entry takes.
const maxListLine = 64 << 10

// ReadList reads a list from r, one entry a line: a kind, blanks, and the value,
// which ends where the line ends. Blanks around the value do not belong to it.
// Empty lines, and lines that begin with #, are comments.
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
// The first entry that is wrong ends the reading with a *ListError; an error of
// r is returned as it is.
func ReadList(r io.Reader) (*List, error) {
	b := newListBuilder()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxListLine)
	n := 0
	for lines.Scan() {
		n++
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := b.addLine(text); err != nil {
			return nil, &ListError{n, err.Error()}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &ListError{n + 1, "longer than 64 KiB"}
	case err != nil:
		return nil, err
	}
	return b.list(), nil
}

func (b *listBuilder) addLine(text string) error {
	kind, value := text, ""
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		kind, value = text[:i], strings.TrimLeft(text[i:], " \t")
	}
	if kind == string(KindFunc) {
		return errors.New("a function cannot stand in a file")
	}
	return b.add(Entry{Kind: Kind(kind), Value: value})
}
