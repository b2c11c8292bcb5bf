package adsim

// A reader is an account with what it may see. The nil reader sees everything:
// it is the Go API.
type reader struct {
	name string // NetBIOS form, for whoami
	acct *Account

	// replicates is set while a DirSync search reads by the replication right
	// instead of by access control, as Windows does.
	replicates bool
}

func (w *reader) admin() bool { return w == nil || w.acct != nil && w.acct.Admin }

// sees says whether the access control shows an object to the reader. Callers
// hold the lock.
func (w *reader) sees(d *Directory, r *record) bool {
	if w.admin() || w.replicates {
		return true
	}
	if d.hidden[r.guid] {
		return false
	}
	return !r.deleted || w.acct != nil && w.acct.SeesDeleted
}

// reads says whether the reader may read the attributes of what it sees. Of CN=Deleted
// Objects everybody sees that it is there.
func (w *reader) reads(r *record) bool {
	return !r.bin || w.admin() || w.replicates || w.acct != nil && w.acct.SeesDeleted
}

// Hide makes an object invisible to everybody but administrators, as an access
// control entry on it would. It leaves no trace in USNs that they can see.
func (d *Directory) Hide(dn string) error { return d.setHidden(dn, true) }

// Unhide undoes [Directory.Hide].
func (d *Directory) Unhide(dn string) error { return d.setHidden(dn, false) }

func (d *Directory) setHidden(dn string, hide bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.lookup(dn, nil)
	if err != nil {
		return err
	}
	if hide {
		d.hidden[r.guid] = true
	} else {
		delete(d.hidden, r.guid)
	}
	return nil
}
