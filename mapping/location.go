package mapping

import (
	"fmt"
	"strings"
)

// decideLocation decides the usageLocation, without which no licence can be
// assigned: msExchUsageLocation, c, or the configured default.
func (w *work) decideLocation(r *row) {
	a := w.in.Object.Attributes
	d := Decision{Rule: "usageLocation", Inputs: w.look(r.from)}
	if f, ok := w.fault(r.from); ok {
		d.Branch = f.Attribute + " can't be read"
		w.refuse(unreadable(r.name, f, false), d)
		return
	}
	if v := a.First(attrExchLocation); !blank(v) {
		c, ok := country(v)
		if !ok {
			// Somebody set it for this very purpose, so it isn't passed over.
			d.Branch = "msExchUsageLocation is no country code"
			w.refuse(Problem{
				Code:      CodeInvalid,
				Attribute: r.name,
				Message:   fmt.Sprintf("msExchUsageLocation %s isn't a country code of two letters", quote(v)),
				Remedy:    "set msExchUsageLocation in the directory to a code such as DE, or clear it",
			}, d)
			return
		}
		d.Branch = "from msExchUsageLocation"
		w.set(r.name, c, d)
		return
	}
	v := a.First("c")
	if c, ok := country(v); ok {
		d.Branch = "from c"
		w.set(r.name, c, d)
		return
	}
	why := "no value"
	if !blank(v) {
		why = "c is no country code"
	}
	d.Branch = why
	if w.rules.opts.UsageLocation != "" {
		d.Branch = "configured default: " + why
	}
	w.set(r.name, w.rules.opts.UsageLocation, d)
}

// country returns a country code of two ASCII letters in capitals.
func country(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) != 2 || !asciiLetter(s[0]) || !asciiLetter(s[1]) {
		return "", false
	}
	return strings.ToUpper(s), true
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
