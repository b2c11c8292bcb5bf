package graphsim

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// A Tenant is a simulated Entra tenant. Make one with [New].
//
// All methods are safe for concurrent use.
type Tenant struct {
	opts   Options
	schema schema
	id     string // of the organization

	mu       sync.RWMutex // guards what follows
	slots    map[string]*slot
	byUPN    map[string]*slot
	byMail   map[string][]*slot
	byProxy  map[string]*slot
	byAnchor map[string][]*slot // by onPremisesImmutableId
	live     ordered
	bin      ordered
	groupParts
	ghosts  []*slot // deleted, still in live for a while
	seq     uint64
	domains []Domain
	rand    *rand.Rand
	epoch   int // page tokens of an earlier one have expired
	powers  Powers

	changes    []change
	deltaEpoch int // delta tokens of an earlier one have expired

	apps appTable
	meter
	journal
}

// New makes an empty tenant.
func New(opts *Options) *Tenant {
	t := &Tenant{
		opts:     opts.withDefaults(),
		schema:   newSchema(),
		slots:    make(map[string]*slot),
		byUPN:    make(map[string]*slot),
		byMail:   make(map[string][]*slot),
		byProxy:  make(map[string]*slot),
		byAnchor: make(map[string][]*slot),

		groupParts: newGroupParts(),
	}
	t.refs.note = t.referenceChanged
	var seed [32]byte
	if t.opts.Seed == 0 {
		crand.Read(seed[:])
	} else {
		binary.LittleEndian.PutUint64(seed[:], t.opts.Seed)
	}
	t.rand = rand.New(rand.NewChaCha8(seed))
	t.id = t.newID()
	t.domains = initialDomains(t.opts.Initial, t.opts.Domains)
	t.meter.start(t.opts.Limits)
	t.journal.start(t.opts.LogSize)
	t.journal.fault = t.opts.Fault
	t.apps.add(App{ID: t.newID(), Token: t.opts.Token, Permissions: t.opts.Permissions})
	return t
}

// ID is the tenant's own id, that of its organization.
func (t *Tenant) ID() string { return t.id }

// Token is the bearer token of the first application.
func (t *Tenant) Token() string { return t.apps.first() }

// AddApp lets another application in and returns its token.
func (t *Tenant) AddApp(a App) string {
	if a.ID == "" {
		t.mu.Lock()
		a.ID = t.newID()
		t.mu.Unlock()
	}
	return t.apps.add(a)
}

// RevokeToken makes token invalid: from now on it is answered with 401.
func (t *Tenant) RevokeToken(token string) { t.apps.remove(token) }

// SetFault replaces [Options.Fault]; nil ends all faults.
func (t *Tenant) SetFault(f func(Op) *Fault) { t.journal.setFault(f) }

// ExpirePages makes every page token handed out so far invalid, as the service
// does after a while.
func (t *Tenant) ExpirePages() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch++
}

// newID returns a random GUID. The caller holds mu.
func (t *Tenant) newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], t.rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], t.rand.Uint64())
	return formatGUID(b)
}

// newGUID returns a random GUID that no seed repeats, for request ids.
func newGUID() string {
	var b [16]byte
	crand.Read(b[:])
	return formatGUID(b)
}

func formatGUID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	out[8] = '-'
	hex.Encode(out[9:13], b[4:6])
	out[13] = '-'
	hex.Encode(out[14:18], b[6:8])
	out[18] = '-'
	hex.Encode(out[19:23], b[8:10])
	out[23] = '-'
	hex.Encode(out[24:], b[10:])
	return string(out[:])
}

func (t *Tenant) upnKey(upn string) string {
	if t.opts.Switches.UPNCaseSensitive {
		return upn
	}
	return strings.ToLower(upn)
}

// proxyKey is what of an address must be unique: the address without its type
// for SMTP, all of it for others.
func (t *Tenant) proxyKey(addr string) string {
	if len(addr) > 5 && strings.EqualFold(addr[:5], "smtp:") {
		addr = addr[5:]
	}
	if t.opts.Switches.ProxyCaseSensitive {
		return addr
	}
	return strings.ToLower(addr)
}

func (t *Tenant) anchorKey(anchor string) string {
	if t.opts.Switches.AnchorFilterIgnoresCase {
		return strings.ToLower(anchor)
	}
	return anchor
}

// timestamp is how Graph writes t.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
