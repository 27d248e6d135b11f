package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// listen opens a port of this machine; the wallet is a toy and nobody else may
// reach it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w; it is like 127.0.0.1:8480", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-listen %s: the page is for this machine only; use 127.0.0.1", addr)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w; 127.0.0.1:0 takes a free port", err)
	}
	return l, nil
}

func address(l net.Listener) string { return "http://" + l.Addr().String() }

// serve answers at l until ctx ends, and then lets running requests end.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := alipayplus.NewServer("", h)
	server.BaseContext = func(net.Listener) context.Context { return ctx } // ends the streams of events
	return alipayplus.ServeListener(ctx, server, l)
}
