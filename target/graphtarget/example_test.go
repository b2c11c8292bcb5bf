package graphtarget_test

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func Example() {
	cred, err := graphtarget.ClientSecret("contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555", "the secret", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	office, err := graphtarget.New("contoso.onmicrosoft.com", cred, &graphtarget.Options{
		QuotaShare: 0.5, // the rest is for the tenant's other applications
		OnPassword: func(_ context.Context, o target.Object, p graphtarget.Password) {
			fmt.Println(o.ID, p) // prints [secret]; p.Reveal() is what to hand over
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer office.Close()
	fmt.Println(office.Name(), "takes", target.MaxBatch(office), "changes at a time; has a bin:", target.CanRestore(office))
	// Output: contoso.onmicrosoft.com takes 20 changes at a time; has a bin: true
}

func ExampleNew_simulator() {
	_, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("for tests"), nil)
	fmt.Println(err)
	_, err = graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("for tests"), &graphtarget.Options{
		Endpoint: "http://127.0.0.1:8080/v1.0",
	})
	fmt.Println(err)
	// Output:
	// a static token is for a simulator on a loopback address only, not for graph.microsoft.com
	// <nil>
}
