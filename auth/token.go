package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Token is an authorization at rest, with its access token and its refresh
// token: plain data, which a TokenStore keeps with MarshalBinary. The tokens
// themselves are not in it, but for what is sealed.
//
// A Token is made once for each agreement and for each redeemed code. It is
// refreshed, cancelled, and expires; it is never made again, so keep its record
// at least until both expiries have passed.
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

	// The pair before the last refresh. It is dead, but a repeated refresh and a
	// late cancellation are known by it.
	OldAccessDigest  string `json:"oldAccessDigest,omitzero"`
	OldRefreshDigest string `json:"oldRefreshDigest,omitzero"`

	Repeat Repeat `json:"repeat,omitzero"` // the answer to the last refresh
	Notice Notice `json:"notice,omitzero"` // what Alipay+ is told by authNotify
	Access []byte `json:"access,omitzero"` // the access token, sealed, with Config.KeepAccessTokens
}

// Notice is a notification of authNotify on its way.
type Notice struct {
	State  NoticeState           `json:"state,omitzero"`
	Tries  int                   `json:"tries,omitzero"`  // deliveries that ended without S so far
	Code   alipayplus.ResultCode `json:"code,omitzero"`   // of the last verified answer
	Next   time.Time             `json:"next,omitzero"`   // of the next delivery
	Lease  time.Time             `json:"lease,omitzero"`  // a worker has it until then
	Sealed []byte                `json:"sealed,omitzero"` // the Message, sealed: always the same bytes
}

// NoticeState is where a Notice stands. The empty state: there is none.
type NoticeState string

// The states of a Notice.
const (
	NoticePending      NoticeState = "pending"      // Work delivers it
	NoticeAcknowledged NoticeState = "acknowledged" // Alipay+ answered S
	NoticeParked       NoticeState = "parked"       // F, or the schedule ended: see Service.Resend
	NoticeDropped      NoticeState = "dropped"      // of no more use
)

// Keys are what FindToken finds the token by: ID and the digests of its present
// and its former tokens. No two tokens share a key.
func (t Token) Keys() []string {
	keys := []string{t.ID, t.AccessDigest, t.RefreshDigest}
	if t.OldAccessDigest != "" {
		keys = append(keys, t.OldAccessDigest, t.OldRefreshDigest)
	}
	return keys
}

// Due is when Work has to look at the token next: to deliver its notice or to
// erase what is sealed. The zero time: never.
func (t Token) Due() time.Time {
	var due time.Time
	at := func(moment time.Time) {
		if due.IsZero() || moment.Before(due) {
			due = moment
		}
	}
	if t.Notice.State == NoticePending {
		at(t.Notice.due())
	}
	if len(t.Repeat.Sealed) > 0 {
		at(t.Repeat.Until)
	}
	if len(t.Access) > 0 || len(t.Notice.Sealed) > 0 {
		at(t.end())
	}
	return due
}

func (n *Notice) due() time.Time {
	if n.Lease.After(n.Next) {
		return n.Lease
	}
	return n.Next
}

// end is when no token of t can be used any more.
func (t *Token) end() time.Time {
	if t.AccessExpiry.After(t.RefreshExpiry) {
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
	t.Repeat = Repeat{Print: t.OldRefreshDigest, Until: at.Add(RepeatWindow), Sealed: answer}
	t.Access = access
	// Who has the refresh token was told of the pair, and the old pair is dead:
	// telling it again would be wrong.
	t.drop()
}

// cancel: both tokens are dead. notice is what to tell Alipay+, nil if it knows
// or cannot be told. It does not overtake a notification that is on its way.
func (t *Token) cancel(at time.Time, notice []byte) {
	t.Cancelled = at
	t.Repeat = Repeat{}
	t.Access = nil
	if notice == nil {
		t.Notice = Notice{State: NoticeDropped}
		return
	}
	t.Notice = Notice{State: NoticePending, Next: at, Lease: t.Notice.Lease, Sealed: notice}
}

// drop forgets a notice that was not acknowledged.
func (t *Token) drop() {
	if t.Notice.State == NoticePending || t.Notice.State == NoticeParked {
		t.Notice.State = NoticeDropped
		t.Notice.Sealed = nil
		t.Notice.Lease = time.Time{}
	}
}

// take gives the notice to a worker until the lease ends, if it is due.
func (t *Token) take(at, lease time.Time) bool {
	if t.Notice.State != NoticePending || at.Before(t.Notice.due()) {
		return false
	}
	t.Notice.Lease = lease
	return true
}

// delivered: the delivery of what taken holds ended with err. Only the notice
// changes, and nothing if it is another one by now.
func (t *Token) delivered(taken *Notice, at time.Time, schedule alipayplus.Schedule, err error) (changed bool) {
	n := &t.Notice
	mine := n.Lease.Equal(taken.Lease)
	if mine {
		n.Lease = time.Time{}
	}
	if n.State != NoticePending || !bytes.Equal(n.Sealed, taken.Sealed) {
		return mine
	}
	n.Code = codeOf(err)
	if err == nil {
		n.State, n.Sealed = NoticeAcknowledged, nil
		return true
	}
	n.Tries++
	wait, again := schedule.Next(n.Tries, err)
	if !again {
		n.State = NoticeParked
		return true
	}
	n.Next = at.Add(wait)
	return true
}

// resend: a parked notice is tried again, from the start of the schedule.
func (t *Token) resend(at time.Time) bool {
	if t.Notice.State != NoticeParked || len(t.Notice.Sealed) == 0 {
		return false
	}
	t.Notice.State, t.Notice.Tries, t.Notice.Next = NoticePending, 0, at
	return true
}

// erase forgets what is sealed and of no more use.
func (t *Token) erase(at time.Time) (changed bool) {
	if len(t.Repeat.Sealed) > 0 && !at.Before(t.Repeat.Until) {
		t.Repeat = Repeat{}
		changed = true
	}
	if at.Before(t.end()) {
		return changed
	}
	if len(t.Notice.Sealed) > 0 {
		t.drop()
		changed = true
	}
	if len(t.Access) > 0 {
		t.Access = nil
		changed = true
	}
	return changed
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

// pairIn reads the pair of an answer.
func pairIn(answer *ApplyTokenResponse) *pair {
	access, _ := answer.AccessTokenExpiryTime.Time()
	refresh, _ := answer.RefreshTokenExpiryTime.Time()
	return &pair{answer.AccessToken, answer.RefreshToken, access.UTC(), refresh.UTC()}
}

// agreementID is the ID of the token of an agreement.
func agreementID(g *Grant) string {
	return digestOf("agreement", g.AuthClientID, g.ReferenceAgreementID)
}

// printOf is the digest of what must be the same in a repeated request.
func printOf(r *ApplyTokenRequest) string {
	return digestOf("applyToken", r.PSPID, r.AcquirerID, r.AuthClientID, r.AuthCode.Digest())
}

// digestOf is one digest of several texts.
func digestOf(texts ...string) string {
	all, _ := json.Marshal(texts) // strings always marshal, and different ones differently
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}
