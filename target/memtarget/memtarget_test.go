package memtarget_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
	"github.com/dirbridge/dirbridge/target/targettest"
)

func TestContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Harness {
		tgt := memtarget.New("contoso", &memtarget.Options{Limits: memtarget.Office365Limits()})
		tgt.VerifyDomain("contoso.com")
		return targettest.Harness{
			Target:     tgt,
			Domain:     "contoso.com",
			Unverified: "corp.local",
			Unique:     []string{"userPrincipalName", "mail"},
			Refuses:    target.Attributes{"jobTitle": {"", strings.Repeat("x", 129)}, "displayName": {""}, "userPrincipalName": {"no-domain"}},
			Add:        func(o target.Object) (target.ID, error) { return tgt.Add(o), nil },
			Remove: func(id target.ID) error {
				if !tgt.Remove(id) {
					return errors.New("no such object")
				}
				return nil
			},
			Protect: func(id target.ID, on bool) error {
				why := target.HoldsRole
				if !on {
					why = ""
				}
				if !tgt.Protect(id, why) {
					return errors.New("no such object")
				}
				return nil
			},
			Verify: func(domain string, verified bool) error {
				if verified {
					tgt.VerifyDomain(domain)
				} else {
					tgt.UnverifyDomain(domain)
				}
				return nil
			},
		}
	})
}
