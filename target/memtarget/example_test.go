package memtarget_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func Example() {
	ctx := context.Background()
	tgt := memtarget.New("contoso", nil)

	create := target.Change{Op: target.Create, Kind: target.User, Anchor: "9y6ruRsJv1CEXHK7igDpCQ==", Set: target.Attributes{
		"userPrincipalName": {"ann@contoso.com"}, "displayName": {"Ann"}, "mailNickname": {"ann"}, "accountEnabled": {"true"},
	}}
	_, err := tgt.Apply(ctx, create)
	fmt.Println(errors.Is(err, target.ErrDomainNotVerified))

	tgt.VerifyDomain("contoso.com")
	ann, err := tgt.Apply(ctx, create)
	fmt.Println(ann.Attributes["userPrincipalName"], err)

	_, err = tgt.Apply(ctx, target.Change{Op: target.Delete, Kind: target.User, ID: ann.ID})
	fmt.Println(tgt.Len(), err)
	ann, err = tgt.Apply(ctx, target.Change{Op: target.Restore, Kind: target.User, ID: ann.ID})
	fmt.Println(ann.Attributes["displayName"], err)
	fmt.Println(tgt.Counts().Writes(), "writes")
	// Output:
	// true
	// [ann@contoso.com] <nil>
	// 0 <nil>
	// [Ann] <nil>
	// 4 writes
}
