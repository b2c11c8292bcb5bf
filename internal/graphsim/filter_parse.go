package graphsim

import (
	"strings"
)

// parseFilter reads $filter.
func (t *Tenant) parseFilter(c *call) (filter, *apiError) {
	raw, ok := c.query["$filter"]
	if !ok {
		return filter{}, nil
	}
	p := &filterParser{t: t, schema: t.schemaOfList(c), advanced: c.advanced()}
	if !p.scan(raw[0]) {
		return filter{}, p.syntax(raw[0])
	}
	n := p.or()
	if limit := t.opts.Switches.maxClauses(); p.err == nil && p.clauses > limit {
		p.err = &apiError{status: 400, code: codeUnsupported, message: "Too many child clauses specified in search filter expression containing 'OR' operators: " +
			itoa(p.clauses) + ". Max allowed: " + itoa(limit) + "."}
	}
	if p.err == nil && (n == nil || p.i < len(p.tokens)) {
		p.err = p.syntax(raw[0])
	}
	return filter{n}, p.err
}

// A filterParser is a recursive descent over the part of OData's grammar that a
// synchronizer uses.
type filterParser struct {
	t        *Tenant
	schema   schema
	advanced bool
	tokens   []string // quoted strings keep their opening quote
	i        int
	depth    int
	clauses  int // comparisons, each value of an in counted
	err      *apiError
}

func (p *filterParser) syntax(raw string) *apiError {
	return badRequest("Invalid filter clause: There is an error in the filter '%s'.", raw)
}

// scan cuts the text into tokens; a doubled quote inside a string is one quote.
func (p *filterParser) scan(s string) bool {
	for i := 0; i < len(s); {
		switch ch := s[i]; {
		case ch == ' ':
			i++
		case strings.IndexByte("(),:", ch) >= 0:
			p.tokens = append(p.tokens, s[i:i+1])
			i++
		case ch == '\'':
			var b strings.Builder
			b.WriteByte('\'')
			closed := false
			for i++; i < len(s); i++ {
				if s[i] == '\'' {
					if i+1 < len(s) && s[i+1] == '\'' {
						i++
					} else {
						closed = true
						i++
						break
					}
				}
				b.WriteByte(s[i])
			}
			if !closed {
				return false
			}
			p.tokens = append(p.tokens, b.String())
		default:
			j := i
			for j < len(s) && strings.IndexByte(" (),:'", s[j]) < 0 {
				j++
			}
			p.tokens = append(p.tokens, s[i:j])
			i = j
		}
	}
	return len(p.tokens) > 0 && len(p.tokens) < 4096
}

func (p *filterParser) next() string {
	if p.i >= len(p.tokens) {
		return ""
	}
	p.i++
	return p.tokens[p.i-1]
}

// accept takes the next token if it is word, whatever its case.
func (p *filterParser) accept(word string) bool {
	if p.i < len(p.tokens) && strings.EqualFold(p.tokens[p.i], word) {
		p.i++
		return true
	}
	return false
}

func (p *filterParser) or() *node {
	n := p.and()
	for n != nil && p.accept("or") {
		if r := p.and(); r != nil {
			n = &node{op: "or", kids: []*node{n, r}}
		} else {
			return nil
		}
	}
	return n
}

func (p *filterParser) and() *node {
	n := p.unary()
	for n != nil && p.accept("and") {
		if r := p.unary(); r != nil {
			n = &node{op: "and", kids: []*node{n, r}}
		} else {
			return nil
		}
	}
	return n
}

func (p *filterParser) unary() *node {
	if p.depth++; p.depth > 200 {
		return nil
	}
	defer func() { p.depth-- }()
	if p.accept("not") {
		n := p.unary()
		if n == nil || !p.needAdvanced() {
			return nil
		}
		return &node{op: "not", kids: []*node{n}}
	}
	if p.accept("(") {
		n := p.or()
		if n == nil || !p.accept(")") {
			return nil
		}
		return n
	}
	return p.clause()
}

func (p *filterParser) clause() *node {
	word := p.next()
	switch strings.ToLower(word) {
	case "startswith", "endswith":
		return p.function(strings.ToLower(word))
	}
	if name, ok := strings.CutSuffix(word, "/any"); ok {
		return p.any(name)
	}
	if !p.known(word) {
		return nil
	}
	op := strings.ToLower(p.next())
	n := &node{op: op, prop: word, fold: p.fold(word)}
	switch op {
	case "in":
		if !p.accept("(") {
			return nil
		}
		for {
			v, ok := p.literal()
			if !ok {
				return nil
			}
			n.value = append(n.value, v)
			if p.accept(")") {
				break
			}
			if !p.accept(",") {
				return nil
			}
		}
		return n
	case "ne":
		if !p.needAdvanced() {
			return nil
		}
	case "ge", "le":
		if word != "onPremisesImmutableId" && !p.needAdvanced() {
			return nil
		}
	case "eq":
	default:
		return nil
	}
	v, ok := p.literal()
	if !ok {
		return nil
	}
	if v == nil && !p.needAdvanced() {
		return nil
	}
	n.value = []any{v}
	return n
}

// function parses startswith(prop,'x') and its like.
func (p *filterParser) function(op string) *node {
	if !p.accept("(") {
		return nil
	}
	prop := p.next()
	if !p.known(prop) || !p.accept(",") {
		return nil
	}
	v, ok := p.literal()
	if _, str := v.(string); !ok || !str || !p.accept(")") {
		return nil
	}
	if op == "endswith" && !p.needAdvanced() {
		return nil
	}
	return &node{op: op, prop: prop, value: []any{v}, fold: p.fold(prop)}
}

// any parses the lambda of proxyAddresses/any(p:p eq 'x'), also with
// startswith.
func (p *filterParser) any(prop string) *node {
	switch prop {
	case "proxyAddresses", "otherMails", "businessPhones":
	default:
		p.unsupported(prop)
		return nil
	}
	if !p.accept("(") {
		return nil
	}
	variable := p.next()
	if variable == "" || !p.accept(":") {
		return nil
	}
	op := "eq"
	if p.accept("startswith") {
		if op = "startswith"; !p.accept("(") || !p.accept(variable) || !p.accept(",") {
			return nil
		}
	} else if !p.accept(variable) || !p.accept("eq") {
		return nil
	}
	v, ok := p.literal()
	if _, str := v.(string); !ok || !str || !p.accept(")") {
		return nil
	}
	if op == "startswith" && !p.accept(")") {
		return nil
	}
	return &node{op: "any", prop: prop, value: []any{v}, fold: true, kids: []*node{{op: op}}}
}

func (p *filterParser) literal() (any, bool) {
	p.clauses++
	switch s := p.next(); {
	case strings.HasPrefix(s, "'"):
		return s[1:], true
	case s == "true":
		return true, true
	case s == "false":
		return false, true
	case s == "null":
		return nil, true
	default:
		return nil, false
	}
}

// known checks that a property can be filtered on.
func (p *filterParser) known(name string) bool {
	if d := p.schema[name]; d != nil && (d.filter || p.advanced && p.schema.readable(name)) {
		return true
	}
	p.unsupported(name)
	return false
}

func (p *filterParser) unsupported(name string) {
	if p.err == nil && name != "" {
		p.err = &apiError{status: 400, code: codeUnsupported,
			message: "Unsupported or invalid query filter clause specified for property '" + name + "' of resource 'User'."}
	}
}

func (p *filterParser) needAdvanced() bool {
	if !p.advanced && p.err == nil {
		p.err = &apiError{status: 400, code: codeUnsupported, message: "Unsupported Query."}
	}
	return p.advanced
}

// fold says whether the directory compares a property without regard to case.
func (p *filterParser) fold(name string) bool {
	return name != "onPremisesImmutableId" || p.t.opts.Switches.AnchorFilterIgnoresCase
}
