package alipayplus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Content is what a signature covers, as raw texts on the wire. It is the one
// place where signatures are made and checked; Client and Handler use it, and
// so can another router, a proxy or a test.
//
//	<Method> <Target>\n<ClientID>.<Time>.<Body>
//
// The parts have strict forms, and Body begins with "{", because else the same
// signed bytes could be cut into two different messages: a time that ends in
// ":49" and a body "090Z.{…}" are the bytes of "…:49.090Z" and "{…}".
type Content struct {
	Method   string // of the request, for requests and responses alike: "POST"
	Target   string // raw path and query of the request, no scheme and no host
	ClientID string // header Client-Id: 1 to 64 of A-Z a-z 0-9 _ -
	Time     string // header Request-Time of a request, Response-Time of a response
	Body     []byte `json:"-"` // the exact bytes of a JSON object
}

// String returns all but the body.
func (c Content) String() string {
	return fmt.Sprintf("Content{%s %s, %s, %s, %d bytes}",
		sanitize(c.Method, 16), sanitize(c.Target, 256), sanitize(c.ClientID, 64), sanitize(c.Time, 40), len(c.Body))
}

// Format prints String for every verb.
func (c Content) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue returns String for log/slog.
func (c Content) LogValue() slog.Value { return slog.StringValue(c.String()) }

// checkHeaders returns the rule that the header texts break, "" if none.
func (c *Content) checkHeaders() string {
	switch {
	case !validMethod(c.Method):
		return "the method is not 1 to 16 letters"
	case !validTarget(c.Target):
		return "the target is no raw path"
	case !validClientID(c.ClientID):
		return "the Client-Id is not 1 to 64 of A-Z a-z 0-9 _ -"
	case !validTime(c.Time):
		return "the time is not 1 to 40 of 0-9 T Z : + . -"
	}
	return ""
}

// check returns the rule that the content breaks, "" if none.
func (c *Content) check() string {
	if rule := c.checkHeaders(); rule != "" {
		return rule
	}
	if !beginsObject(c.Body) {
		return "the body does not begin with {"
	}
	return ""
}

// beginsObject reports whether body begins with "{", after JSON white space at
// most.
func beginsObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
}

func (c *Content) digest() (sum [sha256.Size]byte) {
	h := sha256.New() // its Write never fails
	_, _ = io.WriteString(h, c.Method+" "+c.Target+"\n"+c.ClientID+"."+c.Time+".")
	_, _ = h.Write(c.Body)
	h.Sum(sum[:0])
	return sum
}

// Sign makes the value of the Signature header:
//
//	algorithm=RSA256,keyVersion=1,signature=<base64, percent-encoded>
//
// The error is [ErrSignature] for a content that no signature may cover, else
// the signer's own.
func (c Content) Sign(ctx context.Context, s Signer) (header string, err error) {
	if rule := c.check(); rule != "" {
		return "", signatureError(rule)
	}
	version, signature, err := signDigest(ctx, s, c.digest())
	if err != nil {
		return "", err
	}
	if !validKeyVersion(version) || len(signature) < minKeyBits/8 || len(signature) > maxKeyBits/8 {
		return "", errors.New("alipayplus: the signer returned an unusable key version or signature")
	}
	return formatSignature(version, signature), nil
}

// Verify checks a Signature header against the content with the live keys of
// the ring. Every error is [ErrSignature].
//
// It takes optional spaces around commas, items in any order and names in any
// case, an absent algorithm or key version, and the signature percent-encoded,
// as plain base64 or as base64url, padded or not. The algorithm is always
// RSASSA-PKCS1-v1_5 with SHA-256, whatever the header says; one that says
// something else does not verify.
func (c Content) Verify(header string, keys *KeyRing) error {
	_, err := c.verify(header, keys)
	return err
}

// precheck checks what needs no body, so that a stranger's request costs
// little.
func (c *Content) precheck(header string, keys *KeyRing) error {
	rule := c.checkHeaders()
	if rule == "" {
		var version string
		if version, _, rule = parseSignature(header); rule == "" {
			rule = keys.checkVersion(version)
		}
	}
	if rule != "" {
		return signatureError(rule)
	}
	return nil
}

// verify reports, too, the key version that the header gave if the ring does
// not have it or another key verified.
func (c *Content) verify(header string, keys *KeyRing) (strayVersion string, err error) {
	if keys == nil {
		return "", signatureError("there is no key ring; make one with NewKeyRing")
	}
	if rule := c.check(); rule != "" {
		return "", signatureError(rule)
	}
	version, signature, rule := parseSignature(header)
	if rule == "" {
		rule = keys.checkVersion(version)
	}
	if rule != "" {
		return "", signatureError(rule)
	}
	digest := c.digest()
	exact, err := keys.verify(version, &digest, signature)
	if err != nil {
		return "", signatureError(err.Error())
	}
	if !exact {
		if version == "" {
			version = "absent"
		}
		return version, nil
	}
	return "", nil
}

func validMethod(method string) bool {
	for i := range len(method) {
		if c := method[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return method != "" && len(method) <= 16
}

func validTarget(target string) bool {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return false
		}
	}
	return target != "" && target[0] == '/' && len(target) <= 4096
}

func validClientID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

func validTime(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && c != 'T' && c != 'Z' && c != ':' && c != '+' && c != '.' && c != '-' {
			return false
		}
	}
	return text != "" && len(text) <= 40
}
