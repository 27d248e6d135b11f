package accept

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// The suite has a signature of its own, on crypto/rsa alone: a mistake of the
// SDK's would cancel out between an SDK here and one in the wallet.

const timeForm = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(timeForm) }

func digest(target, clientID, at string, body []byte) []byte {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "POST %s\n%s.%s.%s", target, clientID, at, body)
	return h.Sum(nil)
}

// signed returns the headers of a message. timeHeader is Request-Time or
// Response-Time.
func signed(key PrivateKey, timeHeader, target, clientID, at string, body []byte) http.Header {
	value, err := rsa.SignPKCS1v15(rand.Reader, key.Key, crypto.SHA256, digest(target, clientID, at, body))
	if err != nil {
		panic("accept: signing: " + err.Error())
	}
	return http.Header{
		"Client-Id":    {clientID},
		timeHeader:     {at},
		"Content-Type": {"application/json; charset=UTF-8"},
		"Signature": {fmt.Sprintf("algorithm=RSA256,keyVersion=%s,signature=%s", key.Version,
			url.QueryEscape(base64.StdEncoding.EncodeToString(value)))},
	}
}

var signatureForm = regexp.MustCompile(`^algorithm=RSA256, ?keyVersion=(\d{1,9}), ?signature=(\S+)$`)

// verify says what is wrong with the signature of a message of the wallet, and
// which key version it names.
func verify(keys []PublicKey, h http.Header, timeHeader, target, clientID string, body []byte) (version string, err error) {
	for _, name := range []string{"Client-Id", timeHeader, "Signature"} {
		switch n := len(h.Values(name)); n {
		case 0:
			return "", fmt.Errorf("the header %s is missing", name)
		case 1:
		default:
			return "", fmt.Errorf("the header %s is there %d times", name, n)
		}
	}
	if got := h.Get("Client-Id"); got != clientID {
		return "", fmt.Errorf("the Client-Id is %q, not %q", got, clientID)
	}
	parts := signatureForm.FindStringSubmatch(h.Get("Signature"))
	if parts == nil {
		return "", errors.New("the header Signature is not algorithm=RSA256,keyVersion=…,signature=…")
	}
	text, err := url.PathUnescape(parts[2])
	if err != nil {
		return "", errors.New("the signature is not percent-encoded")
	}
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return "", errors.New("the signature is not base64")
	}
	at := h.Get(timeHeader)
	sum := digest(target, clientID, at, body)
	for _, key := range keys {
		if key.Version == parts[1] {
			if rsa.VerifyPKCS1v15(key.Key, crypto.SHA256, sum, value) != nil {
				return "", fmt.Errorf("the signature does not verify over %q and the %d bytes of the body, with key version %s (examples/sigdoctor finds the usual mistakes)",
					"POST "+target+"\n"+clientID+"."+at+".", len(body), key.Version)
			}
			signedAt, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				return "", fmt.Errorf("%s is no time with an offset: %q", timeHeader, at)
			}
			if age := time.Since(signedAt); age > 2*time.Minute || age < -2*time.Minute {
				return "", fmt.Errorf("%s is %v old: every attempt is signed anew", timeHeader, age.Round(time.Second))
			}
			return parts[1], nil
		}
	}
	return "", fmt.Errorf("the key version %q is none of the wallet's", parts[1])
}
