package main

import (
	"bytes"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// mistake is one way in which the text that was signed and the text that is
// verified come to differ. It does not matter which side made it: undo tries
// both ways.
type mistake struct {
	hint  string
	undo  func(alipayplus.Content) []alipayplus.Content
	alone bool // too many guesses to be combined with another mistake
}

// mistakes are tried in this order: a specific one before a general one that
// covers it.
var mistakes = []mistake{
	{hint: "method", undo: onMethod},
	{hint: "client-id-case", undo: onClientID},
	{hint: "whitespace", undo: onSpaces},
	{hint: "time-precision", undo: onTime(fractions)},
	{hint: "time-precision", undo: onTime(lostMilliseconds), alone: true},
	{hint: "time-form", undo: onTime(timeForms)},
	{hint: "leading-slash", undo: onTarget(leadingSlashes)},
	{hint: "trailing-slash", undo: onTarget(trailingSlashes)},
	{hint: "full-url", undo: onTarget(fullURLs)},
	{hint: "query", undo: onTarget(queries)},
	{hint: "path-decoded", undo: onTarget(decodedPaths)},
	{hint: "path-prefix", undo: onTarget(shorterPaths)},
	{hint: "crlf", undo: onLineEnds},
	{hint: "trailing-newline", undo: onBody(trailingNewlines)},
	{hint: "byte-order-mark", undo: onBody(byteOrderMarks)},
	{hint: "empty-body", undo: onBody(func([]byte) [][]byte { return [][]byte{nil} })},
	{hint: "escaped-slash", undo: onBody(slashes)},
	{hint: "escaped-unicode", undo: onBody(unicodeEscapes)},
	{hint: "charset", undo: onBody(charsets)},
	{hint: "json-reserialized", undo: onBody(reserialized)},
}

func onMethod(c alipayplus.Content) (all []alipayplus.Content) {
	for _, method := range []string{"POST", "post", "GET", "PUT", "PATCH", "DELETE", strings.ToUpper(c.Method), strings.ToLower(c.Method)} {
		c.Method = method
		all = append(all, c)
	}
	return all
}

func onClientID(c alipayplus.Content) (all []alipayplus.Content) {
	for _, id := range []string{strings.ToUpper(c.ClientID), strings.ToLower(c.ClientID)} {
		c.ClientID = id
		all = append(all, c)
	}
	return all
}

func onSpaces(c alipayplus.Content) []alipayplus.Content {
	c.Method, c.Target = strings.TrimSpace(c.Method), strings.TrimSpace(c.Target)
	c.ClientID, c.Time = strings.TrimSpace(c.ClientID), strings.TrimSpace(c.Time)
	return []alipayplus.Content{c}
}

// onLineEnds covers the body and the line end between the two lines.
func onLineEnds(c alipayplus.Content) []alipayplus.Content {
	lf := bytes.ReplaceAll(c.Body, []byte("\r\n"), []byte("\n"))
	crlf := bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))
	all := onBody(func([]byte) [][]byte { return [][]byte{lf, crlf} })(c)
	c.Target += "\r"
	return append(all, c)
}

func onTarget(undo func(string) []string) func(alipayplus.Content) []alipayplus.Content {
	return func(c alipayplus.Content) (all []alipayplus.Content) {
		for _, target := range undo(c.Target) {
			c.Target = target
			all = append(all, c)
		}
		return all
	}
}

func onTime(undo func(string) []string) func(alipayplus.Content) []alipayplus.Content {
	return func(c alipayplus.Content) (all []alipayplus.Content) {
		for _, text := range undo(c.Time) {
			c.Time = text
			all = append(all, c)
		}
		return all
	}
}

func onBody(undo func([]byte) [][]byte) func(alipayplus.Content) []alipayplus.Content {
	return func(c alipayplus.Content) (all []alipayplus.Content) {
		for _, body := range undo(c.Body) {
			c.Body = body
			all = append(all, c)
		}
		return all
	}
}
