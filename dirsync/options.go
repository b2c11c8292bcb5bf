package dirsync

import (
	"log/slog"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// Options tune an [Engine]. The zero value is good.
type Options struct {
	// Mapper decides what a source object should be at the target. Defaults
	// to [mapping.New] with its defaults.
	Mapper mapping.Mapper

	// Sources are further sources beside that of New: other domains and forests
	// whose objects go to the same target. Each is read for itself, with a
	// watermark of its own. An object is known by its ID in all of them: one that
	// is moved from one to the other keeps its account.
	//
	// One that can't be read doesn't stop the others. But nothing is written
	// before each was read to its end once, and no account is removed that an
	// unread one might want.
	Sources []source.Source

	// Join says which objects of several sources are one person. Nil is that each
	// is a person of its own.
	//
	// One part of a person carries the account, and keeps it: by its ID the
	// account is known. When it is deleted while another part that was joined to
	// it lives, the account stays and takes that one's values. Two objects of one
	// source that are one person, and two that have an account each, are a
	// Problem of all of them, and nothing is changed.
	Join *mapping.Join

	// Name is that under which the engine remembers what it did. It defaults to
	// the source's, and has to be given if there are several: an engine that had
	// one source until now goes on under that one's name.
	Name string

	// MoveWait is how long an account is kept whose object is gone from one of
	// several sources, so that another one may show it: until then it may be on
	// its way, between domain controllers that don't have the same yet. Defaults
	// to 15 minutes; negative means not at all. An object that shows later gets
	// its account back from the bin.
	MoveWait time.Duration

	// Scope says who is synchronized, of those whom the source gives; nil is
	// everybody. What it names by DN is bound to the container's or group's ID in the first
	// run, see [mapping.Scope]; a run for which a name means nothing ends with
	// [ErrScope]. A source has to give containers ([source.Container]) for it to
	// ask where objects lie, groups with their members ([source.Group], and References of
	// member) and a [source.Finder] for it to go by groups, and the attributes of its
	// conditions.
	//
	// Who leaves because the scope was changed, and not because of what happened
	// in the directory, needs somebody's approval: see [plan.Limits].
	Scope *mapping.Scope

	// Limits are what may be done without approval: budgets of removals,
	// disables, changed names and the like over a sliding window of runs. A
	// plan that exceeds one halts the run before anything is written. The zero
	// value has the defaults of [plan.Limits].
	Limits plan.Limits

	// Policy says which changes are carried out at all. Defaults to
	// [plan.SyncAll].
	Policy plan.Policy

	// Protected are accounts that are never adopted and never written, whatever
	// the directory says, such as those for emergencies: by the target's ID, or
	// by userPrincipalName, which a rename at the target escapes. Beside these,
	// everybody is protected whom the target names ([target.Protector]):
	// administrators, in Office 365. If the target can't tell, every account
	// that exists counts as protected.
	Protected []string

	// IgnoreRoles has accounts written whatever roles they hold: the target
	// isn't asked, and only those in Protected are protected. Whoever may write
	// the directory may then take hold of an administrator's account.
	IgnoreRoles bool

	// Audit are told of every call that is meant to change something at the
	// target, and of what people decided. The engine keeps each record in its
	// store, in the commit that settles the call, until every sink has it: a
	// crash loses none and doubles none. A run whose sinks can't be written
	// ends with [ErrAudit], at its start before anything is written. Give a
	// sink to one engine only. None means no audit.
	Audit []audit.Sink

	// Leaving says what happens to the account of an object that left the
	// scope. Defaults to [plan.DisableOnLeave].
	Leaving plan.Leaving

	// Drift says what becomes of what others change at our accounts and groups. Defaults
	// to [PutBack].
	Drift DriftPolicy

	// Reconcile is how often a run looks at all of our accounts, whatever the
	// target's deltas say; a target without deltas has nothing else. Defaults
	// to 7 days; negative means only when there is no other way, or when asked.
	Reconcile time.Duration

	// Parallel is how many calls (batches, where the target has them) are on
	// the wire at once. Defaults to 4. The target's write quota is what limits
	// speed, not this.
	Parallel int

	// Grace is how long calls on the wire may go on after the context of a run
	// was cancelled, so that their outcome is known. Defaults to 20 s;
	// negative means not at all.
	Grace time.Duration

	// Patience is how long a run waits, in all, for objects that the target
	// accepted but doesn't show yet. Defaults to 30 s; negative means not at
	// all. What isn't there by then is tried again in the next run.
	Patience time.Duration

	// OnEvent is told what happens, synchronously and in order, by the
	// goroutine that runs Sync or Plan. It must be quick. A panic in it is
	// recovered and logged.
	OnEvent func(Event)

	// Logger receives the engine's log: counts, codes and objectGUIDs, never
	// names or values. Defaults to discarding it.
	Logger *slog.Logger
}

func (o *Options) withDefaults() (Options, error) {
	var x Options
	if o != nil {
		x = *o
	}
	if x.Mapper == nil {
		rules, err := mapping.New(nil)
		if err != nil {
			return x, err
		}
		x.Mapper = rules
	}
	if x.Scope != nil {
		if err := x.Scope.Check(); err != nil {
			return x, err
		}
	}
	if x.Policy == "" {
		x.Policy = plan.SyncAll
	}
	if err := x.Policy.Check(); err != nil {
		return x, err
	}
	if x.Leaving == "" {
		x.Leaving = plan.DisableOnLeave
	}
	if x.Drift == "" {
		x.Drift = PutBack
	}
	if err := x.Drift.Check(); err != nil {
		return x, err
	}
	if x.Reconcile == 0 {
		x.Reconcile = 7 * 24 * time.Hour
	}
	if x.MoveWait == 0 {
		x.MoveWait = 15 * time.Minute
	}
	if x.Parallel <= 0 {
		x.Parallel = 4
	}
	if x.Grace == 0 {
		x.Grace = 20 * time.Second
	}
	if x.Patience == 0 {
		x.Patience = 30 * time.Second
	}
	if x.Logger == nil {
		x.Logger = slog.New(slog.DiscardHandler)
	}
	x.Logger = slog.New(calmHandler{x.Logger.Handler()})
	return x, nil
}

// A Request says how a run should go. The zero value (and nil) is the ordinary
// run: a delta if possible.
type Request struct {
	// Full asks for a complete read of the source.
	Full bool

	// Reconcile asks for a look at all of our accounts at the target, for what
	// others changed there (see [Options.Drift]).
	Reconcile bool

	// Retry asks for everything that failed before to be tried again now,
	// without waiting until its time has come.
	Retry bool

	// Only has just these objects looked up at the source and synchronized,
	// under the same budgets as ever. The watermark stays where it is. It needs
	// a source that is a [source.Finder].
	Only []source.ID
}
