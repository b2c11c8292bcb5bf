package graphtarget

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// A fault is Graph's error body. Its meaning is spread over code, details and
// message, in ways that differ between the layers of Graph and over the years.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Details []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Target  string `json:"target"`
	} `json:"details"`
}

// faultOf reads the error body of r. It is zero where r has none: an empty
// body, or one that isn't Graph's.
func faultOf(r reply) fault {
	var envelope struct {
		Error fault `json:"error"`
	}
	if json.Unmarshal(r.body, &envelope) != nil {
		return fault{}
	}
	return envelope.Error
}

// known reports whether Graph itself spoke.
func (f fault) known() bool { return f.Code != "" }

// has reports whether one of the codes stands anywhere in f.
func (f fault) has(codes ...string) bool {
	if slices.Contains(codes, f.Code) {
		return true
	}
	for _, d := range f.Details {
		if slices.Contains(codes, d.Code) {
			return true
		}
	}
	return false
}

// says reports whether one of the texts stands in one of f's messages.
func (f fault) says(texts ...string) bool {
	messages := strings.ToLower(f.Message)
	for _, d := range f.Details {
		messages += "\n" + strings.ToLower(d.Message)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(messages, strings.ToLower(text)) })
}

var (
	namedProperty = regexp.MustCompile(`(?i)propert(?:y|ies):? '?([A-Za-z0-9]+)'?`)
	codeLike      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*$`)
)

// attribute finds which property f is about, by the vocabulary's name: in the
// details, else in the words of the message. What isn't a property that we
// write isn't given: a message may hold anything.
func (f fault) attribute() string {
	var names []string
	for _, d := range f.Details {
		names = append(names, d.Target)
	}
	for _, d := range f.Details {
		for _, m := range namedProperty.FindAllStringSubmatch(d.Message, -1) {
			names = append(names, m[1])
		}
	}
	for _, m := range namedProperty.FindAllStringSubmatch(f.Message, -1) {
		names = append(names, m[1])
	}
	for _, name := range names {
		if i := strings.LastIndexAny(name, "/."); i >= 0 { // onPremisesExtensionAttributes/extensionAttribute1
			name = name[i+1:]
		}
		if name = vocabularyName(name); name != "" {
			return name
		}
	}
	return ""
}

// vocabularyName is the name by which the engine knows a property of Graph's.
func vocabularyName(name string) string {
	switch {
	case strings.EqualFold(name, "proxyAddresses"): // moved only by writing mail
		return target.AttrMail
	case strings.EqualFold(name, anchorProperty), strings.EqualFold(name, uniqueNameProperty):
		return anchorProperty
	case strings.EqualFold(name, "passwordProfile"), strings.EqualFold(name, "password"):
		return "passwordProfile"
	}
	for _, p := range properties {
		if strings.EqualFold(p.name, name) {
			return p.name
		}
	}
	for _, p := range groupProperties {
		if strings.EqualFold(p.name, name) {
			return p.name
		}
	}
	return ""
}

// A refusal says what Graph replied, in codes alone: its messages quote names
// and addresses of people.
type refusal struct {
	status int
	codes  []string
}

func refusalOf(r reply, f fault) *refusal {
	s := &refusal{status: r.status}
	for _, code := range append([]string{f.Code}, codesOf(f)...) {
		if len(code) <= 64 && codeLike.MatchString(code) && !slices.Contains(s.codes, code) && len(s.codes) < 4 {
			s.codes = append(s.codes, code)
		}
	}
	return s
}

func codesOf(f fault) []string {
	codes := make([]string, len(f.Details))
	for i, d := range f.Details {
		codes[i] = d.Code
	}
	return codes
}

func (s *refusal) Error() string {
	if len(s.codes) == 0 {
		return fmt.Sprintf("HTTP %d without a Graph error", s.status)
	}
	return fmt.Sprintf("HTTP %d %s", s.status, strings.Join(s.codes, " "))
}
