package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ThalesGroup/crypto11"
)

// softHSM is a token of SoftHSM in a folder of its own. (SoftHSM plays a token
// in the memory of this process, which a real one does not.)
type softHSM struct {
	config crypto11.Config
	folder string
}

// modules are where distributions put SoftHSM.
var modules = []string{
	"/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
	"/opt/homebrew/lib/softhsm/libsofthsm2.so",
}

// findSoftHSM returns SoftHSM's module, or an error that says how to install
// it.
func findSoftHSM() (module string, err error) {
	if _, err := exec.LookPath("softhsm2-util"); err == nil {
		for _, module := range modules {
			if _, err := os.Stat(module); err == nil {
				return module, nil
			}
		}
	}
	return "", fmt.Errorf("SoftHSM is not installed: apt-get install softhsm2")
}

// newSoftHSM makes a token in folder. One process can have one.
func newSoftHSM(ctx context.Context, folder string) (*softHSM, error) {
	module, err := findSoftHSM()
	if err != nil {
		return nil, err
	}
	h := &softHSM{folder: filepath.Join(folder, "tokens")}
	settings := filepath.Join(folder, "softhsm2.conf")
	text := "directories.tokendir = " + h.folder + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.Mkdir(h.folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.Setenv("SOFTHSM2_CONF", settings); err != nil {
		return nil, err
	}
	// A real program gets the PIN from where it gets its other secrets.
	pin := rand.Text()
	out, err := exec.CommandContext(ctx, "softhsm2-util", "--init-token", "--free", "--label", "alipayplus", "--so-pin", rand.Text(), "--pin", pin).CombinedOutput() //nolint:gosec // the arguments are random texts
	if err != nil {
		return nil, fmt.Errorf("softhsm2-util: %w: %s", err, out)
	}
	h.config = crypto11.Config{Path: module, TokenLabel: "alipayplus", Pin: pin, MaxSessions: 16}
	return h, nil
}

// generate makes a key pair in the token, which gives the private half to
// nobody, and returns the public half.
func (h *softHSM) generate(label string) (*rsa.PublicKey, error) {
	config := h.config
	token, err := crypto11.Configure(&config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = token.Close() }()
	pair, err := token.GenerateRSAKeyPairWithLabel([]byte(label), []byte(label), 2048)
	if err != nil {
		return nil, err
	}
	return pair.Public().(*rsa.PublicKey), nil
}

// leave takes the token away, comeBack returns it.
func (h *softHSM) leave() error    { return os.Rename(h.folder, h.folder+".away") }
func (h *softHSM) comeBack() error { return os.Rename(h.folder+".away", h.folder) }

// consoleText returns a public key as the developer console takes it.
func consoleText(public *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	return base64.StdEncoding.EncodeToString(der), err
}
