// Package authtest tests a wallet's own stores of authorization codes and
// tokens: the contracts of auth.CodeStore and auth.TokenStore as tests, in the
// way of testing/fstest.
//
//	func TestStores(t *testing.T) {
//		db := openTestDatabase(t)
//		authtest.TestCodeStore(t, func(*testing.T) auth.CodeStore { return db.Codes() })
//		authtest.TestTokenStore(t, func(*testing.T) auth.TokenStore { return db.Tokens() })
//	}
//
// Give them a database of their own: DeleteCodes deletes whatever is old enough.
// All digests are random, so that it need not be emptied between runs.
package authtest
