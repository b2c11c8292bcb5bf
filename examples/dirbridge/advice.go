package main

import (
	"context"
	"errors"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
)

// advice says what to do about an error that ended a run, "" if there is nothing
// to say beyond the error itself.
func advice(err error) string {
	for _, a := range []struct {
		err  error
		what string
	}{
		{context.Canceled, "nothing: what was done is remembered, the next run goes on from there"},
		{dirsync.ErrHalted, "look at the removals with sync --dry-run; if they are meant, raise limits.removals and limits.removalPercent for one run"},
		{state.ErrLocked, "wait for the other instance to end, or send a daemon SIGUSR1 for a run at once (Unix)"},
		{state.ErrNewerFormat, "use the version of dirbridge that wrote the state, or a newer one"},
		{state.ErrCorrupt, "put back a copy of the state file; nothing was changed"},
		{source.ErrUnauthenticated, "check source.activeDirectory.bind: the account, its password, and that it isn't locked"},
		{source.ErrForbidden, "give the sync account the right that is named"},
		{source.ErrIncomplete, "run again; what was read is kept, and nothing was removed"},
		{source.ErrUnavailable, "check source.activeDirectory.servers, caFile and the network; the next run tries again"},
		{target.ErrUnauthenticated, "check target.office365: tenant, clientID, and that secret or certificate haven't expired"},
		{target.ErrForbidden, "grant the application the permissions User.ReadWrite.All and Domain.Read.All, with an administrator's consent"},
		{target.ErrThrottled, "run again later; a smaller target.office365.quotaShare leaves more to others"},
		{target.ErrUnavailable, "check target.office365.endpoint, proxy, caFile and the network; the next run goes on"},
		{target.ErrQuota, "make room in the tenant, or buy some"},
	} {
		if errors.Is(err, a.err) {
			return a.what
		}
	}
	return ""
}
