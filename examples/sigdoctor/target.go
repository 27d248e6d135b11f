package main

import (
	"net/url"
	"strings"
)

func leadingSlashes(target string) []string {
	bare := strings.TrimLeft(target, "/")
	return []string{bare, "/" + bare, "//" + bare}
}

func trailingSlashes(target string) []string {
	path, query, _ := strings.Cut(target, "?")
	bare := strings.TrimRight(path, "/")
	if query != "" {
		query = "?" + query
	}
	return []string{bare + query, bare + "/" + query}
}

// fullURLs knows the hosts of the Alipay+ documents.
func fullURLs(target string) []string {
	if u, err := url.Parse(target); err == nil && u.Scheme != "" && u.Host != "" {
		return []string{u.RequestURI()}
	}
	var all []string
	for _, host := range []string{"open-na-global", "open-sea-global", "open-na", "open-sea"} {
		all = append(all, "https://"+host+".alipayplus.com"+target)
	}
	return all
}

func queries(target string) []string {
	path, query, _ := strings.Cut(target, "?")
	all := []string{path, path + "?"}
	if query == "" {
		return all
	}
	all = append(all,
		path+"?"+strings.ReplaceAll(query, "+", "%20"),
		path+"?"+strings.ReplaceAll(query, "%20", "+"))
	if decoded, err := url.QueryUnescape(query); err == nil {
		all = append(all, path+"?"+decoded)
	}
	if values, err := url.ParseQuery(query); err == nil {
		all = append(all, path+"?"+values.Encode()) // in the order of their names
	}
	return all
}

func decodedPaths(target string) []string {
	path, query, hasQuery := strings.Cut(target, "?")
	if hasQuery {
		query = "?" + query
	}
	all := []string{(&url.URL{Path: path}).EscapedPath() + query}
	if decoded, err := url.PathUnescape(path); err == nil {
		all = append(all, decoded+query, (&url.URL{Path: decoded}).EscapedPath()+query)
	}
	if decoded, err := url.PathUnescape(target); err == nil {
		all = append(all, decoded)
	}
	return all
}

// shorterPaths drops segments in front: a proxy's prefix.
func shorterPaths(target string) (all []string) {
	path, query, hasQuery := strings.Cut(target, "?")
	if hasQuery {
		query = "?" + query
	}
	for {
		next := strings.IndexByte(strings.TrimPrefix(path, "/"), '/')
		if next < 0 {
			return all
		}
		path = strings.TrimPrefix(path, "/")[next:]
		all = append(all, path+query)
	}
}
