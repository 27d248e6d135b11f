package authtest

import (
	"context"
	"errors"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

var errUndo = errors.New("authtest: undo")

func (t *storesTest) inTx(fn func(ctx context.Context) error) {
	t.Helper()
	if err := t.stores.InTx(t.Context(), fn); err != nil {
		t.Fatalf("InTx: %v", err)
	}
}

// undone runs fn in a transaction that fails with errUndo.
func (t *storesTest) undone(fn func(ctx context.Context)) {
	t.Helper()
	err := t.stores.InTx(t.Context(), func(ctx context.Context) error { fn(ctx); return errUndo })
	if !errors.Is(err, errUndo) {
		t.Fatalf("InTx: %v, want the error of its function", err)
	}
}

func (t *storesTest) rollback() {
	code, token := t.code(moment()), t.token(moment())
	newCode, newToken := t.code(moment()), t.token(moment())
	t.saveCode(code)
	t.saveToken(token)
	change := func(ctx context.Context) {
		for _, err := range []error{
			t.stores.SaveCode(ctx, newCode), t.stores.SaveCode(ctx, consumed(code, "x")),
			t.stores.SaveToken(ctx, newToken), t.stores.SaveToken(ctx, refreshed(token)),
		} {
			if err != nil {
				t.Fatalf("in a transaction: %v", err)
			}
		}
		if got, err := t.stores.FindToken(ctx, token.ID); err != nil || got.Version != 2 {
			t.Errorf("a transaction does not see what it stored: version %d, %v", got.Version, err)
		}
	}
	unchanged := func() {
		t.Helper()
		t.wantCode(code)
		t.wantToken(token)
		if _, err := t.stores.FindCode(t.Context(), newCode.Digest); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("FindCode of a code that was undone: %v, want ErrNotFound", err)
		}
		for _, key := range newToken.Keys() {
			t.missing(key)
		}
	}
	t.undone(change)
	unchanged()
	func() {
		defer func() { _ = recover() }()
		t.inTx(func(ctx context.Context) error { change(ctx); panic(errUndo) })
	}()
	unchanged()
	t.saveToken(newToken) // its keys are free

	late := t.code(moment())
	ctx, cancel := context.WithCancel(t.Context())
	err := t.stores.InTx(ctx, func(ctx context.Context) error {
		err := t.stores.SaveCode(ctx, late)
		cancel() // before the commit
		return err
	})
	if _, missing := t.stores.FindCode(t.Context(), late.Digest); err == nil && missing != nil {
		t.Errorf("InTx says that it committed, and what it stored is not there: %v", missing)
	}
	t.undone(func(ctx context.Context) {
		if n, err := t.stores.DeleteCodes(ctx, code.EraseAt, 1<<20); err != nil || n == 0 {
			t.Errorf("DeleteCodes: %d, %v", n, err)
		}
	})
	t.wantCode(code)
}

func (t *storesTest) joined() {
	token, second := t.token(moment()), t.token(moment())
	t.undone(func(ctx context.Context) {
		err := t.stores.InTx(ctx, func(ctx context.Context) error { return t.stores.SaveToken(ctx, token) })
		if err != nil {
			t.Fatalf("InTx in a transaction: %v", err)
		}
	})
	t.missing(token.ID) // the outer one decides

	err := t.stores.InTx(t.Context(), func(ctx context.Context) error {
		if err := t.stores.SaveToken(ctx, token); err != nil {
			return err
		}
		inner := t.stores.InTx(ctx, func(ctx context.Context) error {
			if err := t.stores.SaveToken(ctx, second); err != nil {
				return err
			}
			return errUndo
		})
		if !errors.Is(inner, errUndo) {
			t.Errorf("InTx in a transaction: %v, want the error of its function", inner)
		}
		return nil // ignores it
	})
	if err == nil {
		t.Error("a transaction is committed although a function that joined it failed")
	}
	t.missing(token.ID)
	t.missing(second.ID)

	err = t.stores.InTx(t.Context(), func(ctx context.Context) error {
		if err := t.stores.SaveToken(ctx, token); err != nil {
			return err
		}
		func() {
			defer func() { _ = recover() }()
			_ = t.stores.InTx(ctx, func(context.Context) error { panic(errUndo) })
		}()
		return nil // ignores it
	})
	if err == nil {
		t.Error("a transaction is committed although a function that joined it panicked")
	}
	t.missing(token.ID)
}

// errors has a context that ended: no error is taken for an answer.
func (t *storesTest) errors() {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	code, token := t.code(moment()), t.token(moment())
	for what, err := range map[string]error{
		"SaveCode": t.stores.SaveCode(ended, code), "SaveToken": t.stores.SaveToken(ended, token),
	} {
		if errors.Is(err, auth.ErrConflict) {
			t.Errorf("%s of a new record, with a context that has ended: %v", what, err)
		}
		if err != nil { // the record may be there all the same
			continue
		}
		if what == "SaveCode" {
			t.wantCode(code)
		} else {
			t.wantToken(token)
		}
	}
	code, token = t.code(moment()), t.token(moment())
	t.saveCode(code)
	t.saveToken(token)
	if got, err := t.stores.FindCode(ended, code.Digest); errors.Is(err, auth.ErrNotFound) || err == nil && got.Version != 1 {
		t.Errorf("FindCode of a record that is there, with a context that has ended: version %d, %v", got.Version, err)
	}
	if got, err := t.stores.FindToken(ended, token.AccessDigest); errors.Is(err, auth.ErrNotFound) || err == nil && got.Version != 1 {
		t.Errorf("FindToken of a record that is there, with a context that has ended: version %d, %v", got.Version, err)
	}
}

func (t *storesTest) goesOn() {
	code, token := t.code(moment()), t.token(moment())
	t.saveCode(code)
	t.saveToken(token)
	other := t.token(moment())
	other.ID = token.ID
	t.inTx(func(ctx context.Context) error {
		if _, err := t.stores.FindCode(ctx, digest()); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("FindCode: %v, want ErrNotFound", err)
		}
		if _, err := t.stores.FindToken(ctx, digest()); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("FindToken: %v, want ErrNotFound", err)
		}
		for _, err := range []error{
			t.stores.SaveCode(ctx, code), t.stores.SaveToken(ctx, token), t.stores.SaveToken(ctx, other),
		} {
			if !errors.Is(err, auth.ErrConflict) {
				t.Errorf("save in a transaction: %v, want ErrConflict", err)
			}
		}
		if err := t.stores.SaveCode(ctx, consumed(code, "x")); err != nil {
			return err
		}
		return t.stores.SaveToken(ctx, refreshed(token))
	})
	t.wantCode(consumedLike(t, code))
	if got, err := t.stores.FindToken(t.Context(), token.ID); err != nil || got.Version != 2 {
		t.Errorf("the transaction was not committed: version %d, %v", got.Version, err)
	}
}

// consumedLike returns the stored version of c, which must be consumed.
func consumedLike(t *storesTest, c auth.Code) auth.Code {
	t.Helper()
	got, err := t.stores.FindCode(t.Context(), c.Digest)
	if err != nil || got.Version != 2 || got.Consumed.IsZero() {
		t.Fatalf("the transaction was not committed: version %d, %v", got.Version, err)
	}
	return got
}

// readsAgain does what a Service does when somebody else was faster.
func (t *storesTest) readsAgain() {
	const writers = 16
	token := t.token(moment())
	t.saveToken(token)
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			err := t.stores.InTx(t.Context(), func(ctx context.Context) error {
				for range 10 * writers {
					next, err := t.stores.FindToken(ctx, token.ID)
					if err != nil {
						return err
					}
					next.Version++
					err = t.stores.SaveToken(ctx, next)
					if !errors.Is(err, auth.ErrConflict) {
						return err
					}
				}
				return errors.New("a transaction does not see what others committed: its isolation must be READ COMMITTED")
			})
			if err != nil {
				t.Errorf("a change in a transaction: %v", err)
			}
		})
	}
	wait.Wait()
	if got, err := t.stores.FindToken(t.Context(), token.ID); err != nil || got.Version != 1+writers {
		t.Errorf("%d changes made version %d, %v", writers, got.Version, err)
	}
}
