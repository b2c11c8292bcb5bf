package graphtarget_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
	"github.com/dirbridge/dirbridge/target/targettest"
)

func TestContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Harness {
		o := graphsim.Options{}
		lagging := strings.Contains(t.Name(), "NotShownYet")
		if lagging {
			o.Lag = 300 * time.Millisecond
		}
		tn := contoso(o)
		tn.AddDomain("unverified.example")
		var lose atomic.Int64
		tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
			if op.Write && lose.Add(-1) >= 0 {
				return graphsim.ReplyLost()
			}
			return nil
		})
		by := contract.Transport(t, tn.Transport())
		if strings.HasSuffix(t.Name(), "ALostReplyInABatchConverges") {
			by = tn.Transport() // a part that is missing from a reply breaks the contract, on purpose
		}
		h := targettest.Harness{
			Target:     openBy(t, tn, by, &graphtarget.Options{SettleTimeout: time.Second, Groups: true}),
			Domain:     "contoso.com",
			Unverified: "unverified.example",
			Unique:     []string{"userPrincipalName", "mail"},
			Refuses: target.Attributes{
				"jobTitle":       {""},
				"accountEnabled": {"yes"},
				"mailNickname":   {"a b"},
				"usageLocation":  {"Germany"},
			},
			Add: func(o target.Object) (target.ID, error) {
				u, err := tn.AddUser(properties(o))
				return target.ID(u.ID), err
			},
			Remove: func(id target.ID) error { return tn.DeleteUser(string(id)) },
			Protect: func(id target.ID, on bool) error {
				tn.EditPowers(func(p *graphsim.Powers) {
					if p.Assigned = nil; on {
						p.Assigned = []string{string(id)}
					}
				})
				return nil
			},
			Verify: func(domain string, verified bool) error {
				if verified {
					tn.VerifyDomain(domain)
					return nil
				}
				tn.RemoveDomain(domain)
				tn.AddDomain(domain)
				return nil
			},
			LoseReplies: func(n int) error { lose.Store(int64(n)); return nil },
		}
		if lagging {
			h.HideNew = func(hide bool) error {
				if !hide {
					time.Sleep(o.Lag) // the suite can't run in a bubble; the lag is the simulator's
				}
				return nil
			}
		}
		return h
	})
}

// properties is an Object as Graph's JSON has it.
func properties(o target.Object) map[string]any {
	p := map[string]any{}
	for name, values := range o.Attributes {
		switch name {
		case "accountEnabled":
			p[name] = values[0] == "true"
		case "otherMails", "businessPhones":
			p[name] = values
		default:
			p[name] = values[0]
		}
	}
	if o.Anchor != "" {
		p["onPremisesImmutableId"] = o.Anchor
	}
	return p
}
