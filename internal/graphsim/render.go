package graphsim

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// appendString adds s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			default:
				const hex = "0123456789abcdef"
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + 1
		}
		i += n
	}
	return append(append(b, s[start:]...), '"')
}

// appendValue adds v, a value of a record or of a decoded body.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case json.Number:
		return append(b, v...)
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k)
			b = append(b, ':')
			b = appendValue(b, v[k])
		}
		return append(b, '}')
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, raw...)
}

// appendUser adds the selected properties of a user or group.
func (t *Tenant) appendUser(b []byte, u view, sel []string, first []byte) []byte {
	b = append(b, '{')
	b = append(b, first...)
	for i, name := range sel {
		if i > 0 || len(first) > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':')
		b = t.appendProperty(b, u, name)
	}
	return append(b, '}')
}

func (t *Tenant) appendProperty(b []byte, u view, name string) []byte {
	v := u.get(name)
	if v == nil {
		switch t.schemaOf(u.s)[name].kind {
		case kindStrings, kindObjects:
			return append(b, "[]"...)
		}
		if name == "onPremisesExtensionAttributes" {
			v = map[string]any(nil)
		}
	}
	if name == "onPremisesExtensionAttributes" {
		m, _ := v.(map[string]any)
		return appendExtensions(b, m)
	}
	return appendValue(b, v)
}

// appendExtensions adds all fifteen, as the service does.
func appendExtensions(b []byte, m map[string]any) []byte {
	b = append(b, '{')
	for i, name := range extensionNames {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':')
		b = appendValue(b, m[name])
	}
	return append(b, '}')
}

var extensionNames = func() []string {
	names := make([]string, 15)
	for i := range names {
		names[i] = "extensionAttribute" + strconv.Itoa(i+1)
	}
	return names
}()
