package auth_test

import (
	"reflect"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// A handler serves the service, and Alipay+ asks.
func TestBehindTheHandler(t *testing.T) {
	w := newWorld(t)
	store := alipayplus.NewMemoryIdempotencyStore(100)
	handler, err := alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: w.gateway.Credentials(), Idempotency: store},
		w.service.Routes("/")...,
	)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(r *auth.ApplyTokenRequest) *auth.ApplyTokenResponse {
		t.Helper()
		answer, err := alipayplustest.Send(t.Context(), w.gateway, handler, "/applyToken", auth.ApplyToken, r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	is := func(r alipayplus.Result, status alipayplus.ResultStatus, code alipayplus.ResultCode) {
		t.Helper()
		if r.Status != status || r.Code != code {
			t.Errorf("result %v, want %s %s", r, status, code)
		}
	}

	code := w.issueCode()
	first := apply(applyCode(code))
	is(first.Result, "S", "SUCCESS")
	if again := apply(applyCode(code)); !reflect.DeepEqual(*again, *first) {
		t.Error("a repeated request got another answer")
	}
	other := applyCode(code)
	other.AcquirerID = "acquirer-2"
	is(apply(other).Result, "F", "INVALID_CODE")
	is(apply(&auth.ApplyTokenRequest{}).Result, "F", "PARAM_ILLEGAL")
	is(apply(applyRefresh(alipayplus.Conceal("nobody's"))).Result, "F", "INVALID_REFRESH_TOKEN")
	second := apply(applyRefresh(first.RefreshToken))
	is(second.Result, "S", "SUCCESS")
	w.alive(second.AccessToken)

	for _, c := range []struct {
		token  alipayplus.Secret
		status alipayplus.ResultStatus
		code   alipayplus.ResultCode
	}{
		{second.AccessToken, "S", "SUCCESS"},
		{second.AccessToken, "S", "SUCCESS"},
		{alipayplus.Conceal("nobody's"), "F", "INVALID_TOKEN"},
		{alipayplus.Secret{}, "F", "PARAM_ILLEGAL"},
	} {
		answer, err := alipayplustest.Send(t.Context(), w.gateway, handler, "/cancelToken", auth.CancelToken, &auth.CancelTokenRequest{AccessToken: c.token})
		if err != nil {
			t.Fatal(err)
		}
		is(answer.Result, c.status, c.code)
	}
	w.dead(second.AccessToken, "INVALID_TOKEN")

	// A store in trouble decides nothing.
	w.restart(1, false, false)
	troubled, err := alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: w.gateway.Credentials(), Idempotency: store},
		w.service.Routes("/")...,
	)
	if err != nil {
		t.Fatal(err)
	}
	code = w.issueCodeFrom(newService(t, w.config))
	for _, status := range []alipayplus.ResultStatus{"U", "S"} {
		answer, err := alipayplustest.Send(t.Context(), w.gateway, troubled, "/applyToken", auth.ApplyToken, applyCode(code))
		if err != nil || answer.Result.Status != status {
			t.Errorf("%v, %v, want status %s", answer, err, status)
		}
	}
}

func (w *world) issueCodeFrom(s *auth.Service) alipayplus.Secret {
	w.service, s = s, w.service
	defer func() { w.service = s }()
	return w.issueCode()
}

// A prefix without its last slash names the same paths.
func TestRoutesPrefix(t *testing.T) {
	w := newWorld(t)
	for _, prefix := range []string{"/alipayplus/", "/alipayplus"} {
		handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: w.gateway.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(10),
		}, w.service.Routes(prefix)...)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := alipayplustest.Send(t.Context(), w.gateway, handler, "/alipayplus/applyToken", auth.ApplyToken, applyCode(w.issueCode()))
		if err != nil || answer.Result.Status != alipayplus.StatusSucceeded {
			t.Errorf("below %q: %v, %v", prefix, answer, err)
		}
	}
}
