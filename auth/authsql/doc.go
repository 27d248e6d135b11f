// Package authsql keeps authorization codes and tokens in the SQL database of a
// [sqlstore.Store]: PostgreSQL 13 or later, MySQL 8, MariaDB 10.6 or later, or
// SQLite 3.35 or later.
//
// # What you write
//
// [Schema] returns the two tables, for your migration tool; [Migrate] makes
// them, for tests and SQLite. [Open] checks them and returns what auth keeps its
// records in:
//
//	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL)
//	stores, err := authsql.Open(ctx, store)
//	tokens, err := auth.NewService(auth.Config{Stores: stores, Outbox: store.Outbox(), …})
//
// # What you get
//
// A token and its message to Alipay+ change in one transaction, and in that of
// the payment if auth.Service.OnPaid issues it. Everything that package
// sqlstore says about transactions, their repetition and their isolation is
// true here, too.
//
// The table alipayplus_auth_token has columns for your own queries, for example
// to show a user their authorizations:
//
//	SELECT id, auth_client_id FROM alipayplus_auth_token
//	WHERE customer_id = $1 AND reference_agreement_id <> '' AND ended_at > $2
//
// Times are microseconds since 1970. A NUL and a backslash are \x00 and \x5c in
// the columns of ids. Add indexes as you need them, on customer_id for example,
// and change nothing else.
//
// # What can go wrong
//
// Open refuses a database that lacks a table. A record that a newer version of
// auth wrote in another form is an error and stays as it is.
//
// # How long rows live
//
// auth.Service.Run deletes codes. Tokens stay; see package auth.
package authsql
