package mapping

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// decideEnabled turns bit 0x2 of userAccountControl into accountEnabled.
func (w *work) decideEnabled(r *row) {
	a := w.in.Object.Attributes
	from := r.from[:1]
	if w.rules.opts.ExpiredIsDisabled {
		from = r.from
	}
	d := Decision{Rule: "accountEnabled", Inputs: w.look(from)}
	if f, ok := w.fault(from); ok {
		d.Branch = f.Attribute + " can't be read"
		w.refuse(unreadable(r.name, f, true), d)
		return
	}
	enabled := true
	switch uac := a.First(attrUAC); {
	case uac == "": // the rules for skipping let it through
		d.Branch = "without userAccountControl, which counts as enabled"
	default:
		bits, err := strconv.ParseInt(uac, 10, 64)
		if err != nil {
			d.Branch = "userAccountControl is no number"
			w.refuse(noNumber(r.name, attrUAC, uac), d)
			return
		}
		if enabled = bits&uacDisabled == 0; enabled {
			d.Branch = "userAccountControl bit 2 isn't set"
		} else {
			d.Branch = "userAccountControl bit 2 is set"
		}
	}
	if enabled && w.rules.opts.ExpiredIsDisabled {
		expires, ever, err := accountExpires(a.First(attrExpires))
		switch {
		case err != nil:
			d.Branch = "accountExpires is no time"
			w.refuse(noNumber(r.name, attrExpires, a.First(attrExpires)), d)
			return
		case !ever:
		case !w.in.Now.IsZero() && !w.in.Now.Before(expires):
			enabled = false
			d.Branch = "expired since " + expires.Format(time.RFC3339)
		default:
			w.res.Until = expires
			d.Branch += ", expires " + expires.Format(time.RFC3339)
		}
	}
	w.set(r.name, strconv.FormatBool(enabled), d)
}

func noNumber(attribute, from, value string) Problem {
	return Problem{
		Code:      CodeInvalid,
		Attribute: attribute,
		Message:   fmt.Sprintf("%s %s isn't a number", from, quote(value)),
		Remedy:    "correct " + from + " in the directory",
		Fatal:     true,
	}
}

// accountExpires returns the instant that a FILETIME (units of 100 ns since
// 1601-01-01 UTC) stands for. ever is false for an account that never expires,
// which Active Directory says in two ways.
func accountExpires(s string) (at time.Time, ever bool, err error) {
	if s == "" {
		return at, false, nil
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v <= 0 || v == math.MaxInt64 {
		return at, false, err
	}
	const perSecond, epoch = 10_000_000, 11_644_473_600
	return time.Unix(v/perSecond-epoch, v%perSecond*100).UTC(), true, nil
}
