package graphtarget_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
)

// everything does all that the target can do, and returns the first refusal.
func everything(t *testing.T, permissions []string) error {
	t.Helper()
	tn := contoso(graphsim.Options{Permissions: permissions})
	tg := open(t, tn, nil)
	if _, err := tg.Domains(t.Context()); err != nil {
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
	for _, documented := range [][]string{
		{"User.ReadWrite.All", "Domain.Read.All"},
		{"User.Create", "User.ReadUpdate.All", "User.DeleteRestore.All", "Domain.Read.All"},
	} {
		require.NoError(t, everything(t, documented))
		for i := range documented {
			err := everything(t, slices.Delete(slices.Clone(documented), i, i+1))
			require.ErrorIs(t, err, target.ErrForbidden, "%s isn't needed", documented[i])
		}
	}
}
