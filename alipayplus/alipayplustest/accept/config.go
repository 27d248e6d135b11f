package accept

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"
)

// Config says where the wallet is and what it can. It is the Go form of
// accept.json, whose members are described in CONTRACT.md.
type Config struct {
	Alipay Alipay `json:"alipay"`
	Wallet Wallet `json:"wallet"`
	// Users are two different customers of the wallet. The first needs a balance
	// of at least MinimumBalance, the second of at least a tenth of it.
	Users []User `json:"users"`
	// OrderCurrency is that of the merchants' orders; "" means JPY.
	OrderCurrency string `json:"orderCurrency"`
	// Currency is the wallet's own, in which the users are debited.
	Currency string `json:"currency"`
	// Capabilities are what the wallet offers; see [Capability].
	Capabilities []Capability `json:"capabilities"`
	Limits       Limits       `json:"limits"`
	// Only names the checks to run by their numbers; empty runs all.
	Only []int `json:"-"`
	// VirtualTime says that waiting costs nothing, because everything runs in a
	// testing/synctest bubble. Checks that wait for minutes run only then.
	VirtualTime bool `json:"-"`
	// Quick leaves out the checks that wait for seconds: for expiry, time-outs and
	// repetitions. What is left takes about half a minute over HTTP.
	Quick bool `json:"-"`
	// Progress, if set, gets each result as soon as it is there.
	Progress func(Result) `json:"-"`
	// Prefix begins every id of the run; "" makes one from the time.
	Prefix string `json:"-"`
	// Transport reaches the wallet; nil means real HTTP.
	Transport http.RoundTripper `json:"-"`
}

// Alipay is the Alipay+ that the suite plays.
type Alipay struct {
	// Listen is where the suite listens, "127.0.0.1:8900".
	Listen string `json:"listen"`
	// BaseURL is how the wallet reaches it; "" means http and Listen. It is the
	// wallet's configured gateway.
	BaseURL string `json:"baseUrl"`
	// Keys sign what the suite sends. The wallet has the public keys of the first
	// and, with KeyRotation, of the second.
	Keys []PrivateKey `json:"keys"`
}

// Wallet is the wallet under test.
type Wallet struct {
	ClientID string `json:"clientId"`
	// Keys verify what the wallet sends: the first, and with KeyRotation the
	// second after the driver's call rotateKey.
	Keys []PublicKey `json:"keys"`
	// App is the base URL of what the wallet's app calls, Driver that of the calls
	// that only a test environment has.
	App    string `json:"app"`
	Driver string `json:"driver"`
	// Inbound are the registered URLs by the name of the API: pay,
	// inquiryPayment, cancelPayment, refund, applyToken, cancelToken.
	Inbound map[string]string `json:"inbound"`
}

// User is a customer of the wallet.
type User struct {
	ID      string            `json:"id"`      // customerId, as Alipay+ gets it
	PIN     string            `json:"pin"`     // "" if a confirmation needs none
	LoginID string            `json:"loginId"` // userLoginId of Easy Pay
	Header  map[string]string `json:"header"`  // of requests of the app and the driver: the login
}

// Limits are what differs between wallets. Zero values mean the default.
type Limits struct {
	// PINTries is how many PINs the verification page takes; 0 means 3.
	PINTries int `json:"pinTries"`
	// NotifySeconds is how long the wallet may take until the first notification
	// arrives, and to tell the app a result; 0 means 15.
	NotifySeconds int `json:"notifySeconds"`
	// ResendSeconds is how long it may take until what was not acknowledged comes
	// again, also after a restart, until a debit without an answer has an end, and
	// until an expired order is closed; 0 means 90. It must be longer than the
	// leases of a process that died, which in the SDK are a minute.
	ResendSeconds int `json:"resendSeconds"`
}

// Capability is something that not every wallet has.
type Capability string

// The capabilities.
const (
	MerchantMode Capability = "merchantMode" // scan, decode, confirm, payments/{id}
	EntryCodes   Capability = "entryCodes"   // scan answers launch, decode is served
	EasyPay      Capability = "easyPay"      // pay: evaluation and creation; the driver's page calls
	ResendOTP    Capability = "resendOtp"    // page/resend
	OneClick     Capability = "oneClick"     // tokens by consent, pay with a token, cancelToken
	Refresh      Capability = "refresh"      // applyToken with a refresh token
	Unbind       Capability = "unbind"       // the driver's call unbind; consultUnbinding
	AuthCodes    Capability = "authCodes"    // the driver's call authCode; applyToken
	Restart      Capability = "restart"      // the driver's call restart
	KeyRotation  Capability = "keyRotation"  // both second keys; the driver's call rotateKey
	Freshness    Capability = "freshness"    // refuses an answer signed an hour ago
	WrongPIN     Capability = "wrongPin"     // confirm checks proof
	LostDebits   Capability = "lostDebits"   // the driver's call loseDebit
)

var capabilities = []Capability{MerchantMode, EntryCodes, EasyPay, ResendOTP, OneClick, Refresh, Unbind, AuthCodes, Restart, KeyRotation, Freshness, WrongPIN, LostDebits}

// Capabilities returns all capabilities that there are.
func Capabilities() []Capability { return slices.Clone(capabilities) }

// MinimumBalance is what the first user needs for one run, in smallest units. Give
// more to repeat runs on the same database.
const MinimumBalance = 300_000

// PrivateKey is a version and an RSA key: PKCS #8, base64 or PEM, in JSON.
type PrivateKey struct {
	Version string          `json:"version"`
	Key     *rsa.PrivateKey `json:"-"`
}

// PublicKey is a version and an RSA key: SubjectPublicKeyInfo, base64 or PEM,
// in JSON.
type PublicKey struct {
	Version string         `json:"version"`
	Key     *rsa.PublicKey `json:"-"`
}

// Load reads an accept.json, the file called name.
func Load(name string) (Config, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user's own file
	if err != nil {
		return Config{}, fmt.Errorf("accept: %w", err)
	}
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&c)
	if _, end := d.Token(); err == nil && !errors.Is(end, io.EOF) {
		err = errors.New("there is more after the JSON")
	}
	if err != nil {
		return Config{}, fmt.Errorf("accept: %s: %w", name, err)
	}
	return c, nil
}

// validate says everything that is wrong with the configuration.
func (c *Config) validate() error {
	var problems []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	for _, capability := range c.Capabilities {
		wrong(!slices.Contains(capabilities, capability), "capabilities: there is no %q, but %q", capability, capabilities)
	}
	wrong(!c.can(MerchantMode) && !c.can(EasyPay), "capabilities: one of %q and %q is needed", MerchantMode, EasyPay)
	wrong(c.can(EntryCodes) && !c.can(MerchantMode), "capabilities: %q needs %q", EntryCodes, MerchantMode)
	for _, capability := range []Capability{OneClick, ResendOTP} {
		wrong(c.can(capability) && !c.can(EasyPay), "capabilities: %q needs %q", capability, EasyPay)
	}
	wrong(c.can(Refresh) && !c.can(AuthCodes), "capabilities: %q needs %q", Refresh, AuthCodes)
	wrong(c.can(Unbind) && !c.can(OneClick), "capabilities: %q needs %q", Unbind, OneClick)

	keys := 1
	if c.can(KeyRotation) {
		keys = 2
	}
	wrong(len(c.Alipay.Keys) < keys, "alipay.keys: %d needed, %d given", keys, len(c.Alipay.Keys))
	wrong(len(c.Wallet.Keys) < keys, "wallet.keys: %d needed, %d given", keys, len(c.Wallet.Keys))
	for i, key := range c.Alipay.Keys {
		wrong(key.Key == nil || key.Version == "", "alipay.keys[%d]: a version and a private key are needed", i)
	}
	for i, key := range c.Wallet.Keys {
		wrong(key.Key == nil || key.Version == "", "wallet.keys[%d]: a version and a public key are needed", i)
		for _, own := range c.Alipay.Keys {
			wrong(key.Key != nil && own.Key != nil && own.Key.PublicKey.Equal(key.Key),
				"wallet.keys[%d]: it is the key of Alipay+, not of the wallet", i)
		}
	}
	wrong(c.Wallet.ClientID == "", "wallet.clientId: missing")
	wrong(c.Currency == "", "currency: missing")

	urls := map[string]string{"alipay.baseUrl": c.Alipay.BaseURL, "wallet.driver": c.Wallet.Driver}
	if c.can(MerchantMode) {
		urls["wallet.app"] = c.Wallet.App
	}
	for _, api := range c.inbound() {
		urls["wallet.inbound."+api] = c.Wallet.Inbound[api]
	}
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		u, err := url.Parse(urls[name])
		wrong(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "%s: %q is no http or https URL", name, urls[name])
	}

	wrong(len(c.Users) < 2, "users: two are needed, %d given", len(c.Users))
	for i, user := range c.Users {
		wrong(user.ID == "", "users[%d].id: missing", i)
		wrong(len(user.Header) == 0, "users[%d].header: missing: it says who is signed in", i)
		wrong(c.can(EasyPay) && user.LoginID == "", "users[%d].loginId: missing, %q needs it", i, EasyPay)
		wrong((c.can(EasyPay) || c.can(WrongPIN)) && user.PIN == "", "users[%d].pin: missing", i)
	}
	wrong(len(c.Users) > 1 && c.Users[0].ID == c.Users[1].ID, "users: both have the id %q", first(c.Users).ID)
	for _, limit := range []struct {
		name  string
		value int
	}{{"pinTries", c.Limits.PINTries}, {"notifySeconds", c.Limits.NotifySeconds}, {"resendSeconds", c.Limits.ResendSeconds}} {
		wrong(limit.value < 0, "limits.%s: %d is negative", limit.name, limit.value)
	}
	for _, number := range c.Only {
		wrong(!slices.ContainsFunc(checks, func(k check) bool { return k.number == number }), "there is no check %d", number)
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("accept: the configuration cannot be used:\n%w", errors.Join(problems...))
}

func first[T any](list []T) (zero T) {
	if len(list) > 0 {
		return list[0]
	}
	return zero
}

// inbound returns the APIs that the wallet must serve.
func (c *Config) inbound() []string {
	apis := []string{"inquiryPayment", "cancelPayment", "refund"}
	if c.can(EasyPay) {
		apis = append(apis, "pay")
	}
	if c.can(AuthCodes) {
		apis = append(apis, "applyToken")
	}
	if c.can(OneClick) {
		apis = append(apis, "cancelToken")
	}
	return apis
}

func (c *Config) can(capability Capability) bool { return slices.Contains(c.Capabilities, capability) }

// fill sets what was left out.
func (c *Config) fill() {
	if c.OrderCurrency == "" {
		c.OrderCurrency = "JPY"
	}
	if c.Alipay.BaseURL == "" && c.Alipay.Listen != "" {
		c.Alipay.BaseURL = "http://" + c.Alipay.Listen
	}
	if c.Limits.PINTries == 0 {
		c.Limits.PINTries = 3
	}
	if c.Limits.NotifySeconds == 0 {
		c.Limits.NotifySeconds = 15
	}
	if c.Limits.ResendSeconds == 0 {
		c.Limits.ResendSeconds = 90
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
}

func (c *Config) notifyWithin() time.Duration {
	return time.Duration(c.Limits.NotifySeconds) * time.Second
}

func (c *Config) resendWithin() time.Duration {
	return time.Duration(c.Limits.ResendSeconds) * time.Second
}
