package codeid

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// maxCode is the largest number of characters of a code value that can be
// identified. (userInitiatedPay takes at most 512.)
const maxCode = 8_192

// Clean returns code without what a scanner adds to it: byte order marks in
// front; blanks, tabs and line ends (CR, LF) at the end. [Filter.Check] and the
// Identify methods clean the code themselves; clean it before, once, so that
// the same text is filtered, identified, sent to Alipay+ and digested.
func Clean(code string) string {
	return strings.TrimRight(strings.TrimLeft(code, "\ufeff"), " \t\r\n")
}

var (
	errNoCode     = badCode("the code value is empty")
	errLongCode   = badCode("the code value has more than 8,192 characters")
	errBrokenCode = badCode("the code value is not valid UTF-8")
)

// checkCode reports what cannot be a code value.
func checkCode(code string) error {
	switch {
	case code == "":
		return errNoCode
	case longer(code, maxCode):
		return errLongCode
	case !utf8.ValidString(code):
		return errBrokenCode
	}
	return nil
}

// longer reports whether text has more than n characters.
func longer(text string, n int) bool {
	return len(text) > n && utf8.RuneCountInString(text) > n
}

// badCode returns the error for what cannot be a code.
func badCode(message string) error {
	return fmt.Errorf("codeid: %s: %w", message,
		alipayplus.Result{Code: alipayplus.CodeParamIllegal, Status: alipayplus.StatusFailed, Message: message})
}

// unknown returns the error for a question that has no answer yet.
func unknown(message string) error {
	return fmt.Errorf("codeid: %s: %w", message,
		alipayplus.Result{Code: alipayplus.CodeUnknownException, Status: alipayplus.StatusUnknown, Message: message})
}
