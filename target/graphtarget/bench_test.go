package graphtarget_test

import (
	"encoding/json"
	"fmt"
	"testing"

	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// fullPage is a page of 999 users as Graph sends it: every selected property,
// about half of them null.
func fullPage(b *testing.B) []byte {
	b.Helper()
	users := make([]map[string]any, 999)
	for i := range users {
		u := map[string]any{"id": fmt.Sprintf("%08d-0000-0000-0000-000000000000", i), "onPremisesSyncEnabled": nil, "createdDateTime": "2026-01-01T00:00:00Z",
			"onPremisesImmutableId": "AAAAAAAAAAAAAAAAAAAAAA=="}
		extensions := map[string]any{}
		for j, name := range graphtarget.Vocabulary() {
			var v any
			switch {
			case name == "accountEnabled":
				v = true
			case name == "businessPhones", name == "otherMails":
				v = []string{"+49 30 1234567"}
			case j%2 == 0:
				v = "some text of usual length"
			}
			if len(name) > 18 && name[:18] == "extensionAttribute" {
				extensions[name] = v
			} else {
				u[name] = v
			}
		}
		u["onPremisesExtensionAttributes"] = extensions
		users[i] = u
	}
	body, err := json.Marshal(map[string]any{"value": users})
	require.NoError(b, err)
	return body
}

func BenchmarkPage(b *testing.B) {
	body := fullPage(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if len(graphtarget.DecodePage(body)) != 999 {
			b.Fatal("users are missing")
		}
	}
}

// BenchmarkPageByModels is the road not taken: the SDK's models, before anything
// is made of them.
func BenchmarkPageByModels(b *testing.B) {
	body := fullPage(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		node, err := jsonformat.NewJsonParseNode(body)
		require.NoError(b, err)
		page, err := node.GetObjectValue(models.CreateUserCollectionResponseFromDiscriminatorValue)
		require.NoError(b, err)
		if len(page.(models.UserCollectionResponseable).GetValue()) != 999 {
			b.Fatal("users are missing")
		}
	}
}

func BenchmarkEncodeCreate(b *testing.B) {
	c := ann(1)
	b.ReportAllocs()
	for b.Loop() {
		graphtarget.Encode(c)
	}
}
