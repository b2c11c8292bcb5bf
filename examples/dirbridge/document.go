package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A document is a YAML file that was parsed, so that what is wrong with a value
// can be told with its line and column.
type document struct {
	path string
	root ast.Node
}

// A configError is everything that is wrong with a configuration: the program
// ends with code 2 before it has asked anybody anything.
type configError struct{ lines []string }

func (e *configError) Error() string { return strings.Join(e.lines, "\n") }

// load reads the file at path. The errors are *configError.
func load(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &configError{[]string{fmt.Sprintf("read the configuration: %v", err)}}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // Windows editors put it there
	doc := &document{path: path}
	f, err := parser.ParseBytes(text, 0)
	switch {
	case err != nil:
		return nil, doc.explain(err)
	case len(f.Docs) > 1:
		return nil, &configError{[]string{path + ": want one YAML document, this file has several"}}
	case len(f.Docs) == 0 || f.Docs[0].Body == nil:
		return nil, &configError{[]string{path + ": is empty; dirbridge.example.yaml shows what belongs in it"}}
	}
	doc.root = f.Docs[0].Body
	if lines := doc.literalSecrets(doc.root); lines != nil {
		return nil, &configError{lines}
	}
	c := &config{file: doc}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, doc.explain(err)
	}
	return c, nil
}

// explain puts FILE:LINE:COLUMN before what the parser says. It doesn't show the
// line: whoever mistypes a key may have put a secret behind it.
func (d *document) explain(err error) error {
	if v, ok := errors.AsType[*valueError](err); ok {
		return &configError{[]string{d.path + ":" + position(v.node) + ": " + v.what}}
	}
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &configError{[]string{d.path + ": " + err.Error()}}
	}
	message := y.GetMessage()
	if u, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		message = strings.Replace(u.GetMessage(), "unknown field", "unknown key", 1)
	}
	if t, ok := errors.AsType[*yaml.TypeError](err); ok {
		message = "want " + kindName(t.DstType.Kind())
	}
	p := y.GetToken().Position
	return &configError{[]string{fmt.Sprintf("%s:%d:%d: %s", d.path, p.Line, p.Column, message)}}
}

// A valueError is what is wrong with one value.
type valueError struct {
	node ast.Node
	what string
}

func (e *valueError) Error() string { return e.what }

// kindName says in an administrator's words what a value should be.
func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	}
	return "text"
}

// secretLine finds lines that may hold a secret.
var secretLine = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token)\w*["']?\s*:`)

// literalSecrets finds keys that hold a secret themselves instead of saying where
// it is. It comes before all else that would show lines of the file.
func (d *document) literalSecrets(n ast.Node) (lines []string) {
	for key, value := range pairs(n) {
		name := strings.Trim(key.String(), `"'`)
		if secretLine.MatchString(name+":") && !strings.HasSuffix(name, "Env") && !strings.HasSuffix(name, "File") {
			lines = append(lines, fmt.Sprintf("%s:%s: %s: secrets don't belong in this file; put the value into an environment variable or a file of its own and say where, %sEnv: NAME or %sFile: PATH",
				d.path, position(key), name, name, name))
		}
		lines = append(lines, d.literalSecrets(value)...)
	}
	if s, ok := n.(*ast.SequenceNode); ok {
		for _, v := range s.Values {
			lines = append(lines, d.literalSecrets(v)...)
		}
	}
	return lines
}

// at says where the value with these keys (of a list, the number from 0) is, or else the innermost of them
// that is there: "FILE:4:15".
func (d *document) at(keys ...string) string {
	n := d.root
	for _, k := range keys {
		var next ast.Node
		for key, value := range pairs(n) {
			if strings.Trim(key.String(), `"'`) == k {
				next = value
			}
		}
		if s, ok := n.(*ast.SequenceNode); ok {
			if i, err := strconv.Atoi(k); err == nil && i < len(s.Values) {
				next = s.Values[i]
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return d.path + ":" + position(n)
}

// relative makes a path of the file relative to the file's own directory.
func (d *document) relative(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(d.path), path)
}

// pairs yields the keys and values of a mapping, nothing for anything else.
func pairs(n ast.Node) iter.Seq2[ast.Node, ast.Node] {
	return func(yield func(ast.Node, ast.Node) bool) {
		switch n := n.(type) {
		case *ast.MappingNode:
			for _, v := range n.Values {
				if !yield(v.Key, v.Value) {
					return
				}
			}
		case *ast.MappingValueNode:
			yield(n.Key, n.Value)
		case *ast.AnchorNode:
			pairs(n.Value)(yield)
		case *ast.TagNode:
			pairs(n.Value)(yield)
		}
	}
}

// position is "LINE:COLUMN" of where n begins.
func position(n ast.Node) string {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key
	} else if v, ok := n.(*ast.MappingValueNode); ok {
		n = v.Key
	}
	p := n.GetToken().Position
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}
