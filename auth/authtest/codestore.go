package authtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// TestCodeStore is the contract of auth.CodeStore as a test. open is called once
// for each part.
func TestCodeStore(t *testing.T, open func(*testing.T) auth.CodeStore) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*codeTest)
	}{
		{"an unknown code is not found", (*codeTest).unknown},
		{"a record comes back whole", (*codeTest).whole},
		{"a digest is taken once", (*codeTest).once},
		{"only the next version is stored", (*codeTest).versions},
		{"of many concurrent changes one is stored", (*codeTest).concurrent},
		{"codes are deleted at their time, not before", (*codeTest).deleted},
		{"records share no memory with their users", (*codeTest).separate},
		{"digests are exact texts", (*codeTest).exact},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(&codeTest{t, open(t)}) })
	}
}

type codeTest struct {
	*testing.T
	store auth.CodeStore
}

// code is a new code of the time at.
func (t *codeTest) code(at time.Time) auth.Code {
	return auth.Code{
		Digest: digest(), Version: 1,
		Grant:  auth.Grant{CustomerID: "C1", AuthClientID: "M1", Scopes: []string{"A", "B"}},
		Expiry: at.Add(10 * time.Minute), EraseAt: at.Add(24 * time.Hour),
	}
}

// consumed is c after a redemption.
func consumed(c auth.Code, sealed string) auth.Code {
	c.Version++
	c.Consumed = c.Expiry.Add(-time.Minute)
	c.Grant.AcquirerID, c.Grant.PSPID = "A1", "P1"
	c.Repeat = auth.Repeat{Print: digest(), Until: c.Consumed.Add(auth.RepeatWindow), Sealed: []byte(sealed)}
	c.EraseAt = c.Repeat.Until
	return c
}

func (t *codeTest) save(c auth.Code) {
	t.Helper()
	if err := t.store.SaveCode(t.Context(), c); err != nil {
		t.Fatalf("SaveCode of version %d: %v", c.Version, err)
	}
}

func (t *codeTest) refuse(c auth.Code, why string) {
	t.Helper()
	if err := t.store.SaveCode(t.Context(), c); !errors.Is(err, auth.ErrConflict) {
		t.Fatalf("SaveCode of %s: %v, want ErrConflict", why, err)
	}
}

func (t *codeTest) want(c auth.Code) {
	t.Helper()
	got, err := t.store.FindCode(t.Context(), c.Digest)
	if err != nil {
		t.Fatalf("FindCode: %v", err)
	}
	same(t.T, got, c)
}

func (t *codeTest) unknown() {
	if _, err := t.store.FindCode(t.Context(), digest()); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindCode: %v, want ErrNotFound", err)
	}
}

func (t *codeTest) whole() {
	c := t.code(moment())
	t.save(c)
	t.want(c)
	c = consumed(c, allBytes())
	t.save(c)
	t.want(c)
}

func (t *codeTest) once() {
	c := t.code(moment())
	t.save(c)
	again := c
	again.Grant.CustomerID = "C2"
	t.refuse(again, "a digest that is there already")
	t.want(c)
}

func (t *codeTest) versions() {
	c := t.code(moment())
	never := consumed(c, "x")
	t.refuse(never, "version 2 of a code that is not there")
	t.save(c)
	winner, loser := consumed(c, "winner"), consumed(c, "loser")
	t.save(winner)
	t.refuse(loser, "a version that is there already")
	ahead := winner
	ahead.Version = 4
	t.refuse(ahead, "a version that is not the next one")
	t.want(winner)
	last := winner
	last.Version = 3
	last.Repeat = auth.Repeat{}
	t.save(last)
	t.want(last)
}

func (t *codeTest) concurrent() {
	const changes = 32
	for range 20 {
		c := t.code(moment())
		t.save(c)
		var stored atomic.Int32
		var wait sync.WaitGroup
		for i := range changes {
			wait.Go(func() {
				err := t.store.SaveCode(t.Context(), consumed(c, fmt.Sprint(i)))
				switch {
				case err == nil:
					stored.Add(1)
				case !errors.Is(err, auth.ErrConflict):
					t.Errorf("SaveCode: %v", err)
				}
			})
		}
		wait.Wait()
		if n := stored.Load(); n != 1 {
			t.Fatalf("%d of %d concurrent redemptions of one code were stored, want 1", n, changes)
		}
	}
}

func (t *codeTest) deleted() {
	at := moment()
	early, late := t.code(at), t.code(at.Add(time.Hour))
	t.save(early)
	t.save(late)
	remove := func(now time.Time) {
		t.Helper()
		if err := t.store.DeleteCodes(t.Context(), now); err != nil {
			t.Fatalf("DeleteCodes: %v", err)
		}
	}
	remove(early.EraseAt.Add(-time.Millisecond))
	t.want(early)
	remove(early.EraseAt)
	if _, err := t.store.FindCode(t.Context(), early.Digest); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindCode of a deleted code: %v, want ErrNotFound", err)
	}
	t.refuse(consumed(early, "x"), "a deleted code")
	t.want(late)
}

func (t *codeTest) separate() {
	c := consumed(t.code(moment()), "sealed")
	c.Version = 1
	kept := c
	kept.Grant.Scopes = []string{"A", "B"}
	kept.Repeat.Sealed = []byte("sealed")
	t.save(c)
	c.Grant.Scopes[0], c.Repeat.Sealed[0] = "changed", 'X'
	t.want(kept)
	got, err := t.store.FindCode(t.Context(), c.Digest)
	if err != nil {
		t.Fatal(err)
	}
	got.Grant.Scopes[0], got.Repeat.Sealed[0] = "changed", 'X'
	t.want(kept)
}

func (t *codeTest) exact() {
	c := t.code(moment())
	t.save(c)
	for _, other := range []string{c.Digest[:63], c.Digest + " ", "%", ""} {
		if _, err := t.store.FindCode(t.Context(), other); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("FindCode of a text that is only like a digest: %v, want ErrNotFound", err)
		}
	}
}
