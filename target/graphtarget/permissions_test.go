package graphtarget_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// everything does all that the target can do, and returns the first refusal.
func everything(t *testing.T, permissions []string) error {
	t.Helper()
	tn := contoso(graphsim.Options{Permissions: permissions})
	tn.EditPowers(func(p *graphsim.Powers) {
		p.RoleGroups, p.Units = make([]graphsim.RoleGroup, 1), []graphsim.AdministrativeUnit{{Restricted: true}}
	})
	tg := open(t, tn, nil)
	if _, err := tg.Domains(t.Context()); err != nil {
		return err
	}
	if _, err := tg.Protected(t.Context(), target.User); err != nil {
		return err
	}
	for _, err := range tg.Current(t.Context()) {
		if err != nil {
			return err
		}
	}
	o, err := tg.Apply(t.Context(), ann(1))
	if err != nil {
		return err
	}
	set := target.Attributes{"jobTitle": {"Lead"}, "mobilePhone": {"+49 1"}, "businessPhones": {"+49 2"}, "otherMails": {"a@x.example"}}
	for _, c := range []target.Change{
		on(o, target.Update, set), on(o, target.Disable, nil), on(o, target.Enable, nil), on(o, target.Delete, nil), on(o, target.Restore, set),
	} {
		if _, err := tg.Apply(t.Context(), c); err != nil {
			return err
		}
	}
	if _, err := tg.Apply(t.Context(), on(o, target.Delete, nil)); err != nil {
		return err
	}
	_, err = tg.FindDeleted(t.Context(), target.User, o.ID)
	return err
}

// TestTheDocumentedPermissionsAreEnoughAndNoneIsTooMany holds the list in doc.go.
func TestTheDocumentedPermissionsAreEnoughAndNoneIsTooMany(t *testing.T) {
	powers := []string{"GroupMember.Read.All", "PrivilegedEligibilitySchedule.Read.AzureADGroup", "AdministrativeUnit.Read.All", "RoleManagement.Read.Directory"}
	for _, documented := range [][]string{
		append([]string{"User.ReadWrite.All", "Domain.Read.All"}, powers...),
		append([]string{"User.Create", "User.ReadUpdate.All", "User.DeleteRestore.All", "Domain.Read.All"}, powers...),
	} {
		require.NoError(t, everything(t, append(documented, "RoleEligibilitySchedule.Read.Directory")))
		for i := range documented {
			err := everything(t, slices.Delete(slices.Clone(documented), i, i+1))
			require.ErrorIs(t, err, target.ErrForbidden, "%s isn't needed", documented[i])
		}
	}
}

// everythingOfGroups does all that the target can do with groups and managers,
// and returns the first refusal. The group exists already unless one may be made.
func everythingOfGroups(t *testing.T, permissions []string) error {
	t.Helper()
	tn := contoso(graphsim.Options{Permissions: permissions})
	tg := open(t, tn, &graphtarget.Options{Groups: true})
	ann, err := tg.Apply(t.Context(), ann(1))
	if err != nil {
		return err
	}
	bob, err := tn.AddUser(map[string]any{"userPrincipalName": "bob@contoso.com"})
	require.NoError(t, err)
	g, err := tg.Apply(t.Context(), sales(1))
	if err != nil {
		return err
	}
	for _, err := range tg.Current(t.Context()) {
		if err != nil {
			return err
		}
	}
	if _, err := tg.Find(t.Context(), target.Group, []target.Key{{Anchor: g.Anchor}, {Mail: "x@contoso.com"}}); err != nil {
		return err
	}
	both := []target.ID{ann.ID, target.ID(bob.ID)}
	for _, c := range []target.Change{
		refer(g, target.RefMembers, both, nil), refer(g, target.RefMembers, nil, both), refer(g, target.RefOwners, both, nil),
		refer(g, target.RefOwners, nil, both[:1]), refer(ann, target.RefManager, both[1:], nil), refer(ann, target.RefManager, nil, both[1:]),
		{Op: target.Update, Set: target.Attributes{"description": {"x"}}}, {Op: target.Delete}, {Op: target.Restore},
	} {
		if c.ID == "" {
			c.ID, c.Kind, c.Anchor = g.ID, g.Kind, g.Anchor
		}
		if _, err := tg.Apply(t.Context(), c); err != nil {
			return err
		}
	}
	for _, attribute := range []string{target.RefMembers, target.RefOwners} {
		for _, err := range tg.Refs(t.Context(), target.Group, g.ID, attribute) {
			if err != nil {
				return err
			}
		}
	}
	if _, err := tg.FindDeleted(t.Context(), target.Group, g.ID); !errors.Is(err, target.ErrNotFound) {
		return err
	}
	return nil
}

func TestTheDocumentedPermissionsOfGroupsAreEnoughAndNoneIsTooMany(t *testing.T) {
	documented := []string{"User.ReadWrite.All", "Group.ReadWrite.All"}
	require.NoError(t, everythingOfGroups(t, documented))
	for _, less := range [][]string{
		{"Group.ReadWrite.All"},
		{"User.ReadWrite.All"},
		{"Group.Create", "GroupMember.ReadWrite.All", "User.ReadWrite.All"},
		{"Group.ReadWrite.All", "User.Create", "User.ReadUpdate.All", "User.DeleteRestore.All"},
	} {
		require.ErrorIs(t, everythingOfGroups(t, less), target.ErrForbidden, less)
	}
}
