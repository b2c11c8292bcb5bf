package graphtarget

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// errNoToken is in the error of a call that had no access token to go with.
var errNoToken = errors.New("no access token")

// failed is the reply of a call that ended with err instead of a response.
// Only what can't have reached Graph counts as unsent.
func failed(err error) reply {
	r := reply{fate: lost, err: safe(err)}
	if _, ok := errors.AsType[*tokenError](err); ok || refusedToken(err) {
		r.fate = unsent
		return r
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		r.fate = unsent
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		r.fate = unsent
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		r.fate = unsent
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		r.fate = unsent
	}
	return r
}

// refusedToken reports whether the identity platform itself refused our
// credentials, as opposed to not having been reached.
func refusedToken(err error) bool {
	if e, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return e.RawResponse != nil && e.RawResponse.StatusCode < 500
	}
	_, missing := errors.AsType[*azidentity.AuthenticationRequiredError](err)
	return missing
}

var aadsts = regexp.MustCompile(`AADSTS[0-9]{4,9}`)

// safe makes an error of the transport or the credential fit to be shown. A
// *url.Error has the URL in its text, which may hold a person's name; what a
// credential says may hold anything, so that of it remains the code alone.
func safe(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	_, ours := errors.AsType[*tokenError](err)
	_, theirs := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if ours || theirs {
		shown := errNoToken
		if code := aadsts.FindString(err.Error()); code != "" {
			shown = fmt.Errorf("%w (%s)", errNoToken, code)
		}
		return unshown{shown, err}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	for _, known := range []func(error) bool{is[*net.OpError], is[*net.DNSError], is[*tls.CertificateVerificationError]} {
		if known(err) {
			return err // their texts name addresses and nothing else
		}
	}
	return unshown{errors.New("the connection failed"), err}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// unshown shows one error in the place of another, which remains for errors.Is
// and errors.As.
type unshown struct{ shown, cause error }

func (e unshown) Error() string   { return e.shown.Error() }
func (e unshown) Unwrap() []error { return []error{e.shown, e.cause} }

// noConnection reports whether err is that something couldn't be reached or
// had trouble of its own, as opposed to having refused.
func noConnection(err error) bool {
	if e, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		// azidentity keeps neither the cause nor anything else of a call that
		// got no answer. What refuses has answered, or says why by a code.
		if e.RawResponse == nil {
			return !strings.Contains(e.Error(), "AADSTS")
		}
		return e.RawResponse.StatusCode >= 500 || e.RawResponse.StatusCode == http.StatusRequestTimeout ||
			e.RawResponse.StatusCode == http.StatusTooManyRequests
	}
	return is[net.Error](err)
}
