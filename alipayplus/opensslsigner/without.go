//go:build !(openssl && cgo)

package opensslsigner

import (
	"errors"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// New returns an error that wraps errors.ErrUnsupported: this program was built
// without OpenSSL.
func New(keyVersion string, privateKey []byte) (alipayplus.Signer, error) {
	return nil, fmt.Errorf("opensslsigner: this program is built without OpenSSL; build it with -tags openssl and CGO_ENABLED=1: %w", errors.ErrUnsupported)
}
