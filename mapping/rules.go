package mapping

import (
	"slices"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// Rules are the default rules for people and groups: the flow from Active Directory's
// attributes to those of Office 365 (see the package's documentation), what is
// skipped, the source anchor, and the names. They implement [Mapper] and are
// safe for concurrent use. Make them with [New].
//
// Skipped are, as by Microsoft Entra Connect, and each with a [Decision]:
// critical system objects; losers of replication conflicts (\0ACNF: in the
// name); objects without sAMAccountName or userAccountControl; accounts named
// AAD_..., MSOL_..., SUPPORT_388945a0 or ending in $, and those that
// userAccountControl marks as computers or trusts; mailboxes named
// SystemMailbox{..., or CAS_... with a brace; recipients of Exchange's system
// types; linked mailboxes. Disabled accounts are synchronized.
//
// Groups come from sources that were asked for them. Security groups become
// security groups: displayName (from displayName, cn, name), description and
// mailNickname, under a unique name made of objectGUID. Skipped are critical and
// built-in ones, losers of replication conflicts, role groups of Exchange, and
// what only Exchange can hold: distribution groups and mail-enabled ones.
type Rules struct {
	opts        Options
	upn         UPNRules
	rows        []row
	groupRows   []row
	cannotClear []string
	fingerprint string
}

var _ Mapper = (*Rules)(nil)

// New makes the default rules, changed by opts, which may be nil. The error
// explains an option that is unknown or contradicts another.
func New(opts *Options) (*Rules, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	rows := flow()
	return &Rules{
		opts:        o,
		upn:         UPNRules{Fallback: o.Fallback, FallbackDomain: o.FallbackDomain},
		rows:        rows,
		groupRows:   groupFlow(),
		cannotClear: cannotClear(rows),
		fingerprint: o.fingerprint(),
	}, nil
}

// Fingerprint identifies the rules and their options.
func (r *Rules) Fingerprint() string { return r.fingerprint }

// SourceAttributes returns the names of all attributes of the source that the
// rules may look at, in ascending order: what a source has to read.
func (r *Rules) SourceAttributes() []string {
	names := slices.Concat(skipInputs, groupInputs)
	for i := range r.rows {
		names = append(names, r.rows[i].from...)
	}
	slices.SortFunc(names, source.CompareAttributeNames)
	return slices.Compact(names)
}

// Attributes returns the names of all attributes of the target that the rules
// decide about, in the flow's order. The anchor isn't one: it is written once,
// at creation.
func (r *Rules) Attributes() []string {
	names := make([]string, 0, len(r.rows))
	for i := range r.rows {
		if r.rows[i].name != attrAnchor {
			names = append(names, r.rows[i].name)
		}
	}
	return names
}

// Map decides about one object. The result's Inputs share memory with in and
// with other results, so they are for reading only; everything else in it
// belongs to the caller.
func (r *Rules) Map(in Input) Result {
	if in.Object.Kind == source.Group {
		return r.mapGroup(&in)
	}
	if why := r.skip(&in); why != nil {
		return Result{
			Skip:      why,
			Kind:      target.User,
			Anchor:    in.Previous.Anchor,
			Decisions: []Decision{*why},
			Memory:    in.Previous,
		}
	}
	w := &work{
		rules:  r,
		in:     &in,
		values: make([]string, 0, 2*len(r.rows)),
		inputs: make([]Value, 0, len(r.rows)+8),
	}
	w.res = Result{
		Kind:        target.User,
		Attributes:  make(target.Attributes, len(r.rows)),
		CannotClear: slices.Clone(r.cannotClear),
		Decisions:   make([]Decision, 0, len(r.rows)),
		Memory:      in.Previous,
	}
	w.names()
	for i := range r.rows {
		r.rows[i].decide(w, &r.rows[i])
	}
	return w.res
}

// names takes the decisions that depend on each other: the login ID, the
// mailNickname, and the name that both may become part of.
func (w *work) names() {
	w.login = w.rules.loginID(w.in)
	w.res.LoginID = w.login.id
	_, w.res.Suffix = splitLogin(w.login.id)
	w.nick = w.rules.nickname(w.in, w.login)
	w.name = w.rules.name(w.in, w.login, w.nick)

	m := &w.res.Memory
	m.SourceNickname = w.nick.source
	if w.nick.problem == nil {
		m.Nickname = w.nick.value
	}
	if w.name.problem == nil {
		m.LoginID, m.UPN = w.login.id, w.name.value
		m.Domains = w.rules.domainsMemory(w.in.Domains)
	}
}

// A work is the making of one Result.
type work struct {
	rules   *Rules
	in      *Input
	res     Result
	unified bool // a Microsoft 365 group is to come of it
	login   login
	nick    named
	name    named
	values  []string // what Attributes and Decisions point into
	inputs  []Value  // what Decisions point into
}

// one returns a slice of its own that holds v.
func (w *work) one(v string) []string {
	i := len(w.values)
	w.values = append(w.values, v)
	return w.values[i : i+1 : i+1]
}

// set gives attribute name this value and explains it.
func (w *work) set(name, value string, d Decision) {
	d.Attribute = name
	if value == "" {
		w.res.Attributes[name] = nil
	} else {
		w.res.Attributes[name] = w.one(value)
		d.Result = w.one(value)
	}
	w.res.Decisions = append(w.res.Decisions, d)
}

// refuse leaves the attribute that p concerns as the target has it.
func (w *work) refuse(p Problem, d Decision) {
	d.Attribute = p.Attribute
	w.res.Problems = append(w.res.Problems, p)
	w.res.Decisions = append(w.res.Decisions, d)
}

// look collects from as the inputs of a decision.
func (w *work) look(from []string) []Value {
	start := len(w.inputs)
	for _, name := range from {
		w.inputs = append(w.inputs, Value{Name: name, Values: w.in.Object.Attributes[name]})
	}
	return w.inputsFrom(start)
}

// inputsFrom returns the inputs collected since start.
func (w *work) inputsFrom(start int) []Value { return w.inputs[start:len(w.inputs):len(w.inputs)] }

// fault returns the first of from that the source couldn't read.
func (w *work) fault(from []string) (source.Fault, bool) { return fault(w.in.Object.Faults, from...) }

func fault(faults []source.Fault, names ...string) (source.Fault, bool) {
	for _, f := range faults {
		for _, name := range names {
			if source.CompareAttributeNames(f.Attribute, name) == 0 {
				return f, true
			}
		}
	}
	return source.Fault{}, false
}
