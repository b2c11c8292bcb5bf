package adsim

import (
	"strconv"
	"strings"
)

// domainDN is "DC=corp,DC=example,DC=com" of "corp.example.com".
func domainDN(domain string) string {
	return "DC=" + strings.ReplaceAll(domain, ".", ",DC=")
}

func (d *Directory) configDN() string { return "CN=Configuration," + d.BaseDN() }
func (d *Directory) schemaDN() string { return "CN=Schema," + d.configDN() }

func (d *Directory) ntdsDN() string { return "CN=NTDS Settings," + d.serverDN(d.opts.Host) }

func (d *Directory) serverDN(host string) string {
	return "CN=" + strings.ToUpper(host) + ",CN=Servers,CN=Default-First-Site-Name,CN=Sites," + d.configDN()
}

// makeServer makes the objects that stand for a domain controller.
func (d *Directory) makeServer(host string, invocation GUID) {
	server := d.serverDN(host)
	d.make(server, "server", Attrs{"dNSHostName": {host + "." + d.opts.Domain}})
	d.make("CN=NTDS Settings,"+server, "nTDSDSA", Attrs{"invocationId": {string(invocation[:])}})
}

// domainSID is made from the seed.
func (d *Directory) domainSID() [3]uint32 {
	s := uint32(d.opts.Seed)
	return [3]uint32{1000000007 * s, 2000000011 ^ s*2654435761, 3000000019 + s*40503}
}

// bootstrap makes the objects of an empty domain. It panics on a mistake of
// this file's: nothing in it comes from outside but Options, whose accounts
// must have names of their own.
func (d *Directory) bootstrap() {
	base, config, schema := d.BaseDN(), d.configDN(), d.schemaDN()
	d.head(base, "domainDNS", Attrs{"objectSid": {sidBytes(d.domainSID(), 0)}, "instanceType": {"5"}})
	d.head(config, "configuration", Attrs{"instanceType": {"13"}})
	d.head(schema, "dMD", Attrs{"instanceType": {"13"}, "objectVersion": {"69"}})
	d.bootstrapSchema(schema)

	system := Attrs{"isCriticalSystemObject": {"TRUE"}}
	d.make("CN=Users,"+base, "container", system)
	d.make("CN=Computers,"+base, "container", system)
	d.make("OU=Domain Controllers,"+base, "organizationalUnit", system)
	d.make("CN=System,"+base, "container", system)
	for _, nc := range []string{base, config} {
		d.make("CN=Deleted Objects,"+nc, "container", Attrs{"isDeleted": {"TRUE"}, "isCriticalSystemObject": {"TRUE"}, "description": {"Container for deleted objects"}})
	}
	d.wellKnown[deletedObjects] = d.guidOf("CN=Deleted Objects," + base)
	d.wellKnown["A9D1CA15768811D1ADED00C04FD8D5CD"] = d.guidOf("CN=Users," + base)
	d.wellKnown["AA312825768811D1ADED00C04FD8D5CD"] = d.guidOf("CN=Computers," + base)

	d.make("CN=Sites,"+config, "sitesContainer", nil)
	d.make("CN=Default-First-Site-Name,CN=Sites,"+config, "site", nil)
	d.make("CN=Servers,CN=Default-First-Site-Name,CN=Sites,"+config, "serversContainer", nil)
	d.makeServer(d.opts.Host, d.opts.InvocationID)
	d.bootstrapServices(config)

	for i := range d.opts.Accounts {
		a := &d.opts.Accounts[i]
		dn, uac := d.AccountDN(a.Name), "66048"
		if a.Admin {
			uac = "512"
		}
		d.make(dn, "user", Attrs{
			"sAMAccountName": {a.Name}, "userPrincipalName": {a.Name + "@" + d.opts.Domain}, "userAccountControl": {uac},
			"adminDescription": {"User_DoNotSync"}, "pwdLastSet": {strconv.FormatInt(fileTime(d.begin().now), 10)},
		})
	}
}

func (d *Directory) bootstrapServices(config string) {
	services := "CN=Services," + config
	d.make(services, "container", nil)
	d.make("CN=Windows NT,"+services, "container", nil)
	ds := "CN=Directory Service,CN=Windows NT," + services
	attrs := Attrs{}
	if d.opts.TombstoneLifetime > 0 {
		attrs["tombstoneLifetime"] = []string{strconv.Itoa(d.opts.TombstoneLifetime)}
	}
	d.make(ds, "nTDSService", attrs)
	d.make("CN=Query-Policies,"+ds, "container", nil)
	d.make("CN=Default Query Policy,CN=Query-Policies,"+ds, "queryPolicy", Attrs{"lDAPAdminLimits": {
		"MaxValRange=" + strconv.Itoa(d.opts.MaxValRange), "MaxPageSize=" + strconv.Itoa(d.opts.MaxPageSize),
		"MaxResultSetSize=262144", "MaxQueryDuration=120", "MaxConnIdleTime=900", "MaxNotificationPerConn=5", "MaxReceiveBuffer=10485760",
	}})
	partitions := Attrs{"uPNSuffixes": {"contoso.com", "fabrikam.local"}}
	if d.opts.RecycleBin {
		d.make("CN=Optional Features,"+ds, "container", nil)
		feature := "CN=Recycle Bin Feature,CN=Optional Features," + ds
		d.make(feature, "container", nil)
		partitions["msDS-EnabledFeature"] = []string{feature}
	}
	d.make("CN=Partitions,"+config, "crossRefContainer", partitions)
	d.make("CN="+d.opts.NetBIOS+",CN=Partitions,"+config, "crossRef", Attrs{"nCName": {d.BaseDN()}, "nETBIOSName": {d.opts.NetBIOS}})
}

// bootstrapSchema makes the entries by which a client can find out which
// attributes there are.
func (d *Directory) bootstrapSchema(schema string) {
	for i := range classTable {
		c := &classTable[i]
		d.make("CN="+c.cn+","+schema, "classSchema", Attrs{"lDAPDisplayName": {c.name}, "governsID": {c.oid}, "subClassOf": {c.super}, "rDNAttID": {c.rdn}})
	}
	for _, g := range d.order { // those made before the classes were there
		rec := d.records[g]
		if rec.attr(d.a.objectCategory) != nil {
			continue
		}
		_, cls, err := structuralClass(rec.attr(d.a.objectClass).values)
		d.must(err)
		c := d.begin()
		next := rec.edit()
		d.setCategory(next, cls, c.usn)
		d.commit(c, rec, next)
	}
	for _, a := range theSchema().ordered {
		w := wire[a.syntax]
		attrs := Attrs{
			"lDAPDisplayName": {a.name}, "attributeID": {a.oid}, "attributeSyntax": {w[0]}, "oMSyntax": {w[1]},
			"isSingleValued": {upperBool(a.is(single))}, "systemOnly": {upperBool(a.is(systemOnly))}, "adminDisplayName": {a.cn},
		}
		flags := 0
		if a.is(local) {
			flags |= 1
		}
		if a.is(constructed) {
			flags |= 4
		}
		attrs["systemFlags"] = []string{strconv.Itoa(flags)}
		if a.is(preserved) {
			attrs["searchFlags"] = []string{"8"}
		}
		if a.link != 0 {
			attrs["linkID"] = []string{strconv.Itoa(a.link)}
		}
		d.make("CN="+a.cn+","+schema, "attributeSchema", attrs)
	}
}

// head makes the head of a naming context.
func (d *Directory) head(dn, cls string, attrs Attrs) {
	steps, err := parseDN(dn)
	d.must(err)
	var parent *record
	if p, _ := d.locate(strings.SplitN(dn, ",", 2)[1]); p.rec != nil {
		parent = p.rec
	}
	attrs["objectClass"] = []string{cls}
	g, err := d.insert(parent, GUID{}, steps[0], attrs)
	d.must(err)
	d.heads[headKey(steps)] = g
	d.headDN[g] = dn
}

func (d *Directory) make(dn, cls string, attrs Attrs) {
	all := Attrs{"objectClass": {cls}}
	for k, v := range attrs {
		all[k] = v
	}
	_, err := d.add(dn, all)
	d.must(err)
}

func (d *Directory) guidOf(dn string) GUID {
	p, err := d.locate(dn)
	d.must(err)
	return p.rec.guid
}

func (d *Directory) must(err error) {
	if err != nil {
		panic("adsim: " + err.Error())
	}
}

func upperBool(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}
