package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

const (
	guidAnchor        = "9y6ruRsJv1CEXHK7igDpCQ==" // of b9ab2ef7-091b-50bf-845c-72bb8a00e909, ad-facts.md 7
	consistencyAnchor = "AAECAwQFBgcICQoLDA0ODw=="
	otherConsistency  = "AQECAwQFBgcICQoLDA0ODw=="
)

func TestAnchorAtFirstSight(t *testing.T) {
	for _, tt := range []struct {
		name        string
		id          source.ID
		with        source.Attributes
		want        string
		consistency bool
		branch      string
		problem     string
	}{
		{"the textual ID gives the raw bytes", "", nil, guidAnchor, false, "from objectGUID", ""},
		{"upper case too", "B9AB2EF7-091B-50BF-845C-72BB8A00E909", nil, guidAnchor, false, "from objectGUID", ""},
		{"objectGUID when given", "", source.Attributes{"objectGUID": {otherConsistency}}, otherConsistency, false, "from objectGUID", ""},
		{"an objectGUID that is none doesn't count", "", source.Attributes{"objectGUID": {"AAEC"}}, guidAnchor, false, "from objectGUID", ""},
		{"mS-DS-ConsistencyGuid comes first", "", source.Attributes{"mS-DS-ConsistencyGuid": {consistencyAnchor}}, consistencyAnchor, true, "from mS-DS-ConsistencyGuid", ""},
		{"a short mS-DS-ConsistencyGuid is no GUID", "", source.Attributes{"mS-DS-ConsistencyGuid": {"AAEC"}}, "", false, "mS-DS-ConsistencyGuid holds no GUID", mapping.CodeInvalidAnchor},
		{"nor is text", "", source.Attributes{"mS-DS-ConsistencyGuid": {"not base64 of 16 bytes!!"}}, "", false, "mS-DS-ConsistencyGuid holds no GUID", mapping.CodeInvalidAnchor},
		{"another directory's ID is encoded", "emp_10023$", nil, "ZW1wXzEwMDIzJA==", false, "from the object's ID", ""},
		{"a long ID by its hash", source.ID(strings.Repeat("emp", 30)), nil, "HjdWVrRgvKSxuW0JVXU+BQ==", false, "from the hash of the object's ID", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := bare(tt.with)
			if tt.id != "" {
				o.ID = tt.id
			}
			res := newRules(t, nil).Map(mapping.Input{Object: o, Domains: contoso()})
			require.Equal(t, tt.want, res.Anchor)
			require.Equal(t, tt.want, res.Memory.Anchor)
			require.Equal(t, tt.consistency, res.Memory.ConsistencyGUID)
			require.Equal(t, tt.branch, decision(t, res, "onPremisesImmutableId").Branch)
			require.NotContains(t, res.Attributes, "onPremisesImmutableId", "the anchor is written once, at creation")
			require.NotContains(t, res.Anchor, "$")
			require.NotContains(t, res.Anchor, "_")
			if tt.problem == "" {
				require.Empty(t, res.Problems)
			} else {
				p := problem(t, res)
				require.Equal(t, tt.problem, p.Code)
				require.True(t, p.Fatal)
			}
		})
	}
}

func TestAnchorStaysFromThenOn(t *testing.T) {
	ofGUID := mapping.Memory{Anchor: guidAnchor}
	ofConsistency := mapping.Memory{Anchor: consistencyAnchor, ConsistencyGUID: true}
	for _, tt := range []struct {
		name     string
		previous mapping.Memory
		value    string
		problem  bool
	}{
		{"nothing changed", ofGUID, "", false},
		{"it appears with another value", ofGUID, consistencyAnchor, true},
		{"it appears with the same value, as Connect writes it", ofGUID, guidAnchor, false},
		{"it appears and is no GUID", ofGUID, "AAEC", true},
		{"it stays", ofConsistency, consistencyAnchor, false},
		{"it changes", ofConsistency, otherConsistency, true},
		{"it goes", ofConsistency, "", true},
		{"it becomes no GUID", ofConsistency, "AAEC", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := bare(nil)
			if tt.value != "" {
				o.Attributes["mS-DS-ConsistencyGuid"] = []string{tt.value}
			}
			res := newRules(t, nil).Map(mapping.Input{Object: o, Domains: contoso(), Previous: tt.previous})
			require.Equal(t, tt.previous.Anchor, res.Anchor)
			require.Equal(t, tt.previous.Anchor, res.Memory.Anchor)
			require.Equal(t, tt.previous.ConsistencyGUID, res.Memory.ConsistencyGUID)
			if !tt.problem {
				require.Empty(t, res.Problems)
				return
			}
			p := problem(t, res)
			require.Equal(t, mapping.CodeAnchorChanged, p.Code)
			require.False(t, p.Fatal)
		})
	}
}
