package alipayplus

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// acceptable takes every JSON media type, with any parameters, and its absence;
// no content encoding.
func acceptable(header http.Header) bool {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !sameWord(encoding, "identity") {
		return false
	}
	value := header.Get("Content-Type")
	if value == "" {
		return true
	}
	media, _, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

var errRequestTooLarge = errors.New("the body is larger than 1 MiB")

// readUntil reads the body of a request that nobody verified yet, until
// deadline. NewServer limits that, too, but the handler may run on another
// server.
func readUntil(deadline time.Time, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if http.NewResponseController(w).SetReadDeadline(deadline) == nil {
		return readRequest(r) // net/http ends the deadline with the body
	}
	ctx, cancel := context.WithDeadline(r.Context(), deadline)
	defer cancel()
	return await(ctx, func() ([]byte, error) { return readRequest(r) })
}

func readRequest(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxRequest {
		return nil, errRequestTooLarge
	}
	if r.Body == nil {
		return nil, nil
	}
	size := int64(4 << 10)
	if r.ContentLength >= 0 {
		size = min(r.ContentLength, 64<<10) + 1
	}
	return readAll(r.Body, size, maxRequest, errRequestTooLarge)
}

// readAll reads body to its end into memory of at most twice limit.
func readAll(body io.Reader, size int64, limit int, tooLarge error) ([]byte, error) {
	data := make([]byte, 0, size)
	for {
		if len(data) == cap(data) {
			if len(data) > limit {
				return nil, tooLarge
			}
			grown := make([]byte, len(data), min(2*cap(data), limit+1))
			copy(grown, data)
			data = grown
		}
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF { //nolint:errorlint // a wrapped one is an error of the transport
			if len(data) > limit {
				return nil, tooLarge
			}
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
