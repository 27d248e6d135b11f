package auth

import (
	"context"
	"errors"
	"time"
)

// Errors of the stores. A store wraps them or returns them as they are; match
// with errors.Is.
var (
	// ErrNotFound: there is no such record. The error of Service.Check for an
	// unknown token wraps it, too.
	ErrNotFound = errors.New("auth: no such record")
	// ErrConflict: the record changed meanwhile, or is there already.
	ErrConflict = errors.New("auth: the record is not the one that was read")
)

// Stores keeps authorization codes and tokens in one database. Package authsql
// has one on SQL, [NewMemoryStores] makes one in memory, and
// authtest.TestStores is the contract as a test. It must be safe for concurrent
// use, and what it committed must survive a crash. Only DeleteCodes deletes, and
// codes alone: what expired is found, so that it is refused for that, and a
// refresh token that outlives its access token works. (A database that deletes
// by itself after a time breaks both.)
//
// ErrNotFound and ErrConflict are answers. Where the database could not be
// asked, or the context ended, the error is another one.
//
// All keys are digests of 64 hexadecimal characters. Neither ErrNotFound nor
// ErrConflict ends a transaction that ctx carries: the Service reads again and
// goes on in it. So its isolation must be READ COMMITTED, or transactions must
// run one after the other.
type Stores interface {
	// InTx runs fn in a transaction, which the context of fn carries. An error
	// or a panic of fn undoes everything, and the error is returned as it is.
	// fn may run again, after a rollback. If ctx carries a transaction already,
	// fn joins it, and its error or panic undoes the whole. InTx returns nil
	// after the commit alone.
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	// FindCode returns the code with this Digest, or ErrNotFound.
	FindCode(ctx context.Context, digest string) (Code, error)
	// SaveCode stores c in one atomic step: with Version 1 as a new record,
	// else over the one whose Version is one less. The error is ErrConflict if a
	// new record is there already, or if none has the Version that is one less.
	SaveCode(ctx context.Context, c Code) error
	// DeleteCodes deletes at most n codes whose EraseAt is not after now, and
	// returns how many.
	DeleteCodes(ctx context.Context, now time.Time, n int) (deleted int, err error)

	// FindToken returns the token that has key among its Keys, or ErrNotFound.
	FindToken(ctx context.Context, key string) (Token, error)
	// SaveToken stores t in one atomic step: with Version 1 as a new record,
	// else over the one whose ID is the same and whose Version is one less. The
	// error is ErrConflict if a new record is there already or another token has
	// one of its Keys, or if none has the Version that is one less.
	SaveToken(ctx context.Context, t Token) error
	// TokensToErase returns the IDs of at most n tokens whose EraseAt is set
	// and not after now, the earliest first.
	TokensToErase(ctx context.Context, now time.Time, n int) (ids []string, err error)
}
