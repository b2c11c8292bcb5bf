package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A story is a company, its tenant, and the engine between them.
type story struct {
	*writer
	*notes
	company *company
	tenant  *memtarget.Target
	engine  *dirsync.Engine
}

// notes are what the engine told about itself.
type notes struct {
	changes  []plan.Change                  // that the tenant accepted in the last run
	accounts map[source.ID]target.ID        // whose account is which
	names    map[source.ID]mapping.Decision // why a name is what it is
}

// take listens to the engine.
func (n *notes) take(e dirsync.Event) {
	switch e := e.(type) {
	case dirsync.Started:
		n.changes = nil
	case dirsync.Applied:
		if e.Err != nil {
			return
		}
		n.changes = append(n.changes, e.Change)
		n.accounts[e.Change.Source] = e.Object.ID
		for _, d := range e.Change.Decisions {
			if d.Attribute == target.AttrUserPrincipalName {
				n.names[e.Change.Source] = d
			}
		}
	}
}

// tell is the whole story.
func (s *story) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		s.everybodyMovesIn, s.anOrdinaryWeek, s.somebodyComesBack, s.aDomainIsVerified, s.nothingHappens,
	} {
		if err := cmp.Or(chapter(ctx), s.err); err != nil {
			return err
		}
	}
	s.line("")
	s.line("That was real LDAP over TLS, a tenant in memory, and a state file. What to try next:")
	s.line("  go run ./examples/simulate         a directory and a tenant to point a real client at")
	s.line("  go run ./examples/dirbridge -h     the program that runs against yours (compiles Microsoft's SDK: minutes)")
	return nil
}

func (s *story) everybodyMovesIn(ctx context.Context) error {
	s.title("1. The first run reads everybody")
	report, err := s.sync(ctx)
	if err != nil {
		return err
	}
	s.line("")
	s.line("Who gets which name in Office 365? The tenant owns contoso.com and contoso.onmicrosoft.com:")
	s.people()
	s.line("")
	s.line("And why, over all %d accounts:", s.tenant.Len())
	s.reasons()
	s.problems(report)
	return nil
}

func (s *story) anOrdinaryWeek(ctx context.Context) error {
	s.title("2. A week later: only what changed is read")
	s.line("Ivy is hired. Ann becomes director. Bob marries. Gus leaves. Jörg is locked out.")
	c := s.company
	if err := errors.Join(
		c.hire([6]string{"ivy", "ivy@contoso.com", "Ivy", "Ito", "Developer", "512"}),
		c.change("ann", "title", "Director"),
		c.marry("bob", "Bob", "Bauer", "bob.bauer@corp.example.com"),
		c.Delete(c.dns["gus"]),
		c.change("joerg", "userAccountControl", "514"),
	); err != nil {
		return err
	}
	return s.syncAndShow(ctx)
}

func (s *story) somebodyComesBack(ctx context.Context) error {
	s.title("3. Gus comes back and Jörg is let in again")
	before := s.account("gus")
	c := s.company
	if err := errors.Join(
		c.Undelete(c.people["gus"], c.dns["gus"]),
		c.change("gus", "userAccountControl", "512", "title", "Head of Logistics"),
		c.change("joerg", "userAccountControl", "512"),
	); err != nil {
		return err
	}
	if err := s.syncAndShow(ctx); err != nil {
		return err
	}
	if s.account("gus") != before {
		return errors.New("an account was made anew instead of restored: that of Gus")
	}
	s.line("Gus has his old account back, with all that is in it: restored from the bin, not made anew.")
	return nil
}

func (s *story) aDomainIsVerified(ctx context.Context) error {
	s.title("4. The tenant verifies fabrikam.com; nothing changes in the directory")
	s.tenant.VerifyDomain("fabrikam.com")
	return s.syncAndShow(ctx)
}

func (s *story) nothingHappens(ctx context.Context) error {
	s.title("5. Nothing happens")
	changed, err := s.engine.Poll(ctx)
	if err != nil {
		return err
	}
	s.line("Asked whether anything changed, the directory says: %s. But let us read everything once more:", map[bool]string{true: "perhaps", false: "no"}[changed])
	report, err := s.run(ctx, &dirsync.Request{Full: true})
	if err != nil {
		return err
	}
	s.line("Writes to the tenant: %d.", report.Writes)
	return nil
}

// syncAndShow makes a run and prints what it changed.
func (s *story) syncAndShow(ctx context.Context) error {
	report, err := s.sync(ctx)
	if err != nil {
		return err
	}
	for i := range s.changes {
		s.change(&s.changes[i])
	}
	s.problems(report)
	return nil
}

func (s *story) sync(ctx context.Context) (*dirsync.Report, error) { return s.run(ctx, nil) }

// run makes a run and prints its counts.
func (s *story) run(ctx context.Context, req *dirsync.Request) (*dirsync.Report, error) {
	r, err := s.engine.Sync(ctx, req)
	if err != nil {
		return nil, err
	}
	s.counts(r)
	return r, nil
}

func (s *story) id(name string) source.ID { return source.ID(s.company.people[name].String()) }

func (s *story) account(name string) target.ID { return s.accounts[s.id(name)] }
