package auth_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// Stored tokens and codes that are read are JSON, and are stored and read as
// the same.
func FuzzAtRest(f *testing.F) {
	token, err := auth.Token{}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	code, err := auth.Code{}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(code)
	f.Fuzz(func(t *testing.T, data []byte) {
		var k, sameToken auth.Token
		if k.UnmarshalBinary(data) == nil {
			stored, err := k.MarshalBinary()
			if err != nil || sameToken.UnmarshalBinary(stored) != nil || !reflect.DeepEqual(k, sameToken) || !json.Valid(data) {
				t.Fatalf("the token %q is stored as %q: %v", data, stored, err)
			}
		}
		var c, sameCode auth.Code
		if c.UnmarshalBinary(data) == nil {
			stored, err := c.MarshalBinary()
			if err != nil || sameCode.UnmarshalBinary(stored) != nil || !reflect.DeepEqual(c, sameCode) || !json.Valid(data) {
				t.Fatalf("the code %q is stored as %q: %v", data, stored, err)
			}
		}
	})
}

// A notification that is read is written and read as the same, and has the type
// that encoding/json finds in it.
func FuzzAuthNotify(f *testing.F) {
	for _, seed := range []string{
		`{"authorizationNotifyType":"TOKEN_CREATED","accessToken":"a","accessTokenExpiryTime":"2030-01-01T00:00:00Z","customerId":"C"}`,
		`{"authorizationNotifyType":"TOKEN_CANCELED","accessToken":"a"}`,
		`{"authorizationNotifyType":"AUTHCODE_CREATED","authCode":"a","authState":"s"}`,
		`{"authCode":"a"}`, `{"accessToken":"a","accessTokenExpiryTime":"x"}`, `{"authorizationNotifyType":7}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again auth.AuthNotifyRequest
		if json.Unmarshal(data, &r) != nil {
			return
		}
		if r.Notification == nil {
			if string(data) != "null" && json.Valid(data) {
				var v any
				if _ = json.Unmarshal(data, &v); v != nil {
					t.Fatalf("%q is read as nothing", data)
				}
			}
			return
		}
		var members map[string]any
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("%q is no JSON object and is read", data)
		}
		if kind, ok := members["authorizationNotifyType"].(string); ok && kind != "" {
			want := map[string]any{"TOKEN_CREATED": auth.TokenCreated{}, "TOKEN_CANCELED": auth.TokenCanceled{}, "AUTHCODE_CREATED": auth.AuthCodeCreated{}}[kind]
			if reflect.TypeOf(r.Notification) != reflect.TypeOf(want) {
				t.Fatalf("%q is read as %T", data, r.Notification)
			}
		}
		text, err := alipayplus.Marshal(r)
		if err != nil {
			return // read leniently, not fit to be sent
		}
		if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%q is written as %q: %v", data, text, err)
		}
	})
}
