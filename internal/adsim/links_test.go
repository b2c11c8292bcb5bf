package adsim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

func TestAManagerCanBeDeletedAfterThePeopleWhomTheyManaged(t *testing.T) {
	d := adsim.New(nil)
	user := func(name string, more adsim.Attrs) string {
		a := adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {name}}
		for k, v := range more {
			a[k] = v
		}
		dn := "CN=" + name + ",CN=Users," + d.BaseDN()
		_, err := d.Add(dn, a)
		require.NoError(t, err)
		return dn
	}
	boss := user("boss", nil)
	ann := user("ann", adsim.Attrs{"manager": {boss}})
	require.NoError(t, d.Delete(ann))
	require.NoError(t, d.Delete(boss))
}
