package alipayplus

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// ErrKey is the cause of every error about a key: text that is no key, a weak
// key, the wrong kind, our own key given as theirs. Match it with errors.Is. No
// such error quotes the text.
var ErrKey = errors.New("alipayplus: unusable key")

const (
	minKeyBits = 2048
	maxKeyBits = 8192
)

func keyError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}

// ParsePrivateKey reads an RSA private key of 2048 to 8192 bits: the one-line
// base64 of PKCS#8 DER that the Alipay+ developer console uses, also wrapped
// over lines, as PEM, or as PKCS#1. Text before or after a PEM block, a second
// block, trailing bytes, an encrypted key and other kinds of keys are [ErrKey].
func ParsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	der, err := decodeKey(text, "PRIVATE KEY", "RSA PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	var key *rsa.PrivateKey
	if parsed, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if !isOneValue(der) { // x509 does not look
			return nil, keyError("trailing data")
		}
		var ok bool
		if key, ok = parsed.(*rsa.PrivateKey); !ok {
			return nil, keyError("not an RSA key")
		}
	} else if key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
		if isPublicKey(der) {
			return nil, keyError("a public key where the private one belongs")
		}
		return nil, keyError("neither PKCS#8 nor PKCS#1")
	}
	if err := checkPublicKey(&key.PublicKey); err != nil {
		return nil, err
	}
	if key.Validate() != nil {
		return nil, keyError("its numbers do not fit together")
	}
	return key, nil
}

// ParsePublicKey reads an RSA public key of 2048 to 8192 bits: the one-line
// base64 of X.509 SubjectPublicKeyInfo DER that the Alipay+ developer console
// shows, also wrapped over lines, as PEM, or as PKCS#1. It refuses the same
// things as [ParsePrivateKey].
func ParsePublicKey(text []byte) (*rsa.PublicKey, error) {
	der, err := decodeKey(text, "PUBLIC KEY", "RSA PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	var key *rsa.PublicKey
	if parsed, err := x509.ParsePKIXPublicKey(der); err == nil {
		var ok bool
		if key, ok = parsed.(*rsa.PublicKey); !ok {
			return nil, keyError("not an RSA key")
		}
	} else if key, err = x509.ParsePKCS1PublicKey(der); err != nil {
		if isPrivateKey(der) {
			return nil, keyError("a private key where the public one belongs: revoke it if it left your hands")
		}
		return nil, keyError("neither X.509 SubjectPublicKeyInfo nor PKCS#1")
	}
	if err := checkPublicKey(key); err != nil {
		return nil, err
	}
	return key, nil
}

// decodeKey returns the DER of one key in PEM or bare base64.
func decodeKey(text []byte, kinds ...string) ([]byte, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if len(text) == 0 {
		return nil, keyError("empty")
	}
	if len(text) > 64<<10 {
		return nil, keyError("over 64 KiB")
	}
	if bytes.Contains(text, []byte("-----")) {
		if !bytes.HasPrefix(text, []byte("-----BEGIN ")) {
			return nil, keyError("text before the PEM block")
		}
		if bytes.Count(text, []byte("-----BEGIN ")) > 1 { // pem.Decode skips broken ones
			return nil, keyError("more than one PEM block")
		}
		block, rest := pem.Decode(text)
		switch {
		case block == nil:
			return nil, keyError("a broken PEM block")
		case len(bytes.TrimSpace(rest)) > 0:
			return nil, keyError("text after the PEM block")
		case block.Type == "ENCRYPTED PRIVATE KEY" || len(block.Headers) > 0:
			return nil, keyError("an encrypted key or PEM headers: decrypt it first")
		case block.Type == kinds[0] || block.Type == kinds[1]:
			return block.Bytes, nil
		case block.Type == "CERTIFICATE":
			return nil, keyError("a certificate where a key belongs")
		case bytes.HasSuffix([]byte(block.Type), []byte("PRIVATE KEY")) && kinds[0] == "PUBLIC KEY":
			return nil, keyError("a private key where the public one belongs: revoke it if it left your hands")
		case bytes.HasSuffix([]byte(block.Type), []byte("PUBLIC KEY")) && kinds[0] == "PRIVATE KEY":
			return nil, keyError("a public key where the private one belongs")
		}
		return nil, keyError("a PEM block of another kind")
	}
	compact := bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, text)
	encoding := base64.StdEncoding
	if len(compact)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	der, err := encoding.Strict().DecodeString(string(compact))
	if err != nil {
		return nil, keyError("neither PEM nor base64")
	}
	return der, nil
}

// isOneValue reports whether nothing follows the first DER value.
func isOneValue(der []byte) bool {
	var value asn1.RawValue
	rest, err := asn1.Unmarshal(der, &value)
	return err == nil && len(rest) == 0
}

func isPublicKey(der []byte) bool {
	_, pkix := x509.ParsePKIXPublicKey(der)
	_, pkcs1 := x509.ParsePKCS1PublicKey(der)
	return pkix == nil || pkcs1 == nil
}

func isPrivateKey(der []byte) bool {
	_, pkcs8 := x509.ParsePKCS8PrivateKey(der)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(der)
	return pkcs8 == nil || pkcs1 == nil
}

func checkPublicKey(key *rsa.PublicKey) error {
	if key == nil || key.N == nil {
		return keyError("nil")
	}
	switch bits := key.N.BitLen(); {
	case bits < minKeyBits:
		return keyError("%d bits, at least %d are needed", bits, minKeyBits)
	case bits > maxKeyBits:
		return keyError("%d bits, at most %d are allowed", bits, maxKeyBits)
	case key.N.Bit(0) == 0 || key.E < 3 || key.E%2 == 0:
		return keyError("modulus or exponent of no RSA key")
	}
	return nil
}
