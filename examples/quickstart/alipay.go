package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// answerAsAlipay scripts what Alipay+ answers, beside the shop's orders and
// notifications. Everything is invented.
func (w *world) answerAsAlipay() {
	alipayplustest.Answer(w.alipay, codeid.InquiryCodeRules,
		func(context.Context, *codeid.InquiryCodeRulesRequest) (*codeid.InquiryCodeRulesResponse, error) {
			answer := new(codeid.InquiryCodeRulesResponse)
			return answer, json.Unmarshal(w.shop.CodeRules(), answer)
		})
	alipayplustest.Answer(w.alipay, auth.AuthNotify,
		func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
			if created, ok := r.Notification.(auth.TokenCreated); ok {
				w.known = append(w.known, created.AccessToken)
			}
			return &auth.AuthNotifyResponse{}, nil
		})
}

// ran counts how often Alipay+ really processed an API for key.
func (w *world) ran(op interface{ Name() string }, key string) int {
	n := 0
	for _, call := range w.alipay.Calls(op) {
		if call.Ran && call.Key == key {
			n++
		}
	}
	return n
}

// expect turns what must hold at the end of a step into an error if it does not.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, should be %v", what, got, want)
	}
	return nil
}
