package codeid_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// exampleRules is an answer of inquiryCodeRules: order codes by their prefix,
// and a merchant's page.
const exampleRules = `{
	"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
	"version": "c_1_example_7",
	"codeRules": [
		{"codeMatchPattern": {"matchMethod": "PREFIX", "prefix": "28100104", "priority": 100},
		 "postCodeMatchAction": {"postCodeMatchActionType": "DECODE"}},
		{"codeMatchPattern": {"matchMethod": "PREFIX", "prefix": "https://shop.example/", "priority": 100},
		 "postCodeMatchAction": {"postCodeMatchActionType": "OPEN_URL", "urlConstructionMethod": "USE_DIRECTLY"}}
	]}`

func Example() {
	ctx := context.Background()
	client := exampleClient()

	local, err := codeid.ReadList(strings.NewReader("host pay.wallet.example\nprefix WLT"))
	if err != nil {
		log.Fatal(err)
	}
	filter := codeid.NewFilter(codeid.Lists{Local: local})
	identifier, err := codeid.Open(ctx, codeid.Config{Client: client, Preset: []byte(exampleRules)})
	if err != nil {
		log.Fatal(err)
	}
	// go identifier.Run(ctx)

	for _, scanned := range []string{
		"https://pay.wallet.example/7",
		"28100104AbC0dEf1GhI2jKl3Mn\r\n",
		"HTTPS://SHOP.EXAMPLE/TABLE/12",
		"https://shop.example@evil.test/",
	} {
		code := codeid.Clean(scanned)
		if v := filter.Check(code); v.Decision != codeid.DecisionIdentify {
			fmt.Println(v.Decision, "by", v.List, v.Kind, v.Entry)
			continue
		}
		id, err := identifier.Identify(ctx, code)
		switch {
		case err != nil:
			fmt.Println("try again:", err)
		case id.Action == codeid.ActionDecode:
			fmt.Println("send to userInitiatedPay")
		case id.Action == codeid.ActionOpenURL:
			fmt.Println("launch", id.RedirectURL(), "as", id.UserAgent)
		default:
			fmt.Println("not supported:", id.Reason)
		}
	}
	// Output:
	// local by local codes host pay.wallet.example
	// send to userInitiatedPay
	// launch HTTPS://SHOP.EXAMPLE/TABLE/12 as AlipayConnect
	// not supported: the URL has user-info
}

// A rule set that was saved, for example by an Identifier, works by itself.
func ExampleParseRuleset() {
	set, err := codeid.ParseRuleset([]byte(exampleRules), codeid.RuleOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Version(), "rules in use:", set.Len())
	for _, s := range set.Skipped() {
		fmt.Println("rule", s.Index, "is skipped:", s.Reason)
	}
	id, err := set.Identify("28100104AbC0dEf1GhI2jKl3Mn")
	fmt.Println(id.Action, "by rule", id.Rule, err)
	// Output:
	// c_1_example_7 rules in use: 2
	// DECODE by rule 0 <nil>
}

// The lists can be replaced while the filter is in use.
func ExampleFilter_Replace() {
	filter := new(codeid.Filter)
	code := "https://pay.bad.example/1"
	fmt.Println(filter.Check(code).Decision)

	block, err := codeid.NewList(codeid.Entry{Kind: codeid.KindHost, Value: "*.bad.example"})
	if err != nil {
		log.Fatal(err)
	}
	filter.Replace(codeid.Lists{Block: block})
	fmt.Println(filter.Check(code).Decision)
	// Output:
	// identify
	// rejected
}

func ExampleReadList() {
	_, err := codeid.ReadList(strings.NewReader("# ours\nexact 28166604AbCdEf\nhost https://a.example\n"))
	fmt.Println(err)
	// Output:
	// codeid: line 3: not a host name with an optional path
}

// bridge asks a service that runs the official server SDK.
type bridge struct { /* an HTTP client */
}

func (bridge) IdentifyCode(_ context.Context, _ alipayplus.Secret) (codeid.RemoteAnswer, error) {
	return codeid.RemoteAnswer{Supported: true, Action: codeid.ActionDecode}, nil
}

// A Remote decides what the rules alone cannot.
func ExampleRemote() {
	rules := strings.Replace(exampleRules, `"postCodeMatchAction": {"postCodeMatchActionType": "DECODE"}}`,
		`"postCodeMatchAction": {"postCodeMatchActionType": "DECODE"}, "extendInfo": {"matchResult": {"trust": "N"}}}`, 1)
	identifier, err := codeid.Open(context.Background(), codeid.Config{Client: exampleClient(), Preset: []byte(rules), Remote: bridge{}})
	if err != nil {
		log.Fatal(err)
	}
	id, err := identifier.Identify(context.Background(), "28100104AbC0dEf1GhI2jKl3Mn")
	fmt.Println(id.Action, "-", id.Reason, err)
	// Output:
	// DECODE - the remote identifier says so <nil>
}

// exampleClient returns a client of an Alipay+ that is not reachable at the
// moment.
func exampleClient() *alipayplus.Client {
	config := alipayplustest.New(quiet{}).Config()
	config.Transport = offline{}
	config.Retry = alipayplus.NoRetry
	client, err := alipayplus.NewClient(config)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

// quiet takes the place of a *testing.T in examples.
type quiet struct{}

func (quiet) Helper()               {}
func (quiet) Cleanup(func())        {}
func (quiet) Errorf(string, ...any) {}
