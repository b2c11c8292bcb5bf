package target

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What a target's errors mean. Implementations return an [*Error] that wraps
// one of these; the engine decides what to do about it.
//
// After all but ErrUnknownOutcome, the change was not made.
var (
	// ErrExists: another object holds a value that must be unique;
	// [Error.Attribute] names the attribute. The engine reports a conflict and
	// doesn't hammer.
	ErrExists = errors.New("another object holds a value that must be unique")

	// ErrDomainNotVerified: the domain of the user's name isn't one of the
	// target's verified domains. The engine falls back.
	ErrDomainNotVerified = errors.New("domain isn't verified")

	// ErrInvalid: the target refuses a value; [Error.Attribute] names the
	// attribute where the target says which.
	ErrInvalid = errors.New("target refuses a value")

	// ErrReadOnly: the object or the attribute can't be written by us.
	ErrReadOnly = errors.New("read-only at the target")

	// ErrNotFound: the object isn't there, and it isn't because it is new.
	ErrNotFound = errors.New("not found at the target")

	// ErrNotYet: the target doesn't show the object yet though it accepted it
	// a short while ago. The engine tries again later and never creates it
	// again because of this.
	ErrNotYet = errors.New("not visible at the target yet")

	// ErrForbidden: our application lacks a permission for this object.
	ErrForbidden = errors.New("target denied access")

	// ErrQuota: the tenant or a part of it is full. The engine stops creating
	// in this run.
	ErrQuota = errors.New("quota of the target is used up")

	// ErrThrottled: the target asked us to slow down and still refused after
	// the target's own pacing; [Error.RetryAfter] says when to come back. The
	// engine ends the run's writing.
	ErrThrottled = errors.New("target asks to slow down")

	// ErrUnavailable: the target can't be reached or is down. The engine ends
	// the run's writing.
	ErrUnavailable = errors.New("target unavailable")

	// ErrUnauthenticated: the target refuses our credentials. The engine ends
	// the run's writing; no object is to blame.
	ErrUnauthenticated = errors.New("target refused the credentials")

	// ErrNotApplied: the change wasn't tried (the run ended before it).
	ErrNotApplied = errors.New("not tried")

	// ErrUnknownOutcome: the target may or may not have made the change. The
	// engine keeps its intent and repeats the change with [Change.Repeat] set.
	ErrUnknownOutcome = errors.New("outcome unknown")
)

// An Error is a classified refusal.
type Error struct {
	Sentinel   error         // one of this package's; never nil
	Attribute  string        // which attribute, "" if the target didn't say
	RequestID  string        // the target's own id of the call, for its support; "" if unknown
	RetryAfter time.Duration // with ErrThrottled: how long the target asked us to wait
	Err        error         // what the target said; without secrets and whole records

	// ClientRequestID is the id that we gave the call, "" if none. Where no
	// reply came it is all by which the target's support can find the call.
	ClientRequestID string
}

// Error says what is wrong, which attribute, and the request id: the target's,
// else ours.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Sentinel.Error())
	if e.Attribute != "" {
		fmt.Fprintf(&b, " (%s)", e.Attribute)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	switch {
	case e.RequestID != "":
		fmt.Fprintf(&b, " [request-id %s]", e.RequestID)
	case e.ClientRequestID != "":
		fmt.Fprintf(&b, " [client-request-id %s]", e.ClientRequestID)
	}
	return b.String()
}

// Unwrap gives the sentinel and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Sentinel}
	}
	return []error{e.Sentinel, e.Err}
}

// OutcomeUnknown reports whether a change that gave err may have been made:
// err wraps [ErrUnknownOutcome], or none of this package's sentinels.
func OutcomeUnknown(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, ErrUnknownOutcome) {
		return true
	}
	for _, s := range []error{ErrExists, ErrDomainNotVerified, ErrInvalid, ErrReadOnly, ErrNotFound, ErrNotYet,
		ErrForbidden, ErrQuota, ErrThrottled, ErrUnavailable, ErrUnauthenticated, ErrNotApplied} {
		if errors.Is(err, s) {
			return false
		}
	}
	return true
}

// AttributeOf returns the attribute that err names, or "".
func AttributeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Attribute
	}
	return ""
}
