package adsim

import (
	"slices"
	"strings"
	"time"
)

// Allow changes what an account may do, as an administrator who edits access
// control does. Connections that are bound already keep their old rights. It
// costs a USN and panics if there is no such account.
func (d *Directory) Allow(name string, change func(*Account)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.opts.Accounts, func(a Account) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		panic("adsim: no account " + name)
	}
	accounts := slices.Clone(d.opts.Accounts) // bound connections and replicas hold the old ones
	change(&accounts[i])
	d.opts.Accounts = accounts
	d.usn++
}

// Purge removes all tombstones and deleted objects, as garbage collection does
// once their lifetime is over. It returns how many there were.
func (d *Directory) Purge() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone := map[GUID]bool{}
	for g, r := range d.records {
		if r.deleted {
			gone[g] = true
		}
	}
	for g := range gone {
		r := d.records[g]
		delete(d.names, d.keyOf(r))
		d.unlinkAll(g)
	}
	for g := range gone {
		delete(d.records, g)
		delete(d.hidden, g)
	}
	d.order = slices.DeleteFunc(d.order, func(g GUID) bool { return gone[g] })
	d.log = slices.DeleteFunc(d.log, func(e logEntry) bool { return gone[e.guid] })
	return len(gone)
}

// Skew sets the domain controller's clock ahead of the machine's, or behind it.
func (d *Directory) Skew(ahead time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skew = ahead
}

// now is the domain controller's clock. Callers hold the lock.
func (d *Directory) now() time.Time { return time.Now().Add(d.skew) }
