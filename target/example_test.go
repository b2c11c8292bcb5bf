package target_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// Two people want one name: each change of a batch has an outcome of its own,
// and an error says what was wrong and that nothing was made.
func Example() {
	tenant := memtarget.New("contoso", nil)
	create := func(anchor string) target.Change {
		return target.Change{Op: target.Create, Kind: target.User, Anchor: anchor, Set: target.Attributes{
			target.AttrUserPrincipalName: {"ann@contoso.onmicrosoft.com"},
			target.AttrAccountEnabled:    {"true"},
			"displayName":                {"Ann"},
			"mailNickname":               {"ann"},
		}}
	}
	for _, res := range target.ApplyAll(context.Background(), tenant, []target.Change{create("AAAA"), create("BBBB")}) {
		switch {
		case res.Err == nil:
			fmt.Println("created, anchor", res.Object.Anchor)
		case target.OutcomeUnknown(res.Err):
			fmt.Println("repeat it with Change.Repeat")
		case errors.Is(res.Err, target.ErrExists):
			fmt.Println("refused, taken:", target.AttributeOf(res.Err))
		}
	}
	// Output:
	// created, anchor AAAA
	// refused, taken: userPrincipalName
}
