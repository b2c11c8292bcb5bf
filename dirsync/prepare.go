package dirsync

import (
	"context"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// prepare maps every due object and puts the names that it wants into the
// index. Whoever a changed claim may concern becomes due as well. After it, the
// index holds the claims of everybody, whatever the order in which they came.
func (r *run) prepare(ctx context.Context) error {
	r.newcomer = newcomers{}
	for k, err := range r.l.Dues(ctx) {
		if err != nil {
			return err
		}
		if !r.isDue(k.ID, k.Value) {
			continue
		}
		if err := r.l.Unit(ctx, func() error { return r.prepareOne(ctx, k.ID) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) prepareOne(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return err
	}
	if e == nil {
		r.l.ClearDue(id)
		return nil
	}
	var res mapping.Result
	upn, mail, suffix := e.UPN, e.Mail, e.Suffix // who left keeps the names of the account
	switch {
	case e.Presence == plan.Deleted:
		upn, mail, suffix = "", "", ""
	case e.Presence == plan.Present:
		res = r.mapped(e)
		if res.Skip == nil {
			upn = res.Attributes.First(target.AttrUserPrincipalName)
			mail = res.Attributes.First(target.AttrMail)
			suffix = res.Suffix
			if e.Link == nil {
				r.newcomer.add(res)
			}
		} else if e.Link == nil {
			upn, mail, suffix = "", "", ""
		}
		if res.Skip == nil && e.Memory != res.Memory {
			e.Memory = res.Memory
			if err := r.l.SetEntry(e); err != nil {
				return err
			}
		}
	}
	if err := r.claim(ctx, target.AttrUserPrincipalName, e.UPN, upn, id); err != nil {
		return err
	}
	if err := r.claim(ctx, target.AttrMail, e.Mail, mail, id); err != nil {
		return err
	}
	r.l.SetSuffix(e.Suffix, suffix, id)
	if e.UPN == upn && e.Mail == mail && e.Suffix == suffix {
		return nil
	}
	e.UPN, e.Mail, e.Suffix = upn, mail, suffix
	return r.l.SetEntry(e)
}

// mapped asks the rules about an entry.
func (r *run) mapped(e *ledger.Entry) mapping.Result {
	return r.opt.Mapper.Map(mapping.Input{
		Object: e.Object, Domains: r.domains, Previous: e.Memory,
		RefusedDomain: e.RefusedDomain, Now: r.report.Started,
	})
}

// claim replaces the claim old of id by value, and marks those who share
// either.
func (r *run) claim(ctx context.Context, attr, old, value string, id source.ID) error {
	if strings.EqualFold(old, value) {
		return nil
	}
	if err := r.l.ClearClaim(ctx, attr, old, id); err != nil {
		return err
	}
	if err := r.l.SetClaim(ctx, attr, value, id); err != nil {
		return err
	}
	for _, v := range []string{old, value} {
		if err := r.markClaimants(ctx, attr, v, id); err != nil {
			return err
		}
	}
	return nil
}

// markClaimants makes everybody due who wants value, except id.
func (r *run) markClaimants(ctx context.Context, attr, value string, id source.ID) error {
	if value == "" {
		return nil
	}
	ids, err := r.l.Claimants(ctx, attr, value)
	if err != nil {
		return err
	}
	for _, other := range ids {
		if other == id {
			continue
		}
		if err := r.markDue(ctx, other, "a name changed hands"); err != nil {
			return err
		}
	}
	return nil
}

// forget drops all that is remembered of an object for which nothing is owned.
func (r *run) forget(ctx context.Context, e *ledger.Entry) error {
	id := e.Object.ID
	if err := r.claim(ctx, target.AttrUserPrincipalName, e.UPN, "", id); err != nil {
		return err
	}
	if err := r.claim(ctx, target.AttrMail, e.Mail, "", id); err != nil {
		return err
	}
	r.l.SetSuffix(e.Suffix, "", id)
	r.l.ClearDue(id)
	if err := r.l.SetProblems(id, nil); err != nil {
		return err
	}
	r.l.Forget(id)
	return nil
}
