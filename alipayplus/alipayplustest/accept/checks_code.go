package accept

import (
	"net/http"
	"regexp"
	"time"
)

var authCodes = []Capability{AuthCodes}

var codeForm = regexp.MustCompile(`^281[0-9]{3}13[0-9A-Za-z]{8,24}$`)

// authCode has the app ask for an authorization code.
func (s *scenario) authCode(u *user) string {
	var answer struct {
		AuthCode string   `json:"authCode"`
		Success  []string `json:"authSuccessScopes"`
	}
	status := u.ask(http.MethodPost, s.cfg.Wallet.Driver, "/authCode", object{"authClientId": authClientID, "scopes": []string{"BASE_USER_INFO"}}, &answer)
	s.must(status == http.StatusOK && answer.AuthCode != "", "an authorization code", "HTTP %d", status)
	return answer.AuthCode
}

func (s *scenario) apply(code string) object {
	return object{"acquirerId": acquirerID, "pspId": pspID, "authClientId": authClientID, "grantType": "AUTHORIZATION_CODE", "authCode": code}
}

func (s *scenario) applyRefresh(token string) object {
	return object{"acquirerId": acquirerID, "pspId": pspID, "authClientId": authClientID, "grantType": "REFRESH_TOKEN", "refreshToken": token}
}

// tokens must be in an answer of applyToken.
func (s *scenario) tokens(got outcome, u *user) (access, refresh string) {
	access, refresh = text(got.members, "accessToken"), text(got.members, "refreshToken")
	s.must(got.status == "S" && access != "" && text(got.members, "accessTokenExpiryTime") != "", "S with accessToken and accessTokenExpiryTime", "%s", redact(got.body))
	s.must(text(got.members, "customerId") == u.ID, "customerId "+u.ID, "%q", text(got.members, "customerId"))
	s.living(got.members)
	return access, refresh
}

// living says that the tokens of a message have a time to live.
func (s *scenario) living(members object) {
	for _, name := range []string{"accessToken", "refreshToken"} {
		value := text(members, name+"ExpiryTime")
		end, err := time.Parse(time.RFC3339, value)
		s.must(text(members, name) == "" || err == nil && end.After(time.Now()), name+"ExpiryTime that is to come", "%q", value)
	}
}

var codeChecks = []check{
	{
		number: 721, name: "an authorization code has its form and gives a token with the customer's id", needs: authCodes,
		loses: "Nobody can pay at merchants of the Chinese mainland.", source: guide + "workflow in the Chinese mainland",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			s.must(codeForm.MatchString(code) && len(code) <= 32, "281, three digits, 13, at most 32 characters", "%d characters of another form", len(code))
			s.must(s.authCode(u) != code, "another code each time", "the same")
			s.tokens(s.ask("applyToken", s.apply(code)), u)
		},
	},
	{
		number: 722, name: "an authorization code is used once; a repeated call gets the same token", needs: authCodes,
		loses: "Who reads a code on its way becomes the user.", source: guide + "workflow in the Chinese mainland: can be used only once",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			access, _ := s.tokens(s.ask("applyToken", s.apply(code)), u)
			again := s.ask("applyToken", s.apply(code))
			if again.status == "S" {
				same, _ := s.tokens(again, u)
				s.must(same == access, "the same token for the same request", "another one")
			}
			other := s.apply(code)
			other["acquirerId"] = "ANOTHER_ACQUIRER"
			s.refused("the code in another request", s.ask("applyToken", other))
		},
	},
	{
		number: 723, name: "a code that many redeem at once gives one token", needs: authCodes,
		loses: "A code is worth several tokens.", source: "package auth, authorization codes and tokens: exactly one token exists",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			tokens := map[string]bool{}
			for _, got := range s.parallel(s.prepare("applyToken", s.apply(code)), 64) {
				if got.status == "S" {
					tokens[text(got.members, "accessToken")] = true
				}
			}
			if got := s.ask("applyToken", s.apply(code)); got.status == "S" {
				tokens[text(got.members, "accessToken")] = true
			}
			s.must(len(tokens) == 1, "one token", "%d", len(tokens))
		},
	},
	{
		number: 724, name: "a code that the wallet never made is refused", needs: authCodes,
		loses: "Whoever makes up a code becomes somebody.", source: "API applyToken, INVALID_CODE",
		run: func(s *scenario) {
			code := s.authCode(s.user(0))
			for _, forged := range []string{code[:31] + map[bool]string{true: "A", false: "B"}[code[31:] != "A"], swapCase(code), code[:8], "281", "x"} {
				if forged == code {
					continue // no letter in it
				}
				s.refused("a forged code", s.ask("applyToken", s.apply(forged)))
			}
			s.tokens(s.ask("applyToken", s.apply(code)), s.user(0))
		},
	},
	{
		number: 725, name: "a code lives for at least five minutes", needs: authCodes, long: true,
		loses: "A slow merchant cannot sell.", source: guide + "workflow in the Chinese mainland: at least five minutes",
		run: func(s *scenario) {
			code := s.authCode(s.user(0))
			s.sleep(4*time.Minute + 55*time.Second)
			s.tokens(s.ask("applyToken", s.apply(code)), s.user(0))
		},
	},
	{
		number: 726, name: "a refresh gives a new pair, once, and the same to a repeat", needs: []Capability{AuthCodes, Refresh},
		loses: "The agreement is lost with one answer on the way, or a stolen refresh token lives for ever.", source: "API applyToken, REFRESH_TOKEN",
		run: func(s *scenario) {
			u := s.user(0)
			oldAccess, oldRefresh := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.must(oldRefresh != "", "a refreshToken", "none")
			access, refresh := s.tokens(s.ask("applyToken", s.applyRefresh(oldRefresh)), u)
			s.must(access != oldAccess && refresh != oldRefresh, "a new pair", "the old one")
			again, refreshAgain := s.tokens(s.ask("applyToken", s.applyRefresh(oldRefresh)), u)
			s.must(again == access && refreshAgain == refresh, "the same pair within five minutes", "another one")
			s.refused("a forged refresh token", s.ask("applyToken", s.applyRefresh(altered(refresh))), "INVALID_REFRESH_TOKEN")
			pairs := map[string]bool{}
			for _, got := range s.parallel(s.prepare("applyToken", s.applyRefresh(refresh)), 64) {
				if got.status == "S" {
					pairs[text(got.members, "accessToken")] = true
				}
			}
			s.must(len(pairs) <= 1, "one new pair from 64 calls at once", "%d", len(pairs))
		},
	},
	{
		number: 727, name: "what was refreshed is dead after five minutes", needs: []Capability{AuthCodes, Refresh}, long: true,
		loses: "A stolen refresh token lives for ever.", source: "API applyToken, REFRESH_TOKEN: five minutes",
		run: func(s *scenario) {
			u := s.user(0)
			_, old := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.tokens(s.ask("applyToken", s.applyRefresh(old)), u)
			s.sleep(6 * time.Minute)
			s.refused("the old refresh token", s.ask("applyToken", s.applyRefresh(old)), "INVALID_REFRESH_TOKEN", "EXPIRED_REFRESH_TOKEN")
		},
	},
	{
		number: 728, name: "a token of the mainland flow does not pay", needs: []Capability{AuthCodes, EasyPay, OneClick},
		loses: "A token that tells who the user is empties the account.", source: "package auth, authorization codes and tokens: AGREEMENT_PAY",
		run: func(s *scenario) {
			u := s.user(0)
			access, _ := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.dead(access, "INVALID_TOKEN")
		},
	},
	{
		number: 729, name: "a token that was cancelled is not refreshed", needs: []Capability{AuthCodes, Refresh, EasyPay, OneClick},
		loses: "A merchant lives on with an agreement that the user ended.", source: "API cancelToken; package auth, Service.CancelToken: the refresh token, too",
		run: func(s *scenario) {
			u := s.user(0)
			access, refresh := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			got := s.ask("cancelToken", object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": access})
			s.must(got.status == "S", "cancelToken is answered S", "%v", got)
			s.refused("the refresh token of a cancelled pair", s.ask("applyToken", s.applyRefresh(refresh)), "INVALID_REFRESH_TOKEN", "EXPIRED_REFRESH_TOKEN")
		},
	},
}
