package graphsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

var errEmptyBody = errors.New("empty body")

// decodeObject reads a JSON object.
func decodeObject(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errEmptyBody
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	if m == nil {
		return nil, errors.New("null")
	}
	return m, nil
}

// payload reads the body of a write.
func (c *call) payload() (map[string]any, *apiError) {
	if ct := c.header.Get("Content-Type"); len(c.body) > 0 && !strings.HasPrefix(strings.ToLower(ct), "application/json") {
		return nil, &apiError{status: 415, code: codeBadRequest,
			message: "A supported MIME type could not be found that matches the content type of the request. None of the supported type(s) 'application/json' matches the content type '" + ct + "'."}
	}
	m, err := decodeObject(c.body)
	switch {
	case errors.Is(err, errEmptyBody):
		return nil, badRequest("%s", msgEmptyBody)
	case err != nil:
		return nil, badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return m, nil
}

// A userWrite is the checked body of a create or an update.
type userWrite struct {
	values  map[string]any // nil clears
	invalid []string       // properties whose values are refused
}

// parseUser checks names and types of a body; what it says about values is
// collected, because the service reports several at once.
func (t *Tenant) parseUser(c *call, create bool) (*userWrite, *apiError) {
	body, e := c.payload()
	if e != nil {
		return nil, e
	}
	w := &userWrite{values: make(map[string]any, len(body))}
	for _, name := range sortedKeys(body) {
		v := body[name]
		if name == "@odata.type" {
			if v != "#microsoft.graph.user" {
				return nil, badRequest("A type named '%v' could not be resolved by the model.", v)
			}
			continue
		}
		if strings.HasPrefix(name, "@odata.") {
			continue
		}
		p := t.schema[name]
		if p == nil {
			return nil, badRequest("Property '%s' does not exist as a declared property or extension property.", name)
		}
		if p.readOnly {
			switch t.opts.Switches.ReadOnly {
			case ReadOnlyIgnored:
				continue
			case ReadOnlyGeneric:
				return nil, severalInvalid(name)
			}
			return nil, badRequest("Property '%s' is read-only and cannot be set.", name)
		}
		if p.service {
			return nil, denied()
		}
		v, e := t.convert(p, v)
		if e != nil {
			return nil, e
		}
		if !t.valid(p, v, create) {
			w.invalid = append(w.invalid, name)
		}
		w.values[name] = v
	}
	return w, nil
}

// convert brings a decoded value into the form that records hold; it refuses
// what has the wrong JSON type.
func (t *Tenant) convert(p *property, v any) (any, *apiError) {
	wrong := func(edm string) *apiError {
		return badRequest("Cannot convert the value of property '%s' to the expected type '%s'.", p.name, edm)
	}
	if v == nil {
		if p.kind == kindStrings || p.kind == kindObjects {
			return nil, badRequest("A null value was found for the property named '%s', which has the expected type 'Collection(Edm.String)[Nullable=False]'. The expected type 'Collection(Edm.String)[Nullable=False]' does not allow null values.", p.name)
		}
		return nil, nil
	}
	switch p.kind {
	case kindBool:
		if _, ok := v.(bool); !ok {
			return nil, wrong("Edm.Boolean")
		}
	case kindString:
		s, ok := v.(string)
		if !ok {
			return nil, wrong("Edm.String")
		}
		if t.opts.Switches.TrimsValues && s != "" {
			if s = strings.TrimSpace(s); s == "" {
				return nil, nil
			}
			return s, nil
		}
	case kindDate:
		s, ok := v.(string)
		if _, err := time.Parse(time.RFC3339, s); !ok || err != nil {
			return nil, wrong("Edm.DateTimeOffset")
		}
	case kindStrings:
		list, ok := v.([]any)
		if !ok {
			return nil, wrong("Collection(Edm.String)")
		}
		out := make([]string, 0, len(list))
		for _, e := range list {
			s, ok := e.(string)
			if !ok {
				return nil, wrong("Collection(Edm.String)")
			}
			out = append(out, s)
		}
		return out, nil
	case kindObject:
		m, ok := v.(map[string]any)
		if !ok {
			return nil, wrong("microsoft.graph." + p.name)
		}
		delete(m, "@odata.type")
		return m, nil
	case kindObjects:
		if _, ok := v.([]any); !ok {
			return nil, wrong("Collection(microsoft.graph." + p.name + ")")
		}
	}
	return v, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
