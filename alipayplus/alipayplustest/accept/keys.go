package accept

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// UnmarshalJSON reads {"version":"1","key":"…"}.
func (k *PrivateKey) UnmarshalJSON(data []byte) error {
	version, der, err := readKey(data)
	if err != nil {
		return err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("the private key%s is not PKCS #8", named(version)) // the cause may quote it
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return fmt.Errorf("the private key%s is not an RSA key", named(version))
	}
	*k = PrivateKey{version, key}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads: the key itself.
func (k PrivateKey) MarshalJSON() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.Key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(keyJSON{k.Version, base64.StdEncoding.EncodeToString(der)})
}

// String names the version alone.
func (k PrivateKey) String() string { return "private key " + k.Version }

// GoString is String.
func (k PrivateKey) GoString() string { return k.String() }

// UnmarshalJSON reads {"version":"1","key":"…"}.
func (k *PublicKey) UnmarshalJSON(data []byte) error {
	version, der, err := readKey(data)
	if err != nil {
		return err
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fmt.Errorf("the public key%s is not SubjectPublicKeyInfo (\"BEGIN PUBLIC KEY\")", named(version))
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the public key%s is not an RSA key", named(version))
	}
	*k = PublicKey{version, key}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.Key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(keyJSON{k.Version, base64.StdEncoding.EncodeToString(der)})
}

type keyJSON struct {
	Version string `json:"version"`
	Key     string `json:"key"`
}

// readKey takes PEM, or base64 with or without line ends.
func readKey(data []byte) (version string, der []byte, err error) {
	var k keyJSON
	if err := json.Unmarshal(data, &k); err != nil {
		return "", nil, errors.New(`a key is not {"version":"…","key":"…"}`)
	}
	if block, _ := pem.Decode([]byte(k.Key)); block != nil {
		return k.Version, block.Bytes, nil
	}
	der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(k.Key), ""))
	if err != nil || len(der) == 0 {
		return "", nil, fmt.Errorf("the key%s is neither base64 nor PEM", named(k.Version))
	}
	return k.Version, der, nil
}

// named names a key by its version, and nothing that could be a key itself.
func named(version string) string {
	if version == "" || len(version) > 9 || strings.Trim(version, "0123456789") != "" {
		return ""
	}
	return fmt.Sprintf(" of version %q", version)
}
