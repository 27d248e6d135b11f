package auth_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authtest"
)

func TestMemoryStores(t *testing.T) {
	authtest.TestStores(t, func(*testing.T) auth.Stores { return newMemoryStores() })
}

// A context that has ended is an error: a code or a token of nobody would be
// worse than none.
func TestMemoryStoresNeedALiveContext(t *testing.T) {
	stores := newMemoryStores()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, code := stores.FindCode(ended, "digest")
	_, token := stores.FindToken(ended, "id")
	_, list := stores.TokensToErase(ended, time.Now(), 1)
	for name, err := range map[string]error{
		"FindCode": code, "FindToken": token, "TokensToErase": list,
		"SaveCode": stores.SaveCode(ended, auth.Code{}), "SaveToken": stores.SaveToken(ended, auth.Token{}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The contract suite finds the mistakes that stores are made with, each by the
// part that is about it.
func TestSuiteFindsBrokenStores(t *testing.T) {
	const variable = "AUTH_TEST_BROKEN_STORE"
	if name := os.Getenv(variable); name != "" {
		authtest.TestStores(t, func(*testing.T) auth.Stores { return brokenStores[name].open(newMemoryStores()) })
		return
	}
	timeout := "0" // no other limit than this process has
	if deadline, ok := t.Deadline(); ok {
		timeout = time.Until(deadline).String()
	}
	var wait sync.WaitGroup
	turns := make(chan bool, 4)
	for name, broken := range brokenStores {
		wait.Go(func() {
			turns <- true
			defer func() { <-turns }()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteFindsBrokenStores$", "-test.timeout="+timeout)
			cmd.Env = append(os.Environ(), variable+"="+name)
			out, _ := cmd.CombinedOutput()
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "--- FAIL") && strings.Contains(line, strings.ReplaceAll(broken.part, " ", "_")) {
					return
				}
			}
			t.Errorf("%q: %q passes\n%s", name, broken.part, out)
		})
	}
	wait.Wait()
	t.Logf("%d stores with a mistake each, all found", len(brokenStores))
}
