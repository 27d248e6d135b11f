// Hsm keeps the wallet's key in a PKCS#11 token: the process that signs never
// sees it. It plays a rotation to a second key while calls run, and what
// happens when the token goes away and comes back, with Debian's SoftHSM for
// the token:
//
//	apt-get install softhsm2
//	go run .
//
// What a wallet takes from here is tokenSigner, in signer.go. Its
// crypto11.Config names the module of the token's maker instead of SoftHSM's.
//
// A rotation, in order: make the second key in the token; register its public
// half with Alipay+, which gives it a version; call Use; and when no process
// uses the first one any more, have Alipay+ forget it.
package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

func main() {
	folder, err := os.MkdirTemp("", "hsm")
	if err == nil {
		err = run(context.Background(), os.Stdout, folder)
		_ = os.RemoveAll(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hsm:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, folder string) error {
	w, err := newWallet(ctx, folder, nil)
	if err != nil {
		return err
	}
	defer func() { _ = w.signer.Close(ctx) }()
	for _, version := range []string{"1", "2"} {
		text, err := consoleText(w.public[version])
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "The token made a key; for the developer console, as version %s: %.30s…\n", version, text)
	}

	// A rotation, while calls run.
	var callers sync.WaitGroup
	failed := make(chan error, 100)
	for range 10 {
		callers.Go(func() {
			for range 10 {
				if err := w.call(ctx); err != nil {
					failed <- err
				}
			}
		})
	}
	for w.alipay.signedWith("1") < 30 && len(failed) == 0 {
		time.Sleep(time.Millisecond)
	}
	rotated := w.signer.Use(ctx, "2", "key-2")
	callers.Wait()
	if rotated != nil {
		return rotated
	}
	_, _ = fmt.Fprintf(out, "%d calls were signed with key 1, %d with key 2, %d failed.\n", w.alipay.signedWith("1"), w.alipay.signedWith("2"), len(failed))

	if err := w.hsm.leave(); err != nil {
		return err
	}
	err = w.call(ctx)
	_, _ = fmt.Fprintf(out, "The token is gone. A call: %v. %v\n", alipayplus.OutcomeOf(err), err)
	if err := w.hsm.comeBack(); err != nil {
		return err
	}
	time.Sleep(w.signer.pause)
	err = w.call(ctx)
	_, _ = fmt.Fprintf(out, "The token is back. A call: %v.\n", alipayplus.OutcomeOf(err))
	return errors.Join(err, w.alipay.wrong)
}

// wallet is a client whose keys are in a token.
type wallet struct {
	hsm    *softHSM
	public map[string]*rsa.PublicKey // by key version
	signer *tokenSigner
	alipay *alipay
	client *alipayplus.Client
	codes  atomic.Int64 // each call is about another one
}

func newWallet(ctx context.Context, folder string, retry alipayplus.RetryPolicy) (*wallet, error) {
	hsm, err := newSoftHSM(ctx, folder)
	if err != nil {
		return nil, err
	}
	w := &wallet{hsm: hsm, public: make(map[string]*rsa.PublicKey)}
	for _, version := range []string{"1", "2"} {
		if w.public[version], err = hsm.generate("key-" + version); err != nil {
			return nil, err
		}
	}
	if w.signer, err = openToken(ctx, hsm.config, "1", "key-1"); err != nil {
		return nil, err
	}
	if w.alipay, err = newAlipay(w.public); err != nil {
		return nil, err
	}
	config := w.alipay.Config()
	config.Signer = w.signer
	config.Transport = w.alipay
	config.Retry = retry
	w.client, err = alipayplus.NewClient(config)
	return w, err
}

func (w *wallet) call(ctx context.Context) error {
	_, err := mpm.UserInitiatedPay.Call(ctx, w.client, &mpm.UserInitiatedPayRequest{
		CodeValue: alipayplus.Conceal(fmt.Sprintf("28166604%010d", w.codes.Add(1))), CustomerID: "C1",
	})
	return err
}
