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
	// ErrFull: a MemoryStore holds as many records as it may.
	ErrFull = errors.New("auth: the store is full")
)

// CodeStore keeps authorization codes. It must be safe for concurrent use, and
// what it returned nil for must survive a crash. authtest.TestCodeStore checks
// one.
//
// In SQL it is one table: digest (primary key), version, erase_at (indexed) and
// the record as JSON.
type CodeStore interface {
	// FindCode returns the code with this Digest, or ErrNotFound.
	FindCode(ctx context.Context, digest string) (Code, error)
	// SaveCode stores c in one atomic step: with Version 1 as a new record, else
	// over the one whose Version is one less. ErrConflict: there is one already,
	// or not that one.
	SaveCode(ctx context.Context, c Code) error
	// DeleteCodes deletes the codes whose EraseAt is not after now.
	DeleteCodes(ctx context.Context, now time.Time) error
}

// TokenStore keeps tokens. It must be safe for concurrent use, and what it
// returned nil for must survive a crash. authtest.TestTokenStore checks one.
//
// In SQL it is one table: id (primary key), version, four columns for the
// digests, each of them unique, due (indexed, null for the zero time) and the
// record as JSON. If it takes a transaction from the context, Service.Issue can
// be a part of the transaction that debits the user.
type TokenStore interface {
	// FindToken returns the token that has key among its Keys, or ErrNotFound.
	FindToken(ctx context.Context, key string) (Token, error)
	// SaveToken stores t in one atomic step: with Version 1 as a new record,
	// else over the one whose ID is the same and whose Version is one less.
	// ErrConflict: there is one already, or not that one, or another token has
	// one of the Keys.
	SaveToken(ctx context.Context, t Token) error
	// DueTokens returns at most limit tokens whose Due is set and not after now,
	// those that are due longest first.
	DueTokens(ctx context.Context, now time.Time, limit int) ([]Token, error)
}
