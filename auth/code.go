package auth

import (
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// RepeatWindow is how long the answer to applyToken is repeated to a repeated
// request.
const RepeatWindow = 5 * time.Minute

// Code is an authorization code at rest: plain data, which [Stores] keep with
// MarshalBinary. The code itself is not in it.
type Code struct {
	Digest  string    `json:"digest"`  // Secret.Digest of the code, 64 characters: the primary key
	Version int64     `json:"version"` // grows by one with every change, from 1
	Grant   Grant     `json:"grant"`   // what the user allowed
	Expiry  time.Time `json:"expiry"`
	// Consumed is when the code was redeemed, zero if it was not. A consumed
	// code stays consumed, whatever the clock says.
	Consumed time.Time `json:"consumed,omitzero"`
	// Repeat is the answer to the request that redeemed the code.
	Repeat Repeat `json:"repeat,omitzero"`
	// EraseAt is when the record must be deleted, because it is of no more use
	// and may hold a sealed answer.
	EraseAt time.Time `json:"eraseAt"`
}

// Repeat is an answer that is given again to a repeated request.
type Repeat struct {
	Fingerprint string    `json:"fingerprint,omitzero"` // digest of the request
	Until       time.Time `json:"until,omitzero"`       // the answer is given again before this
	Sealed      []byte    `json:"sealed,omitzero"`      // the answer, sealed
}

// open reports whether the answer may still be given.
func (r *Repeat) open(at time.Time) bool { return len(r.Sealed) > 0 && at.Before(r.Until) }

// keepExpired is how long the record of an expired code stays, so that it is
// refused as expired and not as unknown.
const keepExpired = 24 * time.Hour

func newCode(code alipayplus.Secret, g Grant, at time.Time, ttl time.Duration) Code {
	expiry := at.Add(ttl)
	return Code{Digest: code.Digest(), Version: 1, Grant: g.stored(), Expiry: expiry, EraseAt: expiry.Add(keepExpired)}
}

// consumed returns c after its redemption by r, with the sealed answer.
func (c Code) consumed(r *ApplyTokenRequest, at time.Time, sealed []byte) Code {
	c.Version++
	c.Grant.AcquirerID, c.Grant.PSPID = r.AcquirerID, r.PSPID
	c.Consumed = at
	c.Repeat = Repeat{Fingerprint: fingerprintOf(r), Until: at.Add(RepeatWindow), Sealed: sealed}
	c.EraseAt = c.Repeat.Until
	return c
}

// Codes are "281", the routing number, "13" and 24 random characters of base62:
// 32 characters, 142 bits.
const (
	codeLength = 32
	codeRandom = 24
)

func newCodeText(routing string) alipayplus.Secret {
	return alipayplus.Conceal("281" + routing + "13" + randomText(codeRandom))
}

// wellFormed reports whether a code can be one of newCodeText.
func wellFormed(code alipayplus.Secret, routing string) bool {
	text := code.Reveal()
	if len(text) != codeLength || !strings.HasPrefix(text, "281"+routing+"13") {
		return false
	}
	return strings.Trim(text, base62) == ""
}

func validRouting(number string) bool {
	return len(number) == 3 && strings.Trim(number, "0123456789") == ""
}
