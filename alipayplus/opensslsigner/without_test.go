//go:build !(openssl && cgo)

package opensslsigner_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/opensslsigner"
)

// A program that was built without OpenSSL says so and how to mend it.
func TestWithoutOpenSSL(t *testing.T) {
	signer, err := opensslsigner.New("1", nil)
	if signer != nil || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "-tags openssl") {
		t.Errorf("got %v, %v", signer, err)
	}
}
