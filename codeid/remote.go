package codeid

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// Remote identifies codes that the rules alone cannot decide about. A bridge to
// Alipay+'s Java SDK can be one.
type Remote interface {
	// IdentifyCode answers for one code value. Its error means that there is no
	// answer now.
	IdentifyCode(ctx context.Context, code alipayplus.Secret) (RemoteAnswer, error)
}

// RemoteAnswer is what a Remote says about a code.
type RemoteAnswer struct {
	// Supported says that Alipay+ processes the code.
	Supported bool
	// Action is what to do with a supported code.
	Action Action
	// RedirectURL, UserAgent and ACDecodeConfig go with ActionOpenURL. The URL
	// must be http or https without user-info and control characters; an empty
	// UserAgent means "AlipayConnect".
	RedirectURL    alipayplus.Secret
	UserAgent      string
	ACDecodeConfig string
}

// askRemote completes id, which the rules could not decide about.
func askRemote(ctx context.Context, r Remote, code string, id Identification) (Identification, error) {
	answer, err := r.IdentifyCode(ctx, alipayplus.Conceal(code))
	if err != nil {
		return undecided(id), &remoteError{err}
	}
	done := Identification{
		Rule:    id.Rule,
		Version: id.Version,
		Reason:  "the remote identifier says so",
	}
	switch {
	case !answer.Supported:
		return done, nil
	case answer.Action == ActionDecode:
	case answer.Action == ActionOpenURL:
		address := answer.RedirectURL.Reveal()
		u, isURL := weburl.Parse(address)
		if !isURL || u.Problem != "" || strings.ContainsFunc(answer.UserAgent, unicode.IsControl) {
			return undecided(id), errRemoteAnswer
		}
		done.redirectURL = &address
		done.UserAgent = cmp.Or(answer.UserAgent, defaultUserAgent)
		done.ACDecodeConfig = answer.ACDecodeConfig
	default:
		return undecided(id), errRemoteAnswer
	}
	done.Supported = true
	done.Action = answer.Action
	return done, nil
}

// undecided returns id without what the rules would have done.
func undecided(id Identification) Identification {
	return Identification{NeedsRemote: true, Rule: id.Rule, Version: id.Version, Reason: "the remote identifier gave no answer"}
}

var errRemoteAnswer = unknown("the remote identifier's answer cannot be used")

// remoteError does not show the text of its cause, which may contain the code.
type remoteError struct{ cause error }

var errRemote = unknown("the remote identifier failed")

func (e *remoteError) Error() string   { return errRemote.Error() }
func (e *remoteError) Unwrap() []error { return []error{errRemote, e.cause} }

// Format prints Error for every verb, so that none shows the cause.
func (e *remoteError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }
