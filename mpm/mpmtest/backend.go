package mpmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// ask sends a request to the backend, again while the answer is 503, and reads
// the answer: a step, or the error of another amount.
func (a *App) ask(ctx context.Context, method, path string, body any) (step answer, err error) {
	if a.Backend == nil {
		return step, errors.New("mpmtest: App.Backend is not set")
	}
	var data []byte
	if body != nil {
		if data, err = json.Marshal(body); err != nil {
			return step, err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return step, err
		}
		request := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(data))
		maps.Copy(request.Header, a.Header)
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		recorder := httptest.NewRecorder()
		a.Backend.ServeHTTP(recorder, request)
		response := recorder.Result()
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return step, err
		}
		switch response.StatusCode {
		case http.StatusOK, http.StatusConflict:
			return read(text)
		case http.StatusServiceUnavailable:
			a.note("app -> user: please wait")
			seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
			if err != nil || seconds <= 0 {
				return step, errors.New("mpmtest: HTTP 503 does not say when to ask again: Retry-After")
			}
			if err := wait(ctx, time.Duration(seconds)*time.Second); err != nil {
				return step, err
			}
		default:
			return step, fmt.Errorf("mpmtest: %s %s is answered HTTP %d: %s", method, path, response.StatusCode, text)
		}
	}
}
