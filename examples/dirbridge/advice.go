package main

import (
	"context"
	"errors"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
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
		{dirsync.ErrHalted, "look at all of it with dirbridge plan, then dirbridge approve or dirbridge reject its hash; or correct the directory"},
		{dirsync.ErrScope, "correct scope.domains, scope.organizationalUnits and scope.groups in the configuration: what they name has to exist and, to be named by its DN, lie below the base DNs"},
		{dirsync.ErrPlanStale, "dirbridge plan makes the plan anew and says its hash"},
		{errNotIntact, "keep the log as evidence, and compare it with a copy elsewhere; if it only ends early after a run was killed, the next run hands over what is missing"},
		{audit.ErrForked, "see dirbridge audit verify; then move the log away, as evidence: a new one goes on from here"},
		{audit.ErrGap, "see dirbridge audit verify: records are missing at its end; then move the log away, as evidence: a new one goes on from here"},
		{dirsync.ErrAudit, "make the audit log writable (audit.file); what it has to be told waits in the state"},
		{state.ErrLocked, "wait for the other instance's run to end"},
		{state.ErrNewerFormat, "use the version of dirbridge that wrote the state, or a newer one"},
		{state.ErrCorrupt, "put back a copy of the state file; nothing was changed"},
		{source.ErrUnauthenticated, "check source.activeDirectory.bind: the account, its password, and that it isn't locked"},
		{source.ErrForbidden, "give the sync account the right that is named"},
		{source.ErrIncomplete, "run again; what was read is kept, and nothing was removed"},
		{source.ErrUnavailable, "check source.activeDirectory.servers, caFile and the network; the next run tries again"},
		// Before the one that follows: an error that is both is a consent that was withdrawn.
		{target.ErrForbidden, "grant the application the permissions User.ReadWrite.All and Domain.Read.All, with an administrator's consent"},
		{target.ErrUnauthenticated, "check target.office365: tenant, clientID, and that secret or certificate haven't expired"},
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
