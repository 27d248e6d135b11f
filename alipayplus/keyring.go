package alipayplus

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
)

// maxLiveKeys bounds what one bad signature can cost.
const maxLiveKeys = 4

// KeyRing holds Alipay+'s live public keys by key version. During a rotation it
// holds the old and the new one; a key that is taken out is never tried again.
// It is safe for concurrent use, and verification never leaves the process.
type KeyRing struct {
	strict bool
	state  atomic.Pointer[ringState]
}

type ringState struct {
	versions []string // sorted; keys[i] has versions[i]
	keys     []*rsa.PublicKey
	own      []ownKey // keys that must never be among them
}

// ownKey is a key of the MPP: the public one, or, of a signer that does not
// show it, something that it signed.
type ownKey struct {
	public    *rsa.PublicKey
	digest    [sha256.Size]byte
	signature []byte
}

func (o *ownKey) is(key *rsa.PublicKey) bool {
	if o.public != nil {
		return o.public.Equal(key)
	}
	return verifyDigest(key, &o.digest, o.signature)
}

func (o *ownKey) equal(p *ownKey) bool {
	if o.public != nil {
		return p.public != nil && o.public.Equal(p.public)
	}
	return p.public == nil && bytes.Equal(o.signature, p.signature)
}

// NewKeyRing returns a [KeyRing] of 1 to 4 keys. A key version is 1 to 9
// digits.
//
// The key version in a message is taken as a hint, because one key occurs under
// several versions: the key of that version is tried first, then the others. An
// unknown or absent version is logged.
func NewKeyRing(byVersion map[string]*rsa.PublicKey) (*KeyRing, error) {
	k := new(KeyRing)
	return k, k.Replace(byVersion)
}

// NewStrictKeyRing returns a [KeyRing] that demands the exact key version in
// every message: an absent or unknown one does not verify, and no other key is
// tried.
func NewStrictKeyRing(byVersion map[string]*rsa.PublicKey) (*KeyRing, error) {
	k := &KeyRing{strict: true}
	return k, k.Replace(byVersion)
}

// Replace puts other keys in place of all present ones, atomically: each
// verification sees either the old keys or the new ones. On an error ([ErrKey])
// the present keys stay.
func (k *KeyRing) Replace(byVersion map[string]*rsa.PublicKey) error {
	if len(byVersion) == 0 || len(byVersion) > maxLiveKeys {
		return keyError("a key ring holds 1 to %d keys, not %d", maxLiveKeys, len(byVersion))
	}
	next := new(ringState)
	for version, key := range byVersion {
		if !validKeyVersion(version) {
			return keyError("the key version is not 1 to 9 digits")
		}
		if err := checkPublicKey(key); err != nil {
			return err
		}
		next.versions = append(next.versions, version)
	}
	slices.Sort(next.versions)
	for _, version := range next.versions {
		next.keys = append(next.keys, byVersion[version])
	}
	for {
		present := k.state.Load()
		if present != nil {
			next.own = present.own
		}
		if err := next.checkOwn(); err != nil {
			return err
		}
		if k.state.CompareAndSwap(present, next) {
			return nil
		}
	}
}

// refuse makes own a key that the ring must not hold, now and after every
// Replace.
func (k *KeyRing) refuse(own ownKey) error {
	for {
		present := k.state.Load()
		if present == nil {
			return keyError("the key ring is empty; make it with NewKeyRing")
		}
		if slices.ContainsFunc(present.own, func(known ownKey) bool { return known.equal(&own) }) {
			return nil // every client and handler of one party says so
		}
		next := *present
		next.own = append(slices.Clip(present.own), own)
		if err := next.checkOwn(); err != nil {
			return err
		}
		if k.state.CompareAndSwap(present, &next) {
			return nil
		}
	}
}

func (s *ringState) checkOwn() error {
	for i := range s.own {
		for _, key := range s.keys {
			if s.own[i].is(key) {
				return keyError("the MPP's own public key given as Alipay+'s")
			}
		}
	}
	return nil
}

// checkVersion returns the rule that a key version breaks before any key is
// tried.
func (k *KeyRing) checkVersion(hint string) string {
	if state := k.state.Load(); k.strict && state != nil && !slices.Contains(state.versions, hint) {
		return "the key version is not configured"
	}
	return ""
}

// verify checks signature with the live keys. exact tells whether the key of
// the hinted version did it.
func (k *KeyRing) verify(hint string, digest *[sha256.Size]byte, signature []byte) (exact bool, err error) {
	state := k.state.Load()
	if state == nil {
		return false, keyError("the key ring is empty; make it with NewKeyRing")
	}
	first := slices.Index(state.versions, hint)
	if first >= 0 && verifyDigest(state.keys[first], digest, signature) {
		return true, nil
	}
	if k.strict {
		return false, errNoKeyFits
	}
	for i, key := range state.keys {
		if i != first && verifyDigest(key, digest, signature) {
			return false, nil
		}
	}
	return false, errNoKeyFits
}

var errNoKeyFits = errors.New("it was not made over this content with a known key")

func verifyDigest(key *rsa.PublicKey, digest *[sha256.Size]byte, signature []byte) bool {
	return len(signature) == key.Size() && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}

// String names the versions.
func (k *KeyRing) String() string {
	text := "KeyRing"
	if state := k.state.Load(); state != nil {
		for _, version := range state.versions {
			text += " " + version
		}
	}
	return text
}

// LogValue returns String for log/slog.
func (k *KeyRing) LogValue() slog.Value { return slog.StringValue(k.String()) }
