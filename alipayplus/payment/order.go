package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Order is what the buyer and the merchant agreed upon: for the purchase
// record, risk control and regulatory reports. Nothing in it decides how much
// the user is debited; a member that cannot be read is left zero.
//
// It comes with userInitiatedPay (in the answer) and with pay. What Alipay+
// adds for flights, hotels and indirect acquirers is in the raw body only.
type Order struct {
	ReferenceOrderID string                        `json:"referenceOrderId,omitzero" wire:"max=64"`  // REQUIRED, ≤ 64: the merchant's order id
	OrderDescription string                        `json:"orderDescription,omitzero" wire:"max=256"` // REQUIRED, ≤ 256: to show to the user
	OrderAmount      alipayplus.Amount             `json:"orderAmount,omitzero"`                     // REQUIRED: in the merchant's currency
	Merchant         Merchant                      `json:"merchant,omitzero"`                        // REQUIRED
	Goods            []Goods                       `json:"goods,omitzero" wire:"max=100"`            // ≤ 100 items
	Shipping         alipayplus.Personal[Shipping] `json:"shipping,omitzero"`
	Buyer            alipayplus.Personal[Buyer]    `json:"buyer,omitzero"`
	Env              alipayplus.Personal[Env]      `json:"env,omitzero"`
	OrderCreateTime  alipayplus.Time               `json:"orderCreateTime,omitzero"`
	ExtendInfo       alipayplus.Secret             `json:"extendInfo,omitzero" wire:"max=2048"` // ≤ 2048: JSON in a string
}

// Merchant is the seller of an Order.
type Merchant struct {
	ReferenceMerchantID  string          `json:"referenceMerchantId,omitzero" wire:"max=32"` // REQUIRED, ≤ 32: the acquirer's id of it
	MerchantMCC          string          `json:"merchantMCC,omitzero" wire:"max=4"`          // REQUIRED, 4 digits (32 characters in old messages)
	MerchantName         string          `json:"merchantName,omitzero" wire:"max=256"`       // REQUIRED, ≤ 256: legal name
	MerchantDisplayName  string          `json:"merchantDisplayName,omitzero" wire:"max=64"` // ≤ 64: to show to the user
	MerchantAddress      Address         `json:"merchantAddress,omitzero"`                   // of its office
	MerchantRegisterDate alipayplus.Time `json:"merchantRegisterDate,omitzero"`              // when it signed up with the acquirer
	Store                Store           `json:"store,omitzero"`                             // absent online
}

// Store is the branch where the user pays.
type Store struct {
	ReferenceStoreID string  `json:"referenceStoreId,omitzero" wire:"max=64"` // REQUIRED, ≤ 64
	StoreName        string  `json:"storeName,omitzero" wire:"max=256"`       // ≤ 256
	StoreMCC         string  `json:"storeMCC,omitzero" wire:"max=4"`          // 4 digits
	StoreDisplayName string  `json:"storeDisplayName,omitzero" wire:"max=64"` // ≤ 64
	StoreTerminalID  string  `json:"storeTerminalId,omitzero" wire:"max=64"`  // ≤ 64
	StoreOperatorID  string  `json:"storeOperatorId,omitzero" wire:"max=64"`  // ≤ 64
	StorePhoneNo     string  `json:"storePhoneNo,omitzero" wire:"max=16"`     // ≤ 16
	StoreAddress     Address `json:"storeAddress,omitzero"`
}

// Address is a postal address.
type Address struct {
	Region   string `json:"region,omitzero" wire:"max=2"`     // REQUIRED: ISO 3166, two letters
	State    string `json:"state,omitzero" wire:"max=8"`      // ≤ 8
	City     string `json:"city,omitzero" wire:"max=32"`      // ≤ 32
	Address1 string `json:"address1,omitzero" wire:"max=256"` // ≤ 256
	Address2 string `json:"address2,omitzero" wire:"max=256"` // ≤ 256
	ZipCode  string `json:"zipCode,omitzero" wire:"max=32"`   // ≤ 32
}

// Goods is one line of an Order.
type Goods struct {
	ReferenceGoodsID string            `json:"referenceGoodsId,omitzero" wire:"max=64"` // REQUIRED, ≤ 64
	GoodsName        string            `json:"goodsName,omitzero" wire:"max=256"`       // REQUIRED, ≤ 256
	GoodsCategory    string            `json:"goodsCategory,omitzero" wire:"max=256"`   // ≤ 256, levels divided by "/"
	GoodsBrand       string            `json:"goodsBrand,omitzero" wire:"max=32"`       // ≤ 32
	GoodsUnitAmount  alipayplus.Amount `json:"goodsUnitAmount,omitzero"`                // price of one
	GoodsQuantity    string            `json:"goodsQuantity,omitzero" wire:"max=32"`    // digits
}

// Buyer is the customer as the merchant knows them.
type Buyer struct {
	ReferenceBuyerID string   `json:"referenceBuyerId,omitzero" wire:"max=64"` // ≤ 64
	BuyerName        UserName `json:"buyerName,omitzero"`
	BuyerPhoneNo     string   `json:"buyerPhoneNo,omitzero" wire:"max=24"` // ≤ 24
	BuyerEmail       string   `json:"buyerEmail,omitzero" wire:"max=64"`   // ≤ 64
}

// UserName is a person's name.
type UserName struct {
	FirstName  string `json:"firstName,omitzero" wire:"max=32"`  // ≤ 32
	MiddleName string `json:"middleName,omitzero" wire:"max=32"` // ≤ 32
	LastName   string `json:"lastName,omitzero" wire:"max=32"`   // ≤ 32
	FullName   string `json:"fullName,omitzero" wire:"max=128"`  // ≤ 128
}

// Shipping is where the goods go.
type Shipping struct {
	ShippingName    UserName `json:"shippingName,omitzero"`
	ShippingAddress Address  `json:"shippingAddress,omitzero"`
	ShippingCarrier string   `json:"shippingCarrier,omitzero" wire:"max=128"` // ≤ 128
	ShippingPhoneNo string   `json:"shippingPhoneNo,omitzero" wire:"max=16"`  // ≤ 16
}

// Env is the device and the terminal that the order comes from. Newer messages
// leave most of it out, and it may arrive empty.
type Env struct {
	TerminalType             string            `json:"terminalType,omitzero" wire:"max=32"`    // WEB, WAP, APP, MINI_APP
	OSType                   string            `json:"osType,omitzero" wire:"max=32"`          // IOS, ANDROID
	UserAgent                string            `json:"userAgent,omitzero" wire:"max=1024"`     // ≤ 1024
	DeviceTokenID            string            `json:"deviceTokenId,omitzero" wire:"max=128"`  // ≤ 128
	ClientIP                 string            `json:"clientIp,omitzero" wire:"max=64"`        // ≤ 64
	CookieID                 string            `json:"cookieId,omitzero" wire:"max=128"`       // ≤ 128
	StoreTerminalID          string            `json:"storeTerminalId,omitzero" wire:"max=64"` // ≤ 64
	StoreTerminalRequestTime alipayplus.Time   `json:"storeTerminalRequestTime,omitzero"`
	ExtendInfo               alipayplus.Secret `json:"extendInfo,omitzero" wire:"max=2048"` // ≤ 2048: JSON in a string
}
