package audit

import (
	"bytes"
	"errors"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Decode reads one line, with or without its newline. It takes nothing but what
// [Encode] writes, byte for byte: another order, another way to write a
// character, a blank or a field that it doesn't know is an error. It doesn't
// look at the hash; [Record.Check] does.
func Decode(line []byte) (Record, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) >= MaxLine {
		return Record{}, errTooLong
	}
	d := decoder{rest: line}
	r := d.record()
	if d.failed || len(d.rest) > 0 {
		return Record{}, errNoRecord
	}
	if !bytes.Equal(appendRecord(make([]byte, 0, len(line)), &r, r.Hash), line) {
		return Record{}, errNotCanonical
	}
	return r, nil
}

var (
	errTooLong      = errors.New("the line is longer than a record can be")
	errNoRecord     = errors.New("the line is no record (or one of a newer version)")
	errNotCanonical = errors.New("the line isn't written as a record is written: somebody changed it")
)

// A decoder reads the canonical form and leaves it to Decode to see whether it
// was that. It is no reader of JSON in general: the little that it accepts keeps what
// a hostile line becomes in memory to some six times its size.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) record() (r Record) {
	d.expect(`{"seq":`)
	r.Seq = d.number()
	if d.name("time") {
		r.Time = d.time()
	}
	if d.name("run") {
		r.Run = d.number()
	}
	r.Event = Event(d.field("event"))
	r.Op = d.field("op")
	r.Kind = d.field("kind")
	r.Source = d.field("source")
	r.Name = d.field("name")
	r.Target = d.field("target")
	r.Anchor = d.field("anchor")
	r.UPN = d.field("upn")
	r.Before = d.values("before")
	r.After = d.values("after")
	r.Outcome = Outcome(d.field("outcome"))
	r.Error = d.field("error")
	r.Repeat = d.accept(`,"repeat":true`)
	r.Reason = d.field("reason")
	r.Rules = d.rules()
	if d.accept(`,"evidence":{"kind":`) {
		r.Evidence = &Evidence{Kind: d.string(), Detail: d.field("detail")}
		if d.name("seen") {
			r.Evidence.Seen = d.time()
		}
		d.expect("}")
	}
	r.Plan = d.field("plan")
	r.Approver = d.field("approver")
	r.RequestID = d.field("requestId")
	r.ClientRequestID = d.field("clientRequestId")
	r.Detail = d.field("detail")
	r.Prev = d.field("prev")
	r.Hash = d.field("hash")
	d.expect("}")
	return r
}

// accept takes s away if it comes next.
func (d *decoder) accept(s string) bool {
	if d.failed || len(d.rest) < len(s) || string(d.rest[:len(s)]) != s {
		return false
	}
	d.rest = d.rest[len(s):]
	return true
}

func (d *decoder) expect(s string) {
	if !d.accept(s) {
		d.failed = true
	}
}

// name takes away the name of a field other than the first.
func (d *decoder) name(name string) bool {
	n := len(name)
	b := d.rest
	if d.failed || len(b) < n+4 || b[0] != ',' || b[1] != '"' || string(b[2:n+2]) != name || b[n+2] != '"' || b[n+3] != ':' {
		return false
	}
	d.rest = b[n+4:]
	return true
}

// field is the text of the field name, "" if it isn't there.
func (d *decoder) field(name string) string {
	if !d.name(name) {
		return ""
	}
	return d.string()
}

func (d *decoder) values(name string) map[string][]string {
	if !d.name(name) {
		return nil
	}
	d.expect("{")
	out := map[string][]string{}
	for !d.failed && !d.accept("}") {
		if len(out) > 0 {
			d.expect(",")
		}
		attr := d.string()
		d.expect(":[")
		if _, ok := out[attr]; ok {
			d.failed = true
		}
		vs := []string{}
		for !d.failed && !d.accept("]") {
			if len(vs) > 0 {
				d.expect(",")
			}
			vs = append(vs, d.string())
		}
		out[attr] = vs
	}
	return out
}

func (d *decoder) rules() (out []Rule) {
	if !d.name("rules") {
		return nil
	}
	d.expect("[")
	for !d.failed && !d.accept("]") {
		if len(out) > 0 {
			d.expect(",")
		}
		var r Rule
		d.expect(`{"attribute":`)
		r.Attribute = d.string()
		d.expect(`,"rule":`)
		r.Rule = d.string()
		d.expect(`,"branch":`)
		r.Branch = d.string()
		d.expect("}")
		out = append(out, r)
	}
	return out
}

func (d *decoder) number() uint64 {
	n := 0
	for n < len(d.rest) && n < 20 && '0' <= d.rest[n] && d.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseUint(string(d.rest[:n]), 10, 64)
	if err != nil {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) time() time.Time {
	t, err := time.Parse(time.RFC3339Nano, d.string())
	if err != nil {
		d.failed = true
		return time.Time{}
	}
	return t.UTC()
}

func (d *decoder) string() string {
	d.expect(`"`)
	if d.failed {
		return ""
	}
	n := bytes.IndexAny(d.rest, `"\`)
	if n >= 0 && d.rest[n] == '"' { // as most are
		s := string(d.rest[:n])
		d.rest = d.rest[n+1:]
		return s
	}
	var b []byte
	for n >= 0 {
		b = append(b, d.rest[:n]...)
		c := d.rest[n]
		if d.rest = d.rest[n+1:]; c == '"' {
			return string(b)
		}
		switch {
		case d.accept(`"`):
			b = append(b, '"')
		case d.accept(`\`):
			b = append(b, '\\')
		default:
			r := d.escape()
			if utf16.IsSurrogate(r) {
				d.expect(`\`)
				r = utf16.DecodeRune(r, d.escape())
			}
			b = utf8.AppendRune(b, r)
		}
		if d.failed {
			return ""
		}
		n = bytes.IndexAny(d.rest, `"\`)
	}
	d.failed = true
	return ""
}

// escape is the character of an escape whose backslash is gone.
func (d *decoder) escape() rune {
	if d.failed || len(d.rest) < 5 || d.rest[0] != 'u' {
		d.failed = true
		return 0
	}
	v, err := strconv.ParseUint(string(d.rest[1:5]), 16, 16)
	if err != nil {
		d.failed = true
	}
	d.rest = d.rest[5:]
	return rune(v)
}
