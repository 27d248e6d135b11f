// Package authtest tests a wallet's own database of authorization codes and
// tokens: the contract of auth.Stores as a test, in the way of testing/fstest.
//
//	func TestTokens(t *testing.T) {
//		db := openTestDatabase(t)
//		authtest.TestStores(t, func(*testing.T) auth.Stores { return db.Stores() })
//	}
//
// Give it a database of its own: DeleteCodes deletes whatever is old enough.
// All digests are random, so that it need not be emptied between runs.
//
// That an outbox works in the transactions of the Stores is the contract of the
// outbox: run alipayplustest.TestOutbox with InTx of your Stores.
package authtest
