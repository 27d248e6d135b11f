package authtest

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// TestStores checks that auth.Stores keep their contract. open is called once
// for each part.
func TestStores(t *testing.T, open func(*testing.T) auth.Stores) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*storesTest)
	}{
		{"codes/an unknown digest is not found", (*storesTest).unknownCode},
		{"codes/a record comes back whole", (*storesTest).wholeCode},
		{"codes/a digest is taken once", (*storesTest).codeOnce},
		{"codes/only the next version is stored", (*storesTest).codeVersions},
		{"codes/of many concurrent changes one is stored", (*storesTest).concurrentCodes},
		{"codes/what is old enough is deleted, in steps", (*storesTest).deletedCodes},
		{"codes/records share no memory with their users", (*storesTest).separateCodes},
		{"codes/digests are compared exactly", (*storesTest).exactCodes},
		{"codes/what expired is there", (*storesTest).expiredCode},
		{"tokens/an unknown key is not found", (*storesTest).unknownToken},
		{"tokens/a record comes back whole, by each of its keys", (*storesTest).wholeToken},
		{"tokens/keys that a token lost do not find it", (*storesTest).lostKeys},
		{"tokens/an ID is taken once", (*storesTest).tokenOnce},
		{"tokens/no two tokens share a digest", (*storesTest).sharedDigests},
		{"tokens/only the next version is stored", (*storesTest).tokenVersions},
		{"tokens/of many concurrent inserts and changes one is stored", (*storesTest).concurrentTokens},
		{"tokens/what is to be erased is listed, the earliest first", (*storesTest).toErase},
		{"tokens/records share no memory with their users", (*storesTest).separateTokens},
		{"tokens/keys are compared exactly", (*storesTest).exactTokens},
		{"tokens/what expired is there", (*storesTest).expiredToken},
		{"what cannot be asked or stored is an error", (*storesTest).errors},
		{"transactions/an error or a panic undoes everything", (*storesTest).rollback},
		{"transactions/a transaction is joined", (*storesTest).joined},
		{"transactions/a conflict does not end a transaction", (*storesTest).goesOn},
		{"transactions/concurrent ones that read again lose nothing", (*storesTest).readsAgain},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(&storesTest{t, open(t)}) })
	}
}

type storesTest struct {
	*testing.T
	stores auth.Stores
}
