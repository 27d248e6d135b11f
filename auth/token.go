package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Token is an authorization at rest, with its access token and its refresh
// token: plain data, which [Stores] keep with MarshalBinary. The tokens
// themselves are not in it, but for what is sealed.
//
// A Token is made once for each agreement and for each redeemed code. It is
// refreshed, cancelled, and expires; it is never made again.
type Token struct {
	// ID tells what the token was made for, once: 64 hexadecimal characters, a
	// digest of the agreement or of the code. The primary key.
	ID      string `json:"id"`
	Version int64  `json:"version"` // grows by one with every change, from 1
	Grant   Grant  `json:"grant"`

	AccessDigest  string    `json:"accessDigest"`  // Secret.Digest of the access token, 64 characters
	AccessExpiry  time.Time `json:"accessExpiry"`  //
	RefreshDigest string    `json:"refreshDigest"` // Secret.Digest of the refresh token, 64 characters
	RefreshExpiry time.Time `json:"refreshExpiry"` //
	Created       time.Time `json:"created"`
	Cancelled     time.Time `json:"cancelled,omitzero"` // set: both tokens are dead, for good
	Told          bool      `json:"told,omitzero"`      // cancelled by the wallet, and the outbox has TOKEN_CANCELED

	// The pair before the last refresh. It is dead, but a repeated refresh and a
	// late cancellation are known by it.
	OldAccessDigest  string `json:"oldAccessDigest,omitzero"`
	OldRefreshDigest string `json:"oldRefreshDigest,omitzero"`

	Repeat Repeat `json:"repeat,omitzero"` // the answer to the last refresh
	Access []byte `json:"access,omitzero"` // the access token, sealed, with Config.KeepAccessTokens
}

// Keys are what FindToken finds the token by: ID and the digests of its present
// and its former tokens. No two tokens share a key.
func (t Token) Keys() []string {
	keys := []string{t.ID, t.AccessDigest, t.RefreshDigest}
	if t.OldAccessDigest != "" {
		keys = append(keys, t.OldAccessDigest, t.OldRefreshDigest)
	}
	return keys
}

// EraseAt is when Run has to erase something that is sealed. The zero time:
// never.
func (t Token) EraseAt() time.Time {
	switch {
	case len(t.Repeat.Sealed) > 0 && (len(t.Access) == 0 || t.Repeat.Until.Before(t.End())):
		return t.Repeat.Until
	case len(t.Access) > 0:
		return t.End()
	}
	return time.Time{}
}

// End is when no token of t can be used any more: the later one of its two
// expiries, or when it was cancelled.
func (t Token) End() time.Time {
	switch {
	case !t.Cancelled.IsZero():
		return t.Cancelled
	case t.AccessExpiry.After(t.RefreshExpiry):
		return t.AccessExpiry
	}
	return t.RefreshExpiry
}

// All changes of a Token are the methods below: no clock, no storage, no
// randomness. Whoever stores the result counts Version up.

// refresh: the refresh token was spent for a new pair.
func (t *Token) refresh(p *pair, at time.Time, answer, access []byte) {
	t.OldAccessDigest, t.OldRefreshDigest = t.AccessDigest, t.RefreshDigest
	t.AccessDigest, t.AccessExpiry = p.access.Digest(), p.accessExpiry
	t.RefreshDigest, t.RefreshExpiry = p.refresh.Digest(), p.refreshExpiry
	t.Repeat = Repeat{Fingerprint: t.OldRefreshDigest, Until: at.Add(RepeatWindow), Sealed: answer}
	t.Access = access
}

// cancel: both tokens are dead.
func (t *Token) cancel(at time.Time, told bool) {
	t.Cancelled, t.Told = at, told
	t.Repeat = Repeat{}
	t.Access = nil
}

// erase forgets what is sealed and of no more use.
func (t *Token) erase(at time.Time) (changed bool) {
	if len(t.Repeat.Sealed) > 0 && !at.Before(t.Repeat.Until) {
		t.Repeat = Repeat{}
		changed = true
	}
	if len(t.Access) > 0 && !at.Before(t.End()) {
		t.Access = nil
		changed = true
	}
	return changed
}

// created is the key of the message TOKEN_CREATED about t, if it may be on its
// way: only an agreement is announced, with its first pair.
func (t *Token) created() (key string, ok bool) {
	if t.Grant.ReferenceAgreementID == "" || t.OldAccessDigest != "" {
		return "", false
	}
	return typeTokenCreated + "/" + t.AccessDigest, true
}

// pair is an access token and its refresh token.
type pair struct {
	access, refresh             alipayplus.Secret
	accessExpiry, refreshExpiry time.Time // whole seconds: as they are told
}

// answer is the answer to applyToken that hands over p.
func (p *pair) answer(g *Grant) *ApplyTokenResponse {
	return &ApplyTokenResponse{
		AccessToken:            p.access,
		AccessTokenExpiryTime:  alipayplus.TimeOf(p.accessExpiry),
		RefreshToken:           p.refresh,
		RefreshTokenExpiryTime: alipayplus.TimeOf(p.refreshExpiry),
		CustomerID:             g.CustomerID,
	}
}

// agreementID is the ID of the token of an agreement.
func agreementID(g *Grant) string {
	return digestOf("agreement", g.AuthClientID, g.ReferenceAgreementID)
}

// fingerprintOf is the digest of what must be the same in a repeated request.
func fingerprintOf(r *ApplyTokenRequest) string {
	return digestOf("applyToken", r.PSPID, r.AcquirerID, r.AuthClientID, r.AuthCode.Digest())
}

// digestOf is one digest of several texts.
func digestOf(texts ...string) string {
	all, _ := json.Marshal(texts) // strings always marshal, and different ones differently
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}
