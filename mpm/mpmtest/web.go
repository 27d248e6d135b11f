package mpmtest

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// authorization is what Alipay+ makes of an authorization URL for the client
// SDK.
type authorization struct {
	redirectURL  string // where the user goes with the code
	authClientID string
	scopes       []string
}

// load loads rawURL from the merchant, as a WebView does. entered is what the
// user enters if asked for an amount. next is where the page sends the WebView,
// "" if it stays.
func (m *Merchant) load(ctx context.Context, rawURL, userAgent string, entered alipayplus.Amount) (next string, err error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host != "shop.example" {
		return "", fmt.Errorf("mpmtest: there is no page of the merchant at this URL")
	}
	switch {
	case strings.HasPrefix(u.Path, "/result/"):
		m.Journal.Note("merchant -> user: result page of the merchant")
		return "", nil
	case u.Path != "/entry/M0001":
		return "", fmt.Errorf("mpmtest: the merchant has no such page")
	case !strings.Contains(userAgent, "AlipayConnect"):
		m.Journal.Note("merchant -> user: please scan with a wallet of Alipay+")
		return "", fmt.Errorf("mpmtest: the merchant does not know this user agent; pass the userAgent of the step to launch")
	case m.AuthClientID != "" && !u.Query().Has("auth_code"):
		m.Journal.Note("merchant: knows the user agent, composes the authorization URL")
		m.Journal.Note("merchant -> SDK: authorization URL")
		return authorizationURL, nil
	case m.AuthClientID != "":
		if err := m.identifyUser(ctx, u.Query().Get("auth_code")); err != nil {
			return "", err
		}
	}
	m.Journal.Note("merchant -> user: amount page")
	if entered.IsZero() {
		return "", fmt.Errorf("mpmtest: the user is asked for an amount; set SDK.Amount")
	}
	m.Journal.Note(fmt.Sprintf("user -> merchant: %v", entered))
	next = m.place(entered, true)
	m.Journal.Note("merchant -> SDK: order code URL")
	return next, nil
}

// identifyUser asks Alipay+ who the user is, as the merchant does.
func (m *Merchant) identifyUser(ctx context.Context, authCode string) error {
	m.Journal.Note("merchant -> Alipay+: authorization code")
	m.Journal.Note("Alipay+ -> backend: applyToken")
	customer := "any customer"
	if m.ApplyToken != nil {
		var err error
		if customer, err = m.ApplyToken(ctx, authCode); err != nil {
			return fmt.Errorf("mpmtest: applyToken: %w", err)
		}
	}
	if customer == "" {
		m.tb.Errorf("mpmtest: applyToken was answered without customerId, which a merchant of the Chinese mainland needs")
	}
	m.Journal.Note("backend -> Alipay+: access token and customerId")
	m.Journal.Note("Alipay+ -> merchant: user id")
	return nil
}

// authorize reads an authorization URL for the client SDK, as Alipay+ does.
func (m *Merchant) authorize() authorization {
	m.Journal.Note("SDK -> Alipay+: authorization URL")
	m.Journal.Note("Alipay+ -> SDK: redirect URL, scopes, authClientId")
	return authorization{redirectURL: entryCodeURL, authClientID: m.AuthClientID, scopes: []string{"BASE_USER_INFO"}}
}

// page returns what the client SDK shows for a payload of Alipay+.
func (m *Merchant) page(payload string) (text string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok = m.payloads[payload]
	return text, ok
}
