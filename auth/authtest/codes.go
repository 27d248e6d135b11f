package authtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// code returns a new code of the time at.
func (t *storesTest) code(at time.Time) auth.Code {
	return auth.Code{
		Digest: digest(), Version: 1,
		Grant: auth.Grant{
			CustomerID: "C1", AuthClientID: "M1", ReferenceAgreementID: "AG1", ReferenceMerchantID: "R1", Scopes: []string{"A", "B"},
		},
		Expiry: at.Add(10 * time.Minute), EraseAt: at.Add(24 * time.Hour),
	}
}

// consumed returns c after a redemption.
func consumed(c auth.Code, sealed string) auth.Code {
	c.Version++
	c.Consumed = c.Expiry.Add(-time.Minute)
	c.Grant.AcquirerID, c.Grant.PSPID = "A1", "P1"
	c.Repeat = auth.Repeat{Fingerprint: digest(), Until: c.Consumed.Add(auth.RepeatWindow), Sealed: []byte(sealed)}
	c.EraseAt = c.Repeat.Until
	return c
}

func (t *storesTest) saveCode(c auth.Code) {
	t.Helper()
	if err := t.stores.SaveCode(t.Context(), c); err != nil {
		t.Fatalf("SaveCode of version %d: %v", c.Version, err)
	}
}

func (t *storesTest) refuseCode(c auth.Code, why string) {
	t.Helper()
	if err := t.stores.SaveCode(t.Context(), c); !errors.Is(err, auth.ErrConflict) {
		t.Fatalf("SaveCode of %s: %v, want ErrConflict", why, err)
	}
}

func (t *storesTest) wantCode(c auth.Code) {
	t.Helper()
	got, err := t.stores.FindCode(t.Context(), c.Digest)
	if err != nil {
		t.Fatalf("FindCode: %v", err)
	}
	same(t.T, got, c)
}

func (t *storesTest) unknownCode() {
	if _, err := t.stores.FindCode(t.Context(), digest()); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindCode: %v, want ErrNotFound", err)
	}
}

func (t *storesTest) wholeCode() {
	c := t.code(moment())
	t.saveCode(c)
	t.wantCode(c)
	c = consumed(c, allBytes())
	t.saveCode(c)
	t.wantCode(c)
}

func (t *storesTest) codeOnce() {
	c := t.code(moment())
	t.saveCode(c)
	again := c
	again.Grant.CustomerID = "C2"
	t.refuseCode(again, "a digest that is there already")
	t.wantCode(c)
}

func (t *storesTest) codeVersions() {
	c := t.code(moment())
	never := consumed(c, "x")
	t.refuseCode(never, "version 2 of a code that is not there")
	t.saveCode(c)
	winner, loser := consumed(c, "winner"), consumed(c, "loser")
	t.saveCode(winner)
	t.refuseCode(loser, "a version that is there already")
	ahead := winner
	ahead.Version = 4
	t.refuseCode(ahead, "a version that is not the next one")
	t.wantCode(winner)
	last := winner
	last.Version = 3
	last.Repeat = auth.Repeat{}
	t.saveCode(last)
	t.wantCode(last)
}

func (t *storesTest) concurrentCodes() {
	const changes = 32
	for range 20 {
		c := t.code(moment())
		t.saveCode(c)
		var stored atomic.Int32
		var wait sync.WaitGroup
		for i := range changes {
			wait.Go(func() {
				err := t.stores.SaveCode(t.Context(), consumed(c, fmt.Sprint(i)))
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

func (t *storesTest) deletedCodes() {
	at := moment()
	early, late := t.code(at), t.code(at.Add(time.Hour))
	t.saveCode(early)
	t.saveCode(late)
	remove := func(now time.Time, n int) int {
		t.Helper()
		deleted, err := t.stores.DeleteCodes(t.Context(), now, n)
		if err != nil {
			t.Fatalf("DeleteCodes: %v", err)
		}
		return deleted
	}
	const all = 1 << 20
	remove(early.EraseAt.Add(-time.Millisecond), all)
	t.wantCode(early)
	if n := remove(early.EraseAt, all); n != 1 {
		t.Errorf("DeleteCodes says that it deleted %d codes, want 1", n)
	}
	if _, err := t.stores.FindCode(t.Context(), early.Digest); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindCode of a deleted code: %v, want ErrNotFound", err)
	}
	t.refuseCode(consumed(early, "x"), "a deleted code")
	t.wantCode(late)
	late = consumed(late, "x") // which is to be deleted earlier
	t.saveCode(late)
	remove(late.EraseAt.Add(-time.Millisecond), all)
	t.wantCode(late)
	if n := remove(late.EraseAt, all); n != 1 {
		t.Errorf("DeleteCodes says that it deleted %d codes that were redeemed, want 1", n)
	}
	late = t.code(at.Add(time.Hour))
	t.saveCode(late)
	for range 2 {
		t.saveCode(t.code(at))
	}
	for _, want := range []int{0, 1, 1, 0} {
		limit := 1
		if want == 0 {
			limit = 0
		}
		if n := remove(early.EraseAt, limit); n != want {
			t.Errorf("DeleteCodes of at most %d deleted %d", limit, n)
		}
	}
	t.wantCode(late)
}

// expiredCode has codes of long ago: only DeleteCodes deletes one.
func (t *storesTest) expiredCode() {
	for _, c := range []auth.Code{t.code(longAgo()), t.code(longAgo())} {
		t.saveCode(c)
		t.wantCode(c)
		c = consumed(c, "x")
		t.saveCode(c)
		t.wantCode(c)
	}
}

func (t *storesTest) separateCodes() {
	c := consumed(t.code(moment()), "sealed")
	c.Version = 1
	kept := c
	kept.Grant.Scopes = []string{"A", "B"}
	kept.Repeat.Sealed = []byte("sealed")
	t.saveCode(c)
	c.Grant.Scopes[0], c.Repeat.Sealed[0] = "changed", 'X'
	t.wantCode(kept)
	got, err := t.stores.FindCode(t.Context(), c.Digest)
	if err != nil {
		t.Fatal(err)
	}
	got.Grant.Scopes[0], got.Repeat.Sealed[0] = "changed", 'X'
	t.wantCode(kept)
}

func (t *storesTest) exactCodes() {
	c := t.code(moment())
	t.saveCode(c)
	for _, other := range []string{c.Digest[:63], c.Digest + " ", "%", ""} {
		if _, err := t.stores.FindCode(t.Context(), other); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("FindCode of a text that is only like a digest: %v, want ErrNotFound", err)
		}
	}
}
