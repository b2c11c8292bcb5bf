package targettest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/target/memtarget"
	"github.com/dirbridge/dirbridge/target/targettest"
)

// The whole test file of a connector. Here the connector is memtarget; yours
// opens a target of its own.
func ExampleRun() {
	var t *testing.T // of func TestContract(t *testing.T)

	targettest.Run(t, func(t *testing.T) targettest.Harness {
		return targettest.Harness{
			Target: memtarget.New("contoso", nil),
			Domain: "contoso.onmicrosoft.com",
			Unique: []string{"userPrincipalName", "mail"},
		}
	})
}

func ExampleNames() {
	fmt.Println(strings.Join(targettest.Names(), " "))
	// Output: accountEnabled department displayName givenName jobTitle mail mailNickname otherMails surname userPrincipalName
}
