package source

import "errors"

// What a source's errors mean. Implementations wrap these; the engine decides.
var (
	// ErrWatermarkExpired: the source can't tell for certain what changed
	// since this watermark. The engine reads everything, and removes nothing
	// because it is absent.
	ErrWatermarkExpired = errors.New("watermark expired")

	// ErrIncomplete: the directory ended a read before its end (size limit,
	// time limit, connection lost). What came may be used; the watermark
	// doesn't move. The engine ends the run and reads again in the next.
	ErrIncomplete = errors.New("incomplete read")

	// ErrUnavailable: no server of the directory could be reached. Nothing was
	// read. The engine ends the run and tries again in the next.
	ErrUnavailable = errors.New("source unavailable")

	// ErrUnauthenticated: the directory refused the credentials. An
	// administrator has to act.
	ErrUnauthenticated = errors.New("source refused the credentials")

	// ErrForbidden: the account lacks a right that it needs. The error's text
	// names the right.
	ErrForbidden = errors.New("source denied access")
)
