package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/dirbridge/dirbridge/target"
)

// An outcome is what a reply means for the change that was asked for.
type outcome int

const (
	made    outcome = iota // Graph did it
	refused                // Graph didn't do it, and says why
	untried                // it wasn't sent
	unknown                // it may have been done, or may not
)

// A verdict is a reply, judged.
type verdict struct {
	outcome outcome
	err     *target.Error // unless made: as for a change that was tried once
}

// judge says what r means. It is tolerant on purpose: Graph's codes and
// messages vary, and a reply may come from a proxy instead of Graph.
func judge(r reply) verdict {
	switch r.fate {
	case unsent:
		return verdict{untried, unsentError(r)}
	case throttled:
		return verdict{untried, &target.Error{
			Sentinel: target.ErrThrottled, RetryAfter: retryAfter(r.header), RequestID: r.requestID(), ClientRequestID: r.clientID, Err: r.err,
		}}
	case lost:
		return verdict{unknown, &target.Error{
			Sentinel: target.ErrUnknownOutcome, RequestID: r.requestID(), ClientRequestID: r.clientID, Err: r.err,
		}}
	}
	if r.ok() {
		return verdict{outcome: made}
	}
	f := faultOf(r)
	e := &target.Error{RequestID: r.requestID(), ClientRequestID: r.clientID, Err: refusalOf(r, f)}
	e.Attribute, e.Sentinel = meaning(r.status, f)
	if e.Sentinel == nil {
		e.Sentinel = target.ErrUnknownOutcome
		return verdict{unknown, e}
	}
	return verdict{refused, e}
}

// unsentError is for what was never sent.
func unsentError(r reply) *target.Error {
	e := &target.Error{Sentinel: target.ErrUnavailable, Err: r.err}
	switch {
	case errors.Is(r.err, context.Canceled), errors.Is(r.err, context.DeadlineExceeded):
		e.Sentinel = target.ErrNotApplied
	case errors.Is(r.err, errNoToken) && !noConnection(r.err):
		e.Sentinel = target.ErrUnauthenticated
	}
	return e
}

// meaning finds the sentinel of an error reply, and the attribute that it is
// about. It is nil if the reply doesn't tell whether the request was carried
// out.
func meaning(status int, f fault) (attribute string, sentinel error) {
	switch {
	case status >= http.StatusInternalServerError,
		f.has("Directory_ConcurrencyViolation", "Directory_ReplicaUnavailable"):
		return "", nil
	case f.has("ObjectConflict", "Request_MultipleObjectsWithSameKeyValue"),
		f.says("another object with the same value", "conflicting object with one or more"):
		return f.attribute(), target.ErrExists
	case f.says("domain portion of the userPrincipalName"):
		return target.AttrUserPrincipalName, target.ErrDomainNotVerified
	case f.says("on-premises mastered", "originated within an external service", "is read-only", "read-only and cannot be set",
		"cannot update a mail-enabled", "support writes of mail-enabled groups"):
		return f.attribute(), target.ErrReadOnly
	case f.has("Directory_QuotaExceeded"):
		return "", target.ErrQuota
	case status == http.StatusUnauthorized:
		return "", target.ErrUnauthenticated
	case f.has("Authorization_IdentityNotFound", "Authorization_IdentityDisabled", "Authentication_ExpiredToken",
		"Authentication_Unauthorized", "Authentication_MissingOrMalformed", "InvalidAuthenticationToken"):
		return "", target.ErrUnauthenticated
	case f.has("Request_ResourceNotFound", "Directory_ObjectNotFound"):
		return "", target.ErrNotFound
	case f.known() && (status == http.StatusNotFound || status == http.StatusGone):
		return "", target.ErrNotFound
	case f.known() && status == http.StatusForbidden:
		return f.attribute(), target.ErrForbidden
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return f.attribute(), target.ErrInvalid
	default:
		// A time-out, a lock, a redirect, a page of a proxy's (also one that
		// says 404 or 403): no word of Graph's on the request.
		return "", nil
	}
}

// readError is the error for a read that failed for good. Reading leaves no
// outcome open: what isn't known is unavailable.
func readError(r reply) error { return readFailure(r) }

func readFailure(r reply) *target.Error {
	e := judge(r).err
	switch {
	case e == nil: // 2xx, but not what was to be read
		e = &target.Error{Sentinel: target.ErrUnavailable, RequestID: r.requestID(), ClientRequestID: r.clientID, Err: r.err}
		if r.err == nil {
			e.Err = fmt.Errorf("HTTP %d with a body that can't be read", r.status)
		}
	case errors.Is(e, context.Canceled), errors.Is(e, context.DeadlineExceeded):
		return &target.Error{Sentinel: target.ErrUnavailable, Err: e.Err}
	case e.Sentinel == target.ErrUnknownOutcome:
		e.Sentinel = target.ErrUnavailable
	}
	return e
}
