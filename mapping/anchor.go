package mapping

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
)

// decideAnchor decides the source anchor, which ties the account to its object
// for good: at first sight mS-DS-ConsistencyGuid if it has a value, else
// objectGUID, as base64 of the raw 16 bytes. After that it stays, whatever the
// directory says. (base64 knows neither $ nor _, which the target refuses.)
func (w *work) decideAnchor(r *row) {
	in, m := w.in, &w.res.Memory
	d := Decision{Rule: "anchor", Attribute: attrAnchor, Inputs: w.look(r.from)}
	raw := in.Object.Attributes.First(attrConsistency)
	consistency, legal := guidBase64(raw)
	_, unread := fault(in.Object.Faults, attrConsistency)

	if p := in.Previous; p.Anchor != "" {
		w.res.Anchor = p.Anchor
		d.Branch = "as before"
		d.Result = w.one(p.Anchor)
		w.res.Decisions = append(w.res.Decisions, d)
		// Connect copies objectGUID into mS-DS-ConsistencyGuid: a value that
		// says the same isn't a change.
		switch {
		case unread || raw == "" && !p.ConsistencyGUID || legal && consistency == p.Anchor:
		case raw == "":
			w.anchorChanged("is gone", p.Anchor)
		case !legal:
			w.anchorChanged("no longer holds a GUID", p.Anchor)
		case p.ConsistencyGUID:
			w.anchorChanged("changed to "+quote(consistency), p.Anchor)
		default:
			w.anchorChanged("appeared with "+quote(consistency), p.Anchor)
		}
		return
	}

	switch {
	case unread:
		f, _ := fault(in.Object.Faults, attrConsistency)
		d.Branch = attrConsistency + " can't be read"
		w.refuse(unreadable(attrAnchor, f, true), d)
		return
	case raw != "" && !legal:
		d.Branch = attrConsistency + " holds no GUID"
		w.refuse(Problem{
			Code:      CodeInvalidAnchor,
			Attribute: attrAnchor,
			Message:   fmt.Sprintf("%s %s isn't 16 bytes long", attrConsistency, quote(raw)),
			Remedy:    "clear or correct " + attrConsistency + " in the directory before the account is created",
			Fatal:     true,
		}, d)
		return
	case raw != "":
		m.Anchor, m.ConsistencyGUID = consistency, true
		d.Branch = "from " + attrConsistency
	default:
		m.Anchor, d.Branch = identityAnchor(in.Object)
	}
	w.res.Anchor = m.Anchor
	d.Result = w.one(m.Anchor)
	w.res.Decisions = append(w.res.Decisions, d)
}

func (w *work) anchorChanged(what, anchor string) {
	w.res.Problems = append(w.res.Problems, Problem{
		Code:      CodeAnchorChanged,
		Attribute: attrAnchor,
		Message:   fmt.Sprintf("%s %s; the account's anchor stays %s", attrConsistency, what, quote(anchor)),
		Remedy:    fmt.Sprintf("put %s back, or clear it if it had no value when the account was created", attrConsistency),
	})
}

// identityAnchor makes an anchor of what identifies the object at its source:
// its objectGUID, or an ID that is a GUID's text. The ID of another kind of
// directory is encoded as it is or, where that gets longer than Entra allows, by
// its hash: different IDs have different anchors.
func identityAnchor(o source.Object) (anchor, branch string) {
	if guid, ok := guidBase64(o.Attributes.First(attrGUID)); ok {
		return guid, "from objectGUID"
	}
	if raw, ok := parseGUID(string(o.ID)); ok {
		return base64.StdEncoding.EncodeToString(raw[:]), "from objectGUID"
	}
	if anchor = base64.StdEncoding.EncodeToString([]byte(o.ID)); anchorWeight(anchor) < mostAnchor {
		return anchor, "from the object's ID"
	}
	sum := sha256.Sum256([]byte(o.ID))
	return base64.StdEncoding.EncodeToString(sum[:16]), "from the hash of the object's ID"
}

// mostAnchor is the weight that an anchor has to stay under (Connect's design
// page): a letter or digit weighs 1, anything else 3.
const mostAnchor = 60

func anchorWeight(s string) int {
	n := 0
	for i := range len(s) {
		if asciiAlnum(s[i]) {
			n++
		} else {
			n += 3
		}
	}
	return n
}

// guidBase64 reports whether s is the base64 of 16 bytes, and returns it in the
// one form that anchors have.
func guidBase64(s string) (string, bool) {
	if len(s) != 24 {
		return "", false
	}
	var raw [18]byte
	n, err := base64.StdEncoding.Strict().Decode(raw[:], []byte(s))
	return s, err == nil && n == 16
}

// parseGUID returns the raw bytes of a GUID's text, as Active Directory stores
// them: the first three fields with their lowest byte first.
func parseGUID(s string) (raw [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return raw, false
	}
	text := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(raw[:], []byte(text)); err != nil {
		return raw, false
	}
	raw[0], raw[1], raw[2], raw[3] = raw[3], raw[2], raw[1], raw[0]
	raw[4], raw[5] = raw[5], raw[4]
	raw[6], raw[7] = raw[7], raw[6]
	return raw, true
}
