package layering_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/dirbridge/dirbridge"

// A listed package is what `go list` says about one package or about one of its
// test variants.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool
	ForTest    string
	Module     *struct{ Path string }
	Imports    []string
	Deps       []string
}

// A graph is every package that this module's packages and their tests reach,
// test variants included.
type graph struct{ packages map[string]listed }

var load = sync.OnceValues(func() (graph, error) {
	cmd := exec.Command("go", "list", "-deps", "-test",
		"-json=ImportPath,Name,Dir,Standard,ForTest,Module,Imports,Deps", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return graph{}, errors.New("go list: " + err.Error() + "\n" + stderr.String())
	}
	g := graph{packages: map[string]listed{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if err == io.EOF {
			return g, nil
		}
		if err != nil {
			return graph{}, err
		}
		g.packages[p.ImportPath] = p
	}
})

func theGraph(t *testing.T) graph {
	t.Helper()
	readTree(t)
	g, err := load()
	require.NoError(t, err)
	require.Contains(t, g.packages, module+"/dirsync")
	return g
}

// own are this module's packages, as paths within it ("." for the root), in
// order, without test variants.
func (g graph) own() []string {
	var out []string
	for path, p := range g.packages {
		if p.ForTest == "" && isOurs(path) && !strings.HasSuffix(path, ".test") {
			out = append(out, short(path))
		}
	}
	slices.Sort(out)
	return out
}

// reach are all packages that pkg needs when it is built or, with tests, when
// its tests are: import paths without test variants, pkg itself left out.
func (g graph) reach(pkg string, tests bool) map[string]bool {
	out := map[string]bool{}
	add := func(path string) {
		for _, d := range g.packages[path].Deps {
			out[plain(d)] = true
		}
	}
	add(long(pkg))
	if tests {
		add(long(pkg) + ".test")
	}
	delete(out, long(pkg))
	delete(out, long(pkg)+"_test")
	return out
}

// imports are what pkg's own files name: its code, or its code and tests.
func (g graph) imports(pkg string, tests bool) map[string]bool {
	out := map[string]bool{}
	for path, p := range g.packages {
		mine := path == long(pkg)
		if tests && p.ForTest == long(pkg) {
			mine = mine || plain(path) == long(pkg) || plain(path) == long(pkg)+"_test"
		}
		if !mine {
			continue
		}
		for _, i := range p.Imports {
			out[plain(i)] = true
		}
	}
	delete(out, long(pkg))
	return out
}

// foreign are those of paths that are neither standard nor ours.
func (g graph) foreign(paths map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(paths)), func(p string) bool {
		return isOurs(p) || g.packages[p].Standard || p == "C"
	})
}

// ours are those of paths that are in this module, as paths within it.
func ours(paths map[string]bool) []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if isOurs(p) {
			out = append(out, short(p))
		}
	}
	return out
}

func isOurs(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// plain is an import path without the mark of a test variant: "p [q.test]" is p.
func plain(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return path
}

func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func long(pkg string) string {
	if pkg == "." {
		return module
	}
	return module + "/" + pkg
}

// within reports whether path is prefix or lies below it.
func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
