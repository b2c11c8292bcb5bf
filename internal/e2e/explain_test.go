package e2e_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

// An op is one line of a churn log.
type op struct {
	Op   string `json:"op"`
	GUID string `json:"guid"`
	DN   string `json:"dn"`
	Attr string `json:"attr"`
}

// writes are numbers of calls at Graph that changed something.
type writes struct{ created, patched, deleted, restored int }

// An explainer says which writes a churn log explains. It knows beside the log
// only what accounts held before.
type explainer struct {
	// bare are people who came back from a tombstone, without a displayName
	// since then: their cn stands in for it.
	bare map[string]bool

	// binned are people whose account a run deleted.
	binned map[string]bool
}

// newExplainer explains from what is in the directory now.
func newExplainer(d *compare.Directory) *explainer {
	x := &explainer{bare: map[string]bool{}, binned: map[string]bool{}}
	for _, e := range d.Live {
		x.bare[e.GUID()] = len(e.Values["displayname"]) == 0
	}
	return x
}

// graphName are the attributes that churn clears, as Graph calls them. What
// isn't here flows nowhere.
var graphName = map[string]string{
	"mobile": "mobilePhone", "employeeID": "employeeId", "streetAddress": "streetAddress", "preferredLanguage": "preferredLanguage",
}

// explain reads one round's log. before is what accounts held when it began.
// Several changes of one object are one write.
func (x *explainer) explain(t testing.TB, ops []op, before *compare.Comparer) (w writes) {
	t.Helper()
	var order []string
	of := map[string][]op{}
	for _, o := range ops {
		if of[o.GUID] == nil {
			order = append(order, o.GUID)
		}
		of[o.GUID] = append(of[o.GUID], o)
	}
	for _, guid := range order {
		account, had := before.Account(guid)
		alive := had
		changed, enabled := false, account.Values["accountEnabled"]
		cleared := map[string]bool{}
		for _, o := range of[guid] {
			switch o.Op {
			case "create":
				alive = true
			case "delete":
				alive = false
			case "undelete": // what a tombstone doesn't keep is lost
				alive, changed, x.bare[guid] = true, true, true
			case "modify": // always to a value that was never there before
				changed = true
				if o.Attr == "displayName" {
					x.bare[guid] = false
				}
			case "clear":
				if name := graphName[o.Attr]; name != "" && account.Values[name] != "" && !cleared[name] {
					changed, cleared[name] = true, true
				}
			case "disable":
				enabled = "false"
			case "enable":
				enabled = "true"
			case "rename":
				changed = changed || x.bare[guid]
			case "move", "proxy-add", "add-proxy", "member-add", "member-remove":
			default:
				require.Fail(t, "a churn log has an op that isn't known", "%+v", o)
			}
		}
		switch {
		case had && !alive:
			w.deleted++
			x.binned[guid] = true
		case had && (changed || enabled != account.Values["accountEnabled"]):
			w.patched++
		case !had && alive && x.binned[guid]: // out of the bin, then what a tombstone lost
			w.restored++
			w.patched++
			x.binned[guid] = false
		case !had && alive && slices.ContainsFunc(of[guid], func(o op) bool { return o.Op == "create" }):
			w.created++
		}
	}
	return w
}
