package mpmtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// SDK plays the Alipay+ client SDK on one phone. Its functions are those that
// an app calls; the two that it calls in the app are fields. It is not safe for
// concurrent use.
type SDK struct {
	// Merchant is the world around the phone.
	Merchant *Merchant
	// Region is where the phone is, as its network and time zone say.
	Region string
	// Amount is what the user enters on a merchant's amount page.
	Amount alipayplus.Amount

	// Decode is the app's: take the code value to the backend, and run callback
	// when it is known what comes of it.
	Decode func(ctx context.Context, codeValue string, callback *Callback)
	// GetAuthCode is the app's, for merchants of the Chinese mainland: get an
	// authorization code from the backend. It returns the JSON
	// {"authCode":"…","authSuccessScopes":["…"],"authErrorScopes":[]}.
	GetAuthCode func(ctx context.Context, authClientID string, scopes []string) ([]byte, error)

	marks  map[string][]string // the configuration, nil if it was never pulled
	pulled time.Time
}

// configurationAge is how old the configuration may be.
const configurationAge = 24 * time.Hour

// GetAcceptanceMarkLogos returns the logos for the Scan page in region; ""
// means where the phone is. Where Alipay+ is not supported there are none. It
// pulls the configuration if there is none or if it is older than 24 hours.
func (s *SDK) GetAcceptanceMarkLogos(region string) []string {
	s.note("app -> SDK: getAcceptanceMarkLogos")
	if s.marks == nil || time.Since(s.pulled) > configurationAge {
		s.note("SDK -> Alipay+: fetchConfig")
		s.marks = make(map[string][]string)
		for region, logos := range s.Merchant.AcceptanceMarks {
			s.marks[region] = slices.Clone(logos)
		}
		s.pulled = time.Now()
	}
	if region == "" {
		region = s.Region
	}
	logos := append([]string{}, s.marks[region]...)
	s.note("SDK -> app: logos [" + strings.Join(logos, ", ") + "]")
	return logos
}

// Launch opens an entry code's page: the three values are those of mpm.Launch.
// It ends when the app has run the callback of Decode, and with an error if
// that does not happen before ctx is done.
func (s *SDK) Launch(ctx context.Context, redirectURL, userAgent, acDecodeConfig string) error {
	s.note("app -> SDK: launch")
	s.note("SDK -> merchant: " + redirectURL + " as " + userAgent)
	next := redirectURL
	for range 8 {
		var err error
		switch code, isOrder := strings.CutPrefix(next, orderCodeURL); {
		case isOrder:
			s.note("SDK: intercepts the order code URL")
			return s.decode(ctx, code)
		case next == authorizationURL:
			s.note("SDK: intercepts the authorization URL")
			next, err = s.authorize(ctx)
		default:
			next, err = s.Merchant.load(ctx, next, userAgent, s.Amount)
		}
		if err != nil {
			return err
		}
	}
	return errors.New("mpmtest: the merchant's page sends the user in circles")
}

// HandleAction takes the payload of a scanned code's action and acts on it.
func (s *SDK) HandleAction(sdkActionPayload string) {
	s.note("app -> SDK: handleAction")
	s.act(sdkActionPayload)
}

func (s *SDK) act(payload string) {
	page, ok := s.Merchant.page(payload)
	if !ok {
		s.Merchant.tb.Errorf("mpmtest: the client SDK got a payload that Alipay+ did not give: pass sdkActionPayload on byte for byte")
		return
	}
	s.note("SDK -> user: " + page)
}

// decode hands an intercepted code to the app and waits for the callback.
func (s *SDK) decode(ctx context.Context, code string) error {
	if s.Decode == nil {
		return errors.New("mpmtest: the app has no decode function; set SDK.Decode")
	}
	s.note("SDK -> app: decode")
	callback := &Callback{sdk: s, done: make(chan struct{})}
	s.Decode(ctx, code, callback)
	select {
	case <-callback.done:
		return callback.err
	case <-ctx.Done():
		return fmt.Errorf("mpmtest: the app did not run the callback of decode: %w", ctx.Err())
	}
}

// authCodeForm is what the documents say: at most 32 characters, 281, the
// routing number, 13.
var authCodeForm = regexp.MustCompile(`^281[0-9]{3}13[0-9A-Za-z]{1,24}$`)

func (s *SDK) authorize(ctx context.Context) (next string, err error) {
	info := s.Merchant.authorize()
	if s.GetAuthCode == nil {
		return "", errors.New("mpmtest: the app has no getAuthCode function; set SDK.GetAuthCode")
	}
	s.note("SDK -> app: getAuthCode")
	data, err := s.GetAuthCode(ctx, info.authClientID, info.scopes)
	if err != nil {
		return "", fmt.Errorf("mpmtest: getAuthCode: %w", err)
	}
	var answer struct {
		AuthCode string   `json:"authCode"`
		Success  []string `json:"authSuccessScopes"`
		Error    []string `json:"authErrorScopes"`
	}
	if json.Unmarshal(data, &answer) != nil || !authCodeForm.MatchString(answer.AuthCode) {
		return "", errors.New("mpmtest: getAuthCode gave no authorization code of 281, routing number, 13, in at most 32 characters")
	}
	if len(answer.Success)+len(answer.Error) != len(info.scopes) {
		s.Merchant.tb.Errorf("mpmtest: getAuthCode does not tell for each scope whether it was granted")
	}
	s.note("app -> SDK: authorization code")
	s.note("SDK -> merchant: page with the authorization code")
	return info.redirectURL + "?auth_code=" + url.QueryEscape(answer.AuthCode), nil
}

func (s *SDK) note(line string) { s.Merchant.Journal.Note(line) }

// Callback is the callback of the client SDK's decode API. Exactly one of its
// methods is to be called, once.
type Callback struct {
	sdk  *SDK
	done chan struct{}
	ran  atomic.Bool
	err  error // why the app gave up
}

// abandon ends the wait for an app that failed with err, nil if it did not.
func (c *Callback) abandon(err error) {
	if c.err = err; err != nil && c.ran.CompareAndSwap(false, true) {
		close(c.done)
	}
}

// OnSuccess passes on the payload of an action, or "" after a payment.
func (c *Callback) OnSuccess(sdkActionPayload string) {
	c.sdk.note("app -> SDK: onSuccess")
	if c.run() && sdkActionPayload != "" {
		c.sdk.act(sdkActionPayload)
	}
}

// OnFailure says why a payment failed.
func (c *Callback) OnFailure(code, message string) {
	c.sdk.note("app -> SDK: onFailure " + code)
	if code == "" || message == "" {
		c.sdk.Merchant.tb.Errorf("mpmtest: onFailure without a code and a message")
	}
	c.run()
}

func (c *Callback) run() bool {
	if !c.ran.CompareAndSwap(false, true) {
		c.sdk.Merchant.tb.Errorf("mpmtest: the callback of decode ran twice")
		return false
	}
	close(c.done)
	return true
}
