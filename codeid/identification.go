package codeid

import (
	"encoding/json"
	"errors"
	"log/slog"
)

// Action says what to do with a code that Alipay+ supports. Its texts are those
// of postCodeMatchActionType.
type Action string

const (
	// ActionDecode: an order code. Send its value to userInitiatedPay.
	ActionDecode Action = "DECODE"
	// ActionOpenURL: an entry code. The app calls the client SDK's launch with
	// RedirectURL, UserAgent and ACDecodeConfig.
	ActionOpenURL Action = "OPEN_URL"
)

// NoRule is Identification.Rule if no rule decided.
const NoRule = -1

// Identification is what is known about a code. It is safe to print and to log:
// the code is not in it, and RedirectURL, which may contain the code, is a
// method. Compare with Equal.
type Identification struct {
	// Supported says that Alipay+ processes the code. If not, the MPP treats the
	// code by its own logic.
	Supported bool
	// Action is what to do with a supported code, "" for all others.
	Action Action
	// UserAgent goes with ActionOpenURL, "AlipayConnect" unless the rule names
	// another one.
	UserAgent string
	// ACDecodeConfig goes with ActionOpenURL. Only a Remote gives one; it may be
	// "".
	ACDecodeConfig string

	// NeedsRemote says that the rules alone cannot decide about the code: it is
	// supported if a Remote says so. From an Identifier with a Remote it comes
	// only with an error: the Remote gave no answer.
	NeedsRemote bool
	// Untrusted says that the rule that decided wants to be confirmed by the
	// server SDK (trust N, or a version that it requires). It was used because
	// there is no Remote to ask.
	Untrusted bool
	// Rule is the index in codeRules of the rule that decided, or NoRule.
	Rule int
	// Version is the version of the rule set.
	Version string
	// Reason explains the answer to a person, from a fixed set of texts.
	Reason string

	redirectURL *string // a pointer: fmt does not print what it points to
}

// RedirectURL returns the URL to open for ActionOpenURL: http or https, without
// user-info and control characters. It may contain the code: keep it out of
// logs. It is "" for all other codes.
func (id Identification) RedirectURL() string {
	if id.redirectURL == nil {
		return ""
	}
	return *id.redirectURL
}

// Equal reports whether id and other say the same, RedirectURL included. (With
// == two equal ones with a RedirectURL differ.)
func (id Identification) Equal(other Identification) bool {
	same := id.RedirectURL() == other.RedirectURL()
	id.redirectURL, other.redirectURL = nil, nil
	return same && id == other
}

// MarshalJSON fails if there is a RedirectURL, which may contain the code: take
// what you need, and RedirectURL by name. Without one it encodes the fields.
func (id Identification) MarshalJSON() ([]byte, error) {
	if id.RedirectURL() != "" {
		return nil, errors.New("codeid: an Identification has no JSON with its URL; encode what RedirectURL returns yourself")
	}
	return json.Marshal(printed(id))
}

// LogValue gives log/slog all but the RedirectURL.
func (id Identification) LogValue() slog.Value {
	id.redirectURL = nil
	return slog.AnyValue(printed(id))
}

// printed is an Identification without its methods.
type printed Identification
