package layering_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the module's root, seen from this package.
var root = filepath.Join("..", "..")

// tree reads every text file of the module once, by slash-separated path. That
// the test itself opens them also tells the go command's test cache on what the
// result depends: go list's own reading it doesn't see.
var tree = sync.OnceValues(func() (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch rel = filepath.ToSlash(rel); {
		case d.IsDir() && rel == ".git":
			return filepath.SkipDir
		case !d.Type().IsRegular(), strings.HasSuffix(rel, ".db"), strings.HasSuffix(rel, ".prof"), strings.HasSuffix(rel, ".test"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.ContainsRune(b, 0) {
			files[rel] = string(b)
		}
		return nil
	})
	return files, err
})

func readTree(t *testing.T) map[string]string {
	t.Helper()
	files, err := tree()
	require.NoError(t, err)
	require.Contains(t, files, "go.mod")
	return files
}

// machinePath finds paths that are true on one machine only. In pieces, so that
// it doesn't find itself.
var machinePath = regexp.MustCompile(`(^|[^\w./-])/(` + "wo" + `rk|ro` + `ot)(/|\b)`)

func TestNoFileNamesAPathOfTheMachineItWasWrittenOn(t *testing.T) {
	for name, text := range readTree(t) {
		for i, line := range strings.Split(text, "\n") {
			require.Falsef(t, machinePath.MatchString(line), "%s:%d: %s", name, i+1, strings.TrimSpace(line))
		}
	}
}

func TestEveryPackageHasADocFileAndARunnableExample(t *testing.T) {
	// Why a package needs no Example.
	without := map[string]string{
		"source/sourcetest":            "a suite needs a *testing.T, which an Example hasn't; its doc.go shows it",
		"target/targettest":            "as sourcetest",
		"state/statetest":              "as sourcetest",
		"dirsync/audit/audittest":      "as sourcetest",
		"internal/layering":            "nothing but tests",
		"internal/graphsim/contract":   "needs ../shared",
		"dirsync/internal/ledger":      "private to the engine",
		"internal/simulation/wire":     "nothing but tests",
		"internal/simulation/mutation": "nothing but tests",
	}
	g, files := theGraph(t), readTree(t)
	example := regexp.MustCompile(`(?m)^func Example`)
	for _, pkg := range g.own() {
		prefix := pkg + "/"
		if pkg == "." {
			prefix = ""
		}
		if files[prefix+"doc.go"] == "" {
			t.Errorf("%s has no doc.go", pkg)
		}
		if _, ok := without[pkg]; ok || g.packages[long(pkg)].Name == "main" || within(pkg, "internal/e2e") {
			continue
		}
		found := false
		for name, text := range files {
			dir, file := filepath.Split(name)
			if dir == prefix && strings.HasSuffix(file, "_test.go") && example.MatchString(text) && strings.Contains(text, "// Output:") {
				found = true
			}
		}
		if !found {
			t.Errorf("%s has no Example with // Output:", pkg)
		}
	}
	for pkg := range without {
		if !slices.Contains(g.own(), pkg) {
			t.Errorf("%s doesn't exist and needs no exception", pkg)
		}
	}
}

// Go code in README.md and doc.go is code that is compiled somewhere.
func TestTheCodeInTheReadmeIsCompiled(t *testing.T) {
	files := readTree(t)
	readme := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(files["README.md"], -1)
	require.NotEmpty(t, readme)
	compiled := squeeze(files["internal/layering/readme/main.go"] + files["example_test.go"])
	for _, b := range readme {
		if !strings.Contains(compiled, squeeze(b[1])) {
			t.Errorf("not in internal/layering/readme/main.go or example_test.go:\n%s", b[1])
		}
	}
	blocks := 0
	for _, b := range goBlocks(files["doc.go"]) {
		if strings.Contains(b, "→") {
			continue // a drawing
		}
		if blocks++; !strings.Contains(compiled, squeeze(b)) {
			t.Errorf("doc.go has what isn't in example_test.go:\n%s", b)
		}
	}
	require.NotZero(t, blocks)
}

// goBlocks are the indented blocks of a doc comment.
func goBlocks(doc string) []string {
	var out []string
	block := ""
	for line := range strings.Lines(doc) {
		text, code := strings.CutPrefix(line, "//\t")
		switch {
		case code:
			block += text
		case strings.TrimSpace(line) != "//": // an empty line doesn't end a block
			out, block = append(out, block), ""
		}
	}
	return slices.DeleteFunc(append(out, block), func(b string) bool { return b == "" })
}

// squeeze leaves no white space but single blanks, so that indentation doesn't
// matter.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
