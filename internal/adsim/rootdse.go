package adsim

import (
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// rootDSE is the entry that describes the server, which anybody may read. Its
// attributes are operational, but come unasked, as from AD.
func (d *Directory) rootDSE(s *searchRequest) *ber.Packet {
	d.mu.RLock()
	defer d.mu.RUnlock()
	base := d.BaseDN()
	all := []field{
		{"configurationNamingContext", []string{d.configDN()}},
		{"currentTime", []string{generalizedTime(d.now())}},
		{"defaultNamingContext", []string{base}},
		{"dnsHostName", []string{d.opts.Host + "." + d.opts.Domain}},
		{"domainControllerFunctionality", []string{"4"}},
		{"domainFunctionality", []string{"4"}},
		{"dsServiceName", []string{d.ntdsDN()}},
		{"forestFunctionality", []string{"4"}},
		{"highestCommittedUSN", []string{strconv.FormatInt(d.usn, 10)}},
		{"isGlobalCatalogReady", []string{"TRUE"}},
		{"isSynchronized", []string{"TRUE"}},
		{"ldapServiceName", []string{d.opts.Domain + ":" + d.opts.Host + "$@" + strings.ToUpper(d.opts.Domain)}},
		{"namingContexts", []string{base, d.configDN(), d.schemaDN()}},
		{"rootDomainNamingContext", []string{base}},
		{"schemaNamingContext", []string{d.schemaDN()}},
		{"serverName", []string{d.serverDN(d.opts.Host)}},
		{"subschemaSubentry", []string{"CN=Aggregate," + d.schemaDN()}},
		{"supportedCapabilities", []string{"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080"}},
		{"supportedControl", supportedControls},
		{"supportedExtension", []string{oidStartTLS, oidWhoAmI}},
		{"supportedLDAPPolicies", []string{"MaxPageSize", "MaxValRange"}},
		{"supportedLDAPVersion", []string{"3", "2"}},
		{"supportedSASLMechanisms", nil},
	}
	star := len(s.attrs) == 0 || slices.Contains(s.attrs, "*") || slices.Contains(s.attrs, "+")
	out := slices.DeleteFunc(all, func(f field) bool {
		asked := slices.ContainsFunc(s.attrs, func(n string) bool { return strings.EqualFold(n, f.name) })
		return len(f.values) == 0 || !star && !asked
	})
	return newEncoder(s.typesOnly).entry("", out)
}
