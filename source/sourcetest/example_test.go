package sourcetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
)

// The whole test file of a connector. Here the connector is memsource; yours has
// hands that write to its own directory.
func ExampleRun() {
	var t *testing.T // of func TestContract(t *testing.T)

	sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
		src := memsource.New("corp", nil)
		return sourcetest.Directory{
			Source: src,
			Put:    func(o source.Object) (source.ID, error) { return src.Put(o), nil },
			Remove: func(id source.ID) error { src.Remove(id); return nil },
		}
	})
}

func ExampleNames() {
	fmt.Println(strings.Join(sourcetest.Names(), " "))
	// Output: displayName givenName mail otherMailbox sAMAccountName sn title userPrincipalName
}
