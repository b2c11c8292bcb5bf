package dirsync_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func warned(rep *dirsync.Report, code string) (found *dirsync.Warning) {
	for i := range rep.Warnings {
		if rep.Warnings[i].Code == code {
			found = &rep.Warnings[i]
		}
	}
	return found
}

// Her suffix isn't verified, so that no key leads from her to the account that
// she has under another domain.
func TestA01_ASecondAccountOfTheSamePersonIsWarnedOf(t *testing.T) {
	w := newWorld(t)
	w.person("ann", "corp.local")
	w.person("bob", "contoso.com")
	w.existing("Ann@contoso.com", "")
	w.existing("root@contoso.com", "")
	p, err := w.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	require.NotNil(t, warned(p.Report, "second-accounts"), "before anything is written")
	rep := w.sync()
	require.Equal(t, 2, rep.Created)
	require.Contains(t, warned(rep, "second-accounts").Message, "has 2 accounts that aren't ours, and 1 of them")

	w.person("eve", "corp.local")
	w.existing("eve@contoso.com", "")
	w.tgt.ResetCounts()
	rep = w.sync()
	require.Equal(t, 1, rep.Created)
	require.Nil(t, warned(rep, "second-accounts"), "it is about the first contact")
	require.Zero(t, w.tgt.Counts().Lists, "and costs nothing later")
}

func TestA01_AnEmptyTenantOrOtherNamesAreNoCauseToWarn(t *testing.T) {
	w := newWorld(t)
	w.person("ann", "corp.local")
	w.existing("root@contoso.com", "")
	require.Empty(t, w.sync().Warnings)
}

func TestAWarningIsLoggedWithoutNames(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t)
	ou := w.src.Put(source.Object{Kind: source.Container, DN: "OU=Layoffs Mayer,DC=corp,DC=example,DC=com",
		Attributes: source.Attributes{"objectClass": {"organizationalUnit"}, "ou": {"Layoffs Mayer"}}})
	w.opt.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w.opt.Scope = &mapping.Scope{Exclude: []string{string(ou)}}
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.sync()
	w.src.Remove(ou)
	rep := w.sync()
	require.Contains(t, warned(rep, "scope-container-gone").Message, "Mayer", "the report names it")
	require.NotContains(t, log.String(), "Mayer")
	require.Contains(t, log.String(), string(ou))
}
