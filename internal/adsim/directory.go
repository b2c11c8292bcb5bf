package adsim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A Directory is the database of one simulated domain controller. It is edited
// by its methods or over LDAP. It is safe for concurrent use.
//
// Methods that name an object take its DN, or <GUID=…> with the GUID's text
// form. Their errors are *[ldap.Error], as an LDAP client would get them.
type Directory struct {
	opts Options
	a    wellKnownAttributes

	mu sync.RWMutex
	state
	rng *rand.Rand // not part of state: GUIDs aren't used again after a Restore

	pulled int64         // how far Pull has come in the other directory
	skew   time.Duration // of the clock
}

// state is everything that a snapshot keeps.
type state struct {
	records map[GUID]*record
	names   map[nameKey]GUID
	order   []GUID             // by creation
	log     []logEntry         // by USN; entries that a later one replaced are stale
	back    map[backKey][]GUID // who points here by a link
	sam     map[string]GUID    // live sAMAccountNames, folded
	upn     map[string]GUID    // live userPrincipalNames, folded

	heads     map[string]GUID // naming contexts by folded DN
	headDN    map[GUID]string
	wellKnown map[string]GUID
	hidden    map[GUID]bool
	kids      map[GUID]int // live children

	usn     int64 // highestCommittedUSN
	nextRID uint32
}

type logEntry struct {
	usn  int64
	guid GUID
}

type backKey struct {
	target GUID
	link   int // linkID of the forward link
}

// wellKnownAttributes are the attributes that the code itself deals with.
type wellKnownAttributes struct {
	objectClass, objectCategory, name, cn, objectSid, instanceType, isDeleted, isRecycled, lastKnownParent,
	sam, upn, samType, uac, objectGUID, parentGUID, isCritical, whenCreated, primaryGroup, groupType *attribute
}

// New makes a directory: a domain without people, with what a domain
// controller has of its own.
func New(opts *Options) *Directory {
	s := theSchema()
	d := &Directory{opts: opts.withDefaults(), a: wellKnownAttributes{
		objectClass: s.must("objectClass"), objectCategory: s.must("objectCategory"), name: s.must("name"), cn: s.must("cn"),
		objectSid: s.must("objectSid"), instanceType: s.must("instanceType"), isDeleted: s.must("isDeleted"),
		isRecycled: s.must("isRecycled"), lastKnownParent: s.must("lastKnownParent"), sam: s.must("sAMAccountName"),
		upn: s.must("userPrincipalName"), samType: s.must("sAMAccountType"), uac: s.must("userAccountControl"),
		objectGUID: s.must("objectGUID"), parentGUID: s.must("parentGUID"), isCritical: s.must("isCriticalSystemObject"),
		whenCreated: s.must("whenCreated"), primaryGroup: s.must("primaryGroupID"), groupType: s.must("groupType"),
	}}
	d.state = state{
		records: map[GUID]*record{}, names: map[nameKey]GUID{}, back: map[backKey][]GUID{}, sam: map[string]GUID{},
		upn: map[string]GUID{}, heads: map[string]GUID{}, headDN: map[GUID]string{}, wellKnown: map[string]GUID{},
		hidden: map[GUID]bool{}, kids: map[GUID]int{}, nextRID: 1000,
	}
	d.rng = rand.New(rand.NewPCG(d.opts.Seed, 0xad))
	if d.opts.InvocationID == (GUID{}) {
		d.opts.InvocationID = d.newGUID()
	}
	d.bootstrap()
	return d
}

// newGUID draws a GUID of version 4. Callers hold the lock.
func (d *Directory) newGUID() GUID { return drawGUID(d.rng) }

func drawGUID(r *rand.Rand) GUID {
	var g GUID
	for i := 0; i < 16; i += 8 {
		v := r.Uint64()
		for j := range 8 {
			g[i+j] = byte(v >> (8 * j))
		}
	}
	g[7] = g[7]&0x0f | 0x40
	g[8] = g[8]&0x3f | 0x80
	return g
}

// BaseDN is the DN of the domain, "DC=corp,DC=example,DC=com".
func (d *Directory) BaseDN() string { return domainDN(d.opts.Domain) }

// AccountDN is the DN of one of [Options].Accounts by its name.
func (d *Directory) AccountDN(name string) string {
	return "CN=" + escapeRDN(name) + ",CN=Users," + d.BaseDN()
}

// Find returns the objectGUID and the present DN of the object at dn, which may
// be <GUID=…>, and of a deleted one too.
func (d *Directory) Find(dn string) (GUID, string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, err := d.lookup(dn, nil)
	if err != nil {
		return GUID{}, "", err
	}
	return r.guid, d.dnOf(r), nil
}

// HighestCommittedUSN is the USN of the newest change.
func (d *Directory) HighestCommittedUSN() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.usn
}

// InvocationID identifies this database.
func (d *Directory) InvocationID() GUID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.opts.InvocationID
}

// Touch raises highestCommittedUSN without changing any object, as logons,
// replication and DNS do all the time in a real domain.
func (d *Directory) Touch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.usn++
}

// A change is one transaction on one object: everything in it has one USN.
type change struct {
	usn int64
	now time.Time
}

func (d *Directory) begin() change {
	return change{d.usn + 1, d.now()}
}

// commit puts a new record into the directory in place of old (nil for a new
// object) and takes the change's USN into use. Callers hold the lock.
func (d *Directory) commit(c change, old, rec *record) {
	d.usn = c.usn
	rec.usnChanged, rec.changed = c.usn, c.now
	if old == nil {
		rec.usnCreated, rec.created = c.usn, c.now
		d.order = append(d.order, rec.guid)
	}
	d.records[rec.guid] = rec
	d.log = append(d.log, logEntry{c.usn, rec.guid})
	if len(d.log) > 2*len(d.records)+1024 {
		d.log = slices.DeleteFunc(slices.Clone(d.log), func(e logEntry) bool { return d.records[e.guid].usnChanged != e.usn })
	}
	d.reindex(old, rec)
}

// reindex brings the indexes from old to rec.
func (d *Directory) reindex(old, rec *record) {
	if old != nil {
		if !old.deleted {
			d.kids[old.parent]--
		}
		if k := d.keyOf(old); k != d.keyOf(rec) {
			delete(d.names, k)
		}
		d.unindexName(d.sam, old, d.a.sam)
		d.unindexName(d.upn, old, d.a.upn)
	}
	if rec.guid != rec.nc {
		d.names[d.keyOf(rec)] = rec.guid
	}
	if !rec.deleted {
		d.kids[rec.parent]++
		d.indexName(d.sam, rec, d.a.sam)
		d.indexName(d.upn, rec, d.a.upn)
	}
	d.relink(old, rec)
}

func (d *Directory) keyOf(r *record) nameKey {
	return rdn{r.rdnType, r.first(d.a.name)}.key(r.parent)
}

func (d *Directory) indexName(index map[string]GUID, r *record, def *attribute) {
	if v := r.first(def); v != "" {
		index[fold(v)] = r.guid
	}
}

func (d *Directory) unindexName(index map[string]GUID, r *record, def *attribute) {
	if v := fold(r.first(def)); v != "" && index[v] == r.guid {
		delete(index, v)
	}
}

// A Snapshot is a copy of a directory's content, for Restore.
type Snapshot struct{ state state }

// Snapshot copies the content. It shares the objects, so it is cheap.
func (d *Directory) Snapshot() *Snapshot {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return &Snapshot{d.state.clone()}
}

// Restore brings a snapshot back, USNs included, and keeps the invocationId:
// the domain controller whose virtual machine was reset to an older image
// without being told (ad-facts.md 4).
func (d *Directory) Restore(s *Snapshot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = s.state.clone()
}

func (s *state) clone() state {
	c := *s
	c.records, c.names, c.back = maps.Clone(s.records), maps.Clone(s.names), maps.Clone(s.back)
	c.sam, c.upn, c.hidden, c.kids = maps.Clone(s.sam), maps.Clone(s.upn), maps.Clone(s.hidden), maps.Clone(s.kids)
	c.heads, c.headDN, c.wellKnown = maps.Clone(s.heads), maps.Clone(s.headDN), maps.Clone(s.wellKnown)
	c.order, c.log = slices.Clone(s.order), slices.Clone(s.log)
	return c
}
