package graphtarget

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// DefaultEndpoint is Graph in the worldwide cloud.
const DefaultEndpoint = "https://graph.microsoft.com/v1.0"

// graphHosts are the hosts that a token for Graph is sent to unasked. The scope
// is the host's own, except at a loopback address.
//
//nolint:gochecknoglobals // a constant table
var graphHosts = map[string]bool{
	"graph.microsoft.com":             true,
	"graph.microsoft.us":              true,
	"dod-graph.microsoft.us":          true,
	"microsoftgraph.chinacloudapi.cn": true,
}

// An endpoint is where Graph is, checked.
type endpoint struct {
	base  *url.URL // without a slash at the end
	scope string   // what tokens are asked for
}

// parseEndpoint checks raw and finds the scope that goes with it.
func parseEndpoint(raw, scope string) (endpoint, error) {
	if raw == "" {
		raw = DefaultEndpoint
	}
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case err != nil:
		return endpoint{}, errors.New("endpoint is no URL") // the text may hold credentials
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return endpoint{}, errors.New("endpoint has to be a URL of scheme, host and path, like " + DefaultEndpoint)
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	local := loopback(u)
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return endpoint{}, fmt.Errorf("endpoint %s: must be https, since it is sent an access token; http is for a loopback address only", u.Host)
	}
	if scope == "" {
		switch {
		case graphHosts[u.Hostname()]:
			scope = "https://" + u.Hostname() + "/.default"
		case local:
			scope = "https://graph.microsoft.com/.default"
		default:
			return endpoint{}, fmt.Errorf("endpoint %s isn't one of Microsoft's: say by Options.Scope what its tokens are for", u.Host)
		}
	}
	return endpoint{base: u, scope: scope}, nil
}

// loopback says whether u's host is this machine. It is no wider than what the
// SDK takes for it, or else the SDK would refuse to send a token by http.
func loopback(u *url.URL) bool {
	switch strings.ToLower(u.Hostname()) {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}

// owns reports whether u is on the endpoint's scheme, host and port, the only
// place that is ever sent a request.
func (e endpoint) owns(u *url.URL) bool {
	return strings.EqualFold(u.Scheme, e.base.Scheme) && strings.EqualFold(u.Host, e.base.Host) && u.User == nil
}

// relative is u as an inner request of a batch names it.
func (e endpoint) relative(u *url.URL) string {
	rel := strings.TrimPrefix(u.EscapedPath(), e.base.EscapedPath())
	if u.RawQuery != "" {
		rel += "?" + u.RawQuery
	}
	return rel
}
