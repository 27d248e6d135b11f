// Package opensslsigner signs with OpenSSL 3, which makes RSA signatures three
// to five times as fast as crypto/rsa: the signature is most of what a call and
// an answer cost (see PERFORMANCE.md of package alipayplus). The signatures are
// the same, byte for byte.
//
//	signer, err := opensslsigner.New("1", privateKey)
//	…
//	credentials := alipayplus.Credentials{ClientID: "…", Signer: signer, Keys: keys}
//
// It needs a C compiler and OpenSSL's headers (Debian: gcc and libssl-dev), and
// is built with a tag:
//
//	go build -tags openssl
//
// Without the tag, or without cgo, the package compiles and New returns an
// error that wraps errors.ErrUnsupported. So a host may fall back:
//
//	if errors.Is(err, errors.ErrUnsupported) {
//		signer, err = alipayplus.NewSigner("1", parsedKey)
//	}
//
// The program is then linked to libcrypto.so.3, whose updates are the
// operating system's.
package opensslsigner
