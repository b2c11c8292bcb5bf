package layering_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leaves are the packages that name a heavy module, each with its contract: the
// one package of ours that it may import.
var leaves = map[string]string{
	"source/ldapsource":  "source",
	"target/graphtarget": "target",
	"state/boltstate":    "state",
}

// arrows say for each package that isn't a leaf, a simulator or a program which
// packages of ours it may import. What isn't here may import nothing of ours.
var arrows = map[string][]string{
	"source/sourcetest":       {"source"},
	"source/memsource":        {"source"},
	"target/targettest":       {"target"},
	"target/memtarget":        {"target"},
	"state/statetest":         {"state"},
	"state/memstate":          {"state"},
	"mapping":                 {"source", "target"},
	"dirsync/plan":            {"mapping", "source", "target"},
	"dirsync/audit":           {},
	"dirsync/audit/audittest": {"dirsync/audit"},
	"dirsync/internal/ledger": {
		"dirsync/audit", "dirsync/plan", "mapping", "source", "target", "state",
		"state/memstate", // a dry run keeps its writes there
	},
	"dirsync":          {"dirsync/audit", "dirsync/internal/ledger", "dirsync/plan", "mapping", "source", "target", "state"},
	"dirsync/schedule": {"dirsync", "dirsync/plan"},
	"internal/fault":   {"source", "target", "state"},
}

// isCore reports whether pkg is what an importer's go mod tidy looks into: it
// and its tests stand on the standard library, x/sync and (tests) testify.
func isCore(pkg string) bool {
	_, leaf := leaves[pkg]
	switch {
	case leaf, within(pkg, "examples"):
		return false
	case pkg == "internal/fault":
		return true
	}
	return !within(pkg, "internal")
}

// heavy says which packages may name a module, by prefixes of import paths: in
// their code, and beyond that in their tests. Every import from outside has to be
// here.
var heavy = []struct {
	what     string
	prefixes []string
	code     []string // "*": everywhere
	tests    []string
}{
	{"LDAP", []string{"github.com/go-ldap/ldap", "github.com/go-asn1-ber/asn1-ber"},
		[]string{"source/ldapsource", "internal/adsim"}, []string{"internal/e2e", "examples/quickstart", "examples/simulate", "examples/dirbridge"}},
	{"the type of a credential", []string{"github.com/Azure/azure-sdk-for-go/sdk/azcore"},
		[]string{"target/graphtarget", "examples/dirbridge"}, []string{"internal/e2e"}},
	{"Graph SDK", graphSDK, []string{"target/graphtarget"}, []string{"internal/e2e"}}, // it joins the leaves
	{"x/time", []string{"golang.org/x/time"}, []string{"target/graphtarget"}, nil},
	{"bbolt", []string{"go.etcd.io/bbolt"}, []string{"state/boltstate"}, nil},
	{"YAML", []string{"github.com/goccy/go-yaml"}, []string{"examples/dirbridge"}, nil},
	{"command line", []string{"github.com/alecthomas/kong"}, []string{"examples/dirbridge"}, nil},
	{"OpenAPI", []string{"github.com/getkin/kin-openapi"}, []string{"internal/graphsim/contract"}, nil},
	{"x/sync", []string{"golang.org/x/sync"}, []string{"*"}, nil},
	{"testify", []string{"github.com/stretchr/testify"}, nil, []string{"*"}},
	{"goleak", []string{"go.uber.org/goleak"}, nil, []string{"*"}},
}

// graphSDK is what an importer without graphtarget must never meet.
var graphSDK = []string{"github.com/microsoftgraph", "github.com/microsoft", "github.com/Azure/azure-sdk-for-go", "github.com/AzureAD"}

func TestEveryPackageImportsOnlyWhatItsArrowsAllow(t *testing.T) {
	g := theGraph(t)
	own := g.own()
	for _, pkg := range own {
		contract, leaf := leaves[pkg]
		switch {
		case leaf:
			require.Subset(t, []string{contract}, ours(g.reach(pkg, false)), "%s is a leaf: of ours, it may need its contract alone", pkg)
		case isCore(pkg):
			require.Subset(t, arrows[pkg], ours(g.imports(pkg, false)), "imports of %s", pkg)
		}
	}
	for pkg := range arrows {
		require.Contains(t, own, pkg, "a rule about a package that doesn't exist")
	}
	for pkg := range leaves {
		require.Contains(t, own, pkg, "a rule about a package that doesn't exist")
	}
}

// A judge that asks the accused: they would agree with the code, not with the
// real thing.
func TestSimulatorsAndTheIndependentComparisonKnowNothingOfTheCode(t *testing.T) {
	g := theGraph(t)
	for _, pkg := range []string{"internal/adsim", "internal/graphsim", "internal/graphsim/contract", "internal/e2e/compare"} {
		require.Contains(t, g.own(), pkg, "a rule about a package that doesn't exist")
		require.Empty(t, ours(g.reach(pkg, false)), pkg)
	}
}

// What a core test imports, an importer's go mod tidy downloads.
func TestTheCoreAndItsTestsStandOnTheStandardLibrary(t *testing.T) {
	g := theGraph(t)
	testify := g.reachOf("github.com/stretchr/testify/require")
	for _, pkg := range g.own() {
		if !isCore(pkg) {
			continue
		}
		for _, p := range g.foreign(g.reach(pkg, false)) {
			if !within(p, "golang.org/x/sync") {
				t.Errorf("%s needs %s", pkg, p)
			}
		}
		for _, p := range g.foreign(g.reach(pkg, true)) {
			if !within(p, "golang.org/x/sync") && !testify[p] {
				t.Errorf("the tests of %s need %s", pkg, p)
			}
		}
		for _, p := range ours(g.reach(pkg, true)) {
			if !isCore(p) {
				t.Errorf("the tests of %s need %s: move them to internal/e2e", pkg, p)
			}
		}
	}
}

func TestEachHeavyModuleIsNamedByItsOwnPackagesOnly(t *testing.T) {
	g := theGraph(t)
	rule := func(path string) int {
		for i, h := range heavy {
			if slices.ContainsFunc(h.prefixes, func(p string) bool { return within(path, p) }) {
				return i
			}
		}
		return -1
	}
	// within, since a program may have internal packages of its own.
	allowed := func(pkg string, list []string) bool {
		return slices.ContainsFunc(list, func(a string) bool { return a == "*" || pkg == a || within(pkg, a+"/internal") })
	}
	for _, pkg := range g.own() {
		for _, path := range g.foreign(g.imports(pkg, true)) {
			i := rule(path)
			switch {
			case i < 0:
				t.Errorf("%s imports %s, for which there is no rule here", pkg, path)
			case allowed(pkg, heavy[i].code):
			case g.imports(pkg, false)[path]:
				t.Errorf("%s imports %s (%s)", pkg, path, heavy[i].what)
			case !allowed(pkg, heavy[i].tests):
				t.Errorf("a test of %s imports %s (%s)", pkg, path, heavy[i].what)
			}
		}
	}
}

func TestEveryModuleThatIsNamedHasItsReasonWrittenDown(t *testing.T) {
	g := theGraph(t)
	const record = "docs/decisions/001-dependencies.md"
	text := readTree(t)[record]
	for _, pkg := range g.own() {
		for _, path := range g.foreign(g.imports(pkg, true)) {
			// Modules of one family share a row, which names the first one in
			// full and the last parts of the others.
			m := g.packages[path].Module.Path
			if last := m[strings.LastIndexByte(m, '/')+1:]; !strings.Contains(text, m) && !strings.Contains(text, last+"`") {
				t.Errorf("%s imports %s, but %s doesn't say why", pkg, m, record)
			}
		}
	}
}

func TestTheSuitesImportOnlyTheStandardLibraryAndTheirContract(t *testing.T) {
	g := theGraph(t)
	for _, suite := range []string{"source/sourcetest", "target/targettest", "state/statetest"} {
		contract, _, _ := strings.Cut(suite, "/")
		require.Empty(t, g.foreign(g.reach(suite, false)), suite)
		require.Equal(t, []string{contract}, ours(g.reach(suite, false)), suite)
	}
}

func TestLeavesNeverImportOneAnotherInTheirTestsEither(t *testing.T) {
	g := theGraph(t)
	for leaf := range leaves {
		for other := range leaves {
			if leaf != other {
				require.NotContains(t, ours(g.reach(leaf, true)), other, leaf)
			}
		}
	}
}

func TestTheseProgramsNeverReachTheGraphSDK(t *testing.T) {
	g := theGraph(t)
	for _, pkg := range []string{
		"examples/quickstart", "examples/simulate", "examples/customsource", "examples/customtarget",
		"internal/layering/embed",
	} {
		reached := g.reach(pkg, true)
		require.NotEmpty(t, reached, "%s doesn't exist", pkg)
		for p := range reached {
			if slices.ContainsFunc(graphSDK, func(s string) bool { return within(p, s) }) {
				t.Errorf("%s needs %s", pkg, p)
			}
		}
	}
	require.Contains(t, g.reach("internal/layering/embed", false), long("source/ldapsource"), "the program is about this")
	require.Contains(t, g.reach("internal/layering/embed", false), long("dirsync"), "the program is about this")
	require.NotContains(t, g.reach("internal/layering/embed", false), "github.com/getkin/kin-openapi/openapi3")
}

// reachOf is reach for a package of any module, itself included.
func (g graph) reachOf(path string) map[string]bool {
	out := map[string]bool{path: true}
	for _, d := range g.packages[path].Deps {
		out[plain(d)] = true
	}
	return out
}
