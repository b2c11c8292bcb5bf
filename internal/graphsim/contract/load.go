package contract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

var errMissing = errors.New("the Graph contract isn't here (../shared/contract, or set DIRBRIDGE_SHARED)")

// load reads the description once; it takes about half a second.
var load = sync.OnceValues(func() (routers.Router, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	data, err := overlaid(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("validate %s: %w", path, err)
	}
	return gorillamux.NewRouter(doc)
})

// find looks for the description from the working directory, which in a test is
// the package's, up to the module's root.
func find() (string, error) {
	shared := os.Getenv("DIRBRIDGE_SHARED")
	if shared == "" {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			up := filepath.Dir(dir)
			if up == dir {
				return "", errMissing
			}
			dir = up
		}
		shared = filepath.Join(filepath.Dir(dir), "shared")
	}
	path := filepath.Join(shared, "contract", "graph-v1.0.openapi.json")
	if _, err := os.Stat(path); err != nil {
		return "", errMissing
	}
	return path, nil
}

// Require skips the test if the description isn't there; under CI=true it fails
// the test.
func Require(t testing.TB) {
	t.Helper()
	_, err := load()
	switch {
	case err == nil:
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// router returns nil if traffic can't be checked here.
func router(t testing.TB) routers.Router {
	t.Helper()
	r, err := load()
	switch {
	case err == nil:
		return r
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Logf("traffic isn't checked: %v", err)
		return nil
	default:
		t.Fatal(err)
		return nil
	}
}
