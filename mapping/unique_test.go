package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
)

func TestPlaceholder(t *testing.T) {
	const initial = "contoso.onmicrosoft.com"
	for _, tt := range []struct{ name, upn, anchor, want string }{
		{"the anchor gives the tag", "bob@contoso.com", guidAnchor, "bob-b268760d@" + initial},
		{"another anchor gives another", "bob@contoso.com", "a1", "bob-f55ff16f@" + initial},
		{"a long local part is shortened", strings.Repeat("x", 64) + "@contoso.com", "a1", strings.Repeat("x", 55) + "-f55ff16f@" + initial},
		{"it is cleaned", "jürgen @contoso.com", "a1", "jurgen-f55ff16f@" + initial},
		{"there is always a name", "@contoso.com", "a1", "user-f55ff16f@" + initial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := mapping.Placeholder(tt.upn, tt.anchor, initial)
			require.Equal(t, tt.want, got)
			require.True(t, legalUPN(got), got)
		})
	}
}
