package adsim

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// A syntax says how values of an attribute are compared and written.
type syntax uint8

const (
	unicode syntax = iota + 1 // text, compared without case
	teletex
	ia5
	printable
	numeric
	caseExact
	integer
	enum
	large
	boolean
	octets
	dnRef    // kept as a reference to the object, so that it follows renames
	dnBinary // B:32:<hex>:<dn>, kept as text
	dnString
	sidValue
	genTime
	utcTime
	oidName // names of attributes and classes
	secDesc
	presentation
	replicaLink
)

// wire gives attributeSyntax and oMSyntax of a syntax, as the schema lists them.
var wire = map[syntax][2]string{
	unicode: {"2.5.5.12", "64"}, teletex: {"2.5.5.4", "20"}, ia5: {"2.5.5.5", "22"}, printable: {"2.5.5.5", "19"},
	numeric: {"2.5.5.6", "18"}, caseExact: {"2.5.5.3", "27"}, integer: {"2.5.5.9", "2"}, enum: {"2.5.5.9", "10"},
	large: {"2.5.5.16", "65"}, boolean: {"2.5.5.8", "1"}, octets: {"2.5.5.10", "4"}, dnRef: {"2.5.5.1", "127"},
	dnBinary: {"2.5.5.7", "127"}, dnString: {"2.5.5.14", "127"}, sidValue: {"2.5.5.17", "4"}, genTime: {"2.5.5.11", "24"},
	utcTime: {"2.5.5.11", "23"}, oidName: {"2.5.5.2", "6"}, secDesc: {"2.5.5.15", "66"}, presentation: {"2.5.5.13", "127"},
	replicaLink: {"2.5.5.10", "127"},
}

// What an attribute is besides its syntax.
const (
	single      = 1 << iota // at most one value
	local                   // not replicated: each domain controller has its own
	constructed             // computed when asked for
	preserved               // searchFlags 8: kept on tombstones
	systemOnly              // no client may write it
)

// An attribute is one attribute of the schema.
type attribute struct {
	name   string // lDAPDisplayName
	cn     string
	oid    string
	syntax syntax
	props  int
	link   int // linkID: even for a forward link, odd for the back link of link-1
	id     int // position in the schema: the order in which attributes are kept
}

func (a *attribute) is(prop int) bool  { return a.props&prop != 0 }
func (a *attribute) forwardLink() bool { return a.link > 0 && a.link%2 == 0 }
func (a *attribute) backLink() bool    { return a.link%2 == 1 }

// A class is one structural class, with what AD gives its objects by itself.
type class struct {
	name     string
	cn       string // name in the schema container
	oid      string
	super    string
	rdn      string // attribute that names its objects
	category string // cn of the defaultObjectCategory
}

var classTable = [...]class{
	{"top", "Top", "2.5.6.0", "top", "cn", "Top"},
	{"person", "Person", "2.5.6.6", "top", "cn", "Person"},
	{"organizationalPerson", "Organizational-Person", "2.5.6.7", "person", "cn", "Person"},
	{"user", "User", "1.2.840.113556.1.5.9", "organizationalPerson", "cn", "Person"},
	{"inetOrgPerson", "inetOrgPerson", "2.16.840.1.113730.3.2.2", "user", "cn", "Person"},
	{"computer", "Computer", "1.2.840.113556.1.3.30", "user", "cn", "Computer"},
	{"contact", "Contact", "1.2.840.113556.1.5.15", "organizationalPerson", "cn", "Person"},
	{"group", "Group", "1.2.840.113556.1.5.8", "top", "cn", "Group"},
	{"organizationalUnit", "Organizational-Unit", "2.5.6.5", "top", "ou", "Organizational-Unit"},
	{"container", "Container", "1.2.840.113556.1.3.23", "top", "cn", "Container"},
	{"domain", "Domain", "1.2.840.113556.1.5.66", "top", "dc", "Domain"},
	{"domainDNS", "Domain-DNS", "1.2.840.113556.1.5.67", "domain", "dc", "Domain-DNS"},
	{"configuration", "Configuration", "1.2.840.113556.1.5.12", "top", "cn", "Configuration"},
	{"dMD", "DMD", "1.2.840.113556.1.3.9", "top", "cn", "DMD"},
	{"crossRefContainer", "Cross-Ref-Container", "1.2.840.113556.1.5.7000.53", "top", "cn", "Cross-Ref-Container"},
	{"crossRef", "Cross-Ref", "1.2.840.113556.1.3.11", "top", "cn", "Cross-Ref"},
	{"sitesContainer", "Sites-Container", "1.2.840.113556.1.5.107", "top", "cn", "Sites-Container"},
	{"site", "Site", "1.2.840.113556.1.5.31", "top", "cn", "Site"},
	{"serversContainer", "Servers-Container", "1.2.840.113556.1.5.7000.48", "top", "cn", "Servers-Container"},
	{"server", "Server", "1.2.840.113556.1.5.17", "top", "cn", "Server"},
	{"applicationSettings", "Application-Settings", "1.2.840.113556.1.5.7000.49", "top", "cn", "Application-Settings"},
	{"nTDSDSA", "NTDS-DSA", "1.2.840.113556.1.5.7000.47", "applicationSettings", "cn", "NTDS-DSA"},
	{"nTDSService", "NTDS-Service", "1.2.840.113556.1.5.72", "top", "cn", "NTDS-Service"},
	{"queryPolicy", "Query-Policy", "1.2.840.113556.1.5.106", "top", "cn", "Query-Policy"},
	{"attributeSchema", "Attribute-Schema", "1.2.840.113556.1.3.14", "top", "cn", "Attribute-Schema"},
	{"classSchema", "Class-Schema", "1.2.840.113556.1.3.13", "top", "cn", "Class-Schema"},
}

// A schema is the attributes and classes by lower-case name. It is never
// changed once made.
type schema struct {
	attributes map[string]*attribute
	classes    map[string]*class
	chains     map[string][]string // objectClass by class, in lower case
	ordered    []*attribute
}

// theSchema is the one schema: constant data, built at first use.
var theSchema = sync.OnceValue(func() *schema {
	s := &schema{attributes: map[string]*attribute{}, classes: map[string]*class{}, chains: map[string][]string{}}
	for i := range attributeTable {
		a := attributeTable[i]
		s.ordered = append(s.ordered, &a)
	}
	slices.SortFunc(s.ordered, func(a, b *attribute) int { return cmp.Compare(rank(a), rank(b)) })
	for i, a := range s.ordered {
		a.id = i
		s.attributes[strings.ToLower(a.name)] = a
	}
	for i := range classTable {
		s.classes[strings.ToLower(classTable[i].name)] = &classTable[i]
	}
	for name := range s.classes {
		s.chains[name] = s.makeChain(name)
	}
	return s
})

// rank keeps the schema's alphabetical order, but puts objectClass first, where
// directories send it.
func rank(a *attribute) string {
	if a.name == "objectClass" {
		return ""
	}
	return strings.ToLower(a.name)
}

// attr finds an attribute by name in any case, or nil.
func (s *schema) attr(name string) *attribute {
	if a := s.attributes[name]; a != nil {
		return a
	}
	return s.attributes[strings.ToLower(name)]
}

// must is attr for names written in this package.
func (s *schema) must(name string) *attribute {
	a := s.attr(name)
	if a == nil {
		panic("adsim: no attribute " + name)
	}
	return a
}

// chain is a class with all its superclasses, top first, as objectClass holds
// them; nil if there is no such class. Nobody may change it.
func (s *schema) chain(name string) []string { return s.chains[strings.ToLower(name)] }

func (s *schema) makeChain(name string) []string {
	var out []string
	for {
		c := s.classes[strings.ToLower(name)]
		out = append(out, c.name)
		if c.name == "top" {
			slices.Reverse(out)
			return slices.Clip(out)
		}
		name = c.super
	}
}
