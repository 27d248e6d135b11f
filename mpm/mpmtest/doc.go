// Package mpmtest plays the other parties of merchant-presented mode in a
// wallet's tests: the merchant with its acquirer and the orders that Alipay+
// keeps for it ([Merchant]), the Alipay+ client SDK on the user's phone
// ([SDK]), and the wallet's app ([App]). They use an alipayplustest.Gateway, in
// memory.
//
// Package mpm's own tests run all workflows of the Alipay+ documents with it,
// from the first step to the last. A wallet plugs in its backend as the
// http.Handler that its app talks to:
//
//	func TestEntryCode(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) { // pages stay for seconds; here that takes no time
//			g := alipayplustest.New(t)
//			shop := mpmtest.NewMerchant(t, g)
//			wallet := newWallet(t, g.Config(), shop.CodeRules()) // what is under test
//			app := mpmtest.NewApp(shop, wallet.flow.Handler(customer))
//			app.Header.Set("Authorization", "Bearer alice")
//			app.SDK.Amount = alipayplus.Amount{Currency: "JPY", Minor: 100}
//
//			pages, err := app.ScanCode(t.Context(), shop.EntryCode())
//			// err is nil, pages are what the user saw:
//			// amount page, cashier page, the wallet's result page, the merchant's
//		})
//	}
//
// What a party does wrong becomes an error of the test: a payload of the client
// SDK that was changed on its way, a callback that runs twice or never, an
// authorization code of another form, JSON that does not say what to do.
//
// Every party writes what it does into the [Journal] of the Merchant, a line
// for each arrow of the documents' figures. To see one whole, print its Lines.
package mpmtest
