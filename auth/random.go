package auth

import (
	"crypto/rand"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomText returns n random characters of base62, each equally likely.
func randomText(n int) string {
	text := make([]byte, 0, n)
	var room [64]byte
	for {
		_, _ = rand.Read(room[:]) // never fails
		for _, b := range room {
			if int(b) >= 256/len(base62)*len(base62) {
				continue // taking it would favour the first characters
			}
			text = append(text, base62[int(b)%len(base62)])
			if len(text) == n {
				return string(text)
			}
		}
	}
}

// newTokenText returns a new token: 43 characters, 256 bits.
func newTokenText() alipayplus.Secret { return alipayplus.Conceal(randomText(43)) }
