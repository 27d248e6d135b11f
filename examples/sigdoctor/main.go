// Sigdoctor makes and checks signatures of the Alipay+ protocol, and finds out
// why one does not verify:
//
//	sigdoctor sign   -key own-private.pem -target /aps/api/v1/payments/inquiryPayment \
//	    -client-id WALLET_CLIENT_01 -time 2025-02-20T08:51:49.090Z -body body.json
//	sigdoctor verify -key alipayplus-public.pem -target /wallet/pay \
//	    -client-id WALLET_CLIENT_01 -time 2025-02-20T08:51:49.090Z -body body.json \
//	    -signature 'algorithm=RSA256,keyVersion=1,signature=…'
//
// From a clone it is go run ./examples/sigdoctor.
//
// sign prints the value of the Signature header. verify prints one JSON object,
//
//	{"valid":false,"reason":"…","hints":["trailing-newline"]}
//
// whose hints are explained in SIGNATURES.md of package alipayplus. The exit
// status is 0 if the signature was made or verifies, 1 if it does not verify, 2
// for wrong use. Keys are files in any form that alipayplus.ParsePrivateKey and
// alipayplus.ParsePublicKey read. Nothing leaves the machine, and no key is
// ever printed.
package main

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

const usage = `sigdoctor makes and checks signatures of the Alipay+ protocol.

  sigdoctor sign   -key FILE -target /path -client-id ID -time T -body FILE
                   [-method POST] [-key-version N]
  sigdoctor verify -key FILE -target /path -client-id ID -time T -body FILE
                   -signature HEADER [-method POST] [-other-key FILE]

  -key         sign: the private key that signs. verify: the public key of whoever
               signed.
  -target      path and query of the request as they were sent, not decoded; for
               the signature of an answer the request's, too
  -client-id   header Client-Id
  -time        header Request-Time of a request, Response-Time of an answer
  -body        file with the exact bytes of the body; "-" reads standard input
  -signature   the value of the header Signature
  -method      method of the request
  -key-version version of the key, 1 to 9 digits
  -other-key   another public key, to find out whether that one fits: your own, or
               that of the other environment

Exit status: 0 made or valid, 1 not valid, 2 wrong use. The hints of verify are
explained in alipayplus/SIGNATURES.md.
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit statuses.
const (
	exitOK = iota
	exitInvalid
	exitUsage
)

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var command string
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	status, err := exitUsage, error(nil)
	switch command {
	case "sign":
		status, err = sign(args, stdin, stdout)
	case "verify":
		status, err = verify(args, stdin, stdout)
	case "help", "-h", "-help", "--help":
		err = flag.ErrHelp
	case "":
		err = errors.New("say sign or verify")
	default:
		err = errors.New("the first argument is neither sign nor verify")
	}
	switch {
	case err == nil:
		return status
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage)
		return exitOK
	default:
		_, _ = fmt.Fprintf(stderr, "sigdoctor: %s\nsigdoctor help shows how to use it.\n", strings.TrimPrefix(err.Error(), "alipayplus: "))
		return exitUsage
	}
}

// input is the command line of both commands.
type input struct {
	flags   *flag.FlagSet
	content alipayplus.Content
	key     string
	body    string
}

func newInput() *input {
	in := &input{flags: flag.NewFlagSet("sigdoctor", flag.ContinueOnError)}
	in.flags.SetOutput(io.Discard) // run prints the error, and the usage only when asked
	in.flags.Usage = func() {}
	in.flags.StringVar(&in.key, "key", "", "")
	in.flags.StringVar(&in.content.Method, "method", "POST", "")
	in.flags.StringVar(&in.content.Target, "target", "", "")
	in.flags.StringVar(&in.content.ClientID, "client-id", "", "")
	in.flags.StringVar(&in.content.Time, "time", "", "")
	in.flags.StringVar(&in.body, "body", "", "")
	return in
}

// parse reads args, demands the flags that both commands need and more, and
// reads the body.
func (in *input) parse(args []string, stdin io.Reader, more ...string) error {
	if err := in.flags.Parse(args); err != nil {
		return err
	}
	if in.flags.NArg() > 0 {
		return errors.New("an argument without a flag; quote values that have spaces")
	}
	given := map[string]bool{}
	in.flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, name := range append([]string{"key", "target", "client-id", "time", "body"}, more...) {
		if !given[name] {
			return fmt.Errorf("-%s is missing", name)
		}
	}
	var err error
	if in.body == "-" {
		in.content.Body, err = io.ReadAll(stdin)
	} else {
		in.content.Body, err = os.ReadFile(in.body)
	}
	if err != nil {
		return fmt.Errorf("-body: %w", err)
	}
	return nil
}

func sign(args []string, stdin io.Reader, stdout io.Writer) (int, error) {
	in := newInput()
	version := in.flags.String("key-version", "1", "")
	if err := in.parse(args, stdin); err != nil {
		return exitUsage, err
	}
	key, err := readKey(in.key, alipayplus.ParsePrivateKey)
	if err != nil {
		return exitUsage, fmt.Errorf("-key: %w", err)
	}
	signer, err := alipayplus.NewSigner(*version, key)
	if err != nil {
		return exitUsage, fmt.Errorf("-key-version: %w", err)
	}
	header, err := in.content.Sign(context.Background(), signer)
	if err != nil {
		return exitUsage, errors.New("cannot sign this: " + rule(err))
	}
	_, err = fmt.Fprintln(stdout, header)
	return exitOK, err
}

func verify(args []string, stdin io.Reader, stdout io.Writer) (int, error) {
	in := newInput()
	header := in.flags.String("signature", "", "")
	otherFile := in.flags.String("other-key", "", "")
	if err := in.parse(args, stdin, "signature"); err != nil {
		return exitUsage, err
	}
	key, err := readKey(in.key, alipayplus.ParsePublicKey)
	if err != nil {
		return exitUsage, fmt.Errorf("-key: %w", err)
	}
	var other *rsa.PublicKey
	if *otherFile != "" {
		if other, err = readKey(*otherFile, alipayplus.ParsePublicKey); err != nil {
			return exitUsage, fmt.Errorf("-other-key: %w", err)
		}
	}
	found := diagnose(in.content, *header, key, other)
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(found); err != nil {
		return exitUsage, err
	}
	if !found.Valid {
		return exitInvalid, nil
	}
	return exitOK, nil
}

func readKey[K any](file string, parse func([]byte) (K, error)) (key K, err error) {
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user names
	if err != nil {
		return key, err
	}
	return parse(text) // whose errors never quote the text
}

// rule returns the text of an error without the words that every ErrSignature
// has.
func rule(err error) string {
	return strings.TrimPrefix(err.Error(), alipayplus.ErrSignature.Error()+": ")
}
