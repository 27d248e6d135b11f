package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Token is an authorization at rest, with its access token and its refresh
// token: plain data, which [Stores] keep with MarshalBinary. Of the tokens
// themselves it holds digests, and what is sealed.
//
// A Token is made once for each agreement and for each redeemed code. It is
// refreshed, cancelled, and expires; it is never made again.
type Token struct {
	// ID is the digest of the agreement or of the code that the token was made
	// for, 64 hexadecimal characters: the primary key, so that there is one
	// token for each.
	ID      string `json:"id"`
	Version int64  `json:"version"` // grows by one with every change, from 1
	Grant   Grant  `json:"grant"`

	AccessDigest  string    `json:"accessDigest"`  // Secret.Digest of the access token, 64 characters
	AccessExpiry  time.Time `json:"accessExpiry"`  // when the access token ends
	RefreshDigest string    `json:"refreshDigest"` // Secret.Digest of the refresh token, 64 characters
	RefreshExpiry time.Time `json:"refreshExpiry"` // when the refresh token ends
	Created       time.Time `json:"created"`
	Cancelled     time.Time `json:"cancelled,omitzero"` // set: both tokens are dead, for good
	Told          bool      `json:"told,omitzero"`      // cancelled by the wallet, and the outbox has TOKEN_CANCELED

	// The pair before the last refresh. It is dead, but a repeated refresh and
	// a late cancellation are known by it.
	OldAccessDigest  string `json:"oldAccessDigest,omitzero"`
	OldRefreshDigest string `json:"oldRefreshDigest,omitzero"`

	Repeat Repeat `json:"repeat,omitzero"` // the answer to the last refresh
	Access []byte `json:"access,omitzero"` // the access token, sealed, with Config.KeepAccessTokens
}

// Keys returns what Stores.FindToken finds the token by: ID and the digests of
// its present and its former tokens. No two tokens share a key.
func (t Token) Keys() []string {
	keys := []string{t.ID, t.AccessDigest, t.RefreshDigest}
	if t.OldAccessDigest != "" {
		keys = append(keys, t.OldAccessDigest, t.OldRefreshDigest)
	}
	return keys
}

// EraseAt returns when [Service.Run] has to erase something that is sealed. The
// zero time means never.
func (t Token) EraseAt() time.Time {
	switch {
	case len(t.Repeat.Sealed) > 0 && (len(t.Access) == 0 || t.Repeat.Until.Before(t.End())):
		return t.Repeat.Until
	case len(t.Access) > 0:
		return t.End()
	}
	return time.Time{}
}

// End returns from when on t cannot be used any more: the later one of its two
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

// A Token changes in the three methods below alone: no clock, no storage, no
// randomness. Whoever stores the result counts Version up.

// refresh replaces the pair by p, for which the refresh token was spent.
func (t *Token) refresh(p *pair, at time.Time, answer, access []byte) {
	t.OldAccessDigest, t.OldRefreshDigest = t.AccessDigest, t.RefreshDigest
	t.AccessDigest, t.AccessExpiry = p.access.Digest(), p.accessExpiry
	t.RefreshDigest, t.RefreshExpiry = p.refresh.Digest(), p.refreshExpiry
	t.Repeat = Repeat{Fingerprint: t.OldRefreshDigest, Until: at.Add(RepeatWindow), Sealed: answer}
	t.Access = access
}

// cancel ends both tokens.
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

// created returns the key of the message TOKEN_CREATED about t, if it may be in
// the outbox, else "": there is one about the first pair of an agreement.
func (t *Token) created() (key string) {
	if t.Grant.ReferenceAgreementID == "" || t.OldAccessDigest != "" {
		return ""
	}
	return typeTokenCreated + "/" + t.AccessDigest
}

// pair is an access token and its refresh token.
type pair struct {
	access, refresh             alipayplus.Secret
	accessExpiry, refreshExpiry time.Time // whole seconds: as they are told
}

// answer returns the answer to applyToken that hands over p.
func (p *pair) answer(g *Grant) *ApplyTokenResponse {
	return &ApplyTokenResponse{
		AccessToken:            p.access,
		AccessTokenExpiryTime:  alipayplus.TimeOf(p.accessExpiry),
		RefreshToken:           p.refresh,
		RefreshTokenExpiryTime: alipayplus.TimeOf(p.refreshExpiry),
		CustomerID:             g.CustomerID,
	}
}

// agreementID returns the ID of the token of an agreement.
func agreementID(g *Grant) string {
	return digestOf("agreement", g.AuthClientID, g.ReferenceAgreementID)
}

// fingerprintOf returns the digest of what must be the same in a repeated
// request.
func fingerprintOf(r *ApplyTokenRequest) string {
	return digestOf("applyToken", r.PSPID, r.AcquirerID, r.AuthClientID, r.AuthCode.Digest())
}

// digestOf returns one digest of several texts.
func digestOf(texts ...string) string {
	all, _ := json.Marshal(texts) // strings always marshal, and different ones differently
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}
