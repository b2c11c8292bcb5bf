package adsim

import "cmp"

// Options describe the domain that a [Directory] plays. The zero value is
// corp.example.com on a Windows domain controller with its usual limits, the
// recycle bin off.
type Options struct {
	// Domain is the DNS name of the domain. Defaults to "corp.example.com".
	Domain string

	// NetBIOS is the short name of the domain, for CORP\user and whoami.
	// Defaults to the first label of Domain in upper case.
	NetBIOS string

	// Host is the domain controller's name, without the domain. Defaults to
	// "dc1".
	Host string

	// Seed makes the objectGUIDs, the domain SID and the invocationId: equal
	// seeds and equal calls give equal directories. Defaults to 1.
	Seed uint64

	// InvocationID identifies the database of this domain controller.
	// Defaults to one made from Seed.
	InvocationID GUID

	// Accounts are those that can bind, besides the objects themselves.
	// Defaults to [DefaultAccounts]. They are made as users in CN=Users.
	Accounts []Account

	// Samba answers as Samba 4.17 does where ad-facts.md says that it differs
	// from Windows: no page limit, no limit on the values of an attribute (and
	// Samba's ranges), DirSync in one page and always under access control,
	// links beside the other attributes, no whoami, an unauthenticated bind
	// is refused.
	Samba bool

	// SambaRanges has only attribute ranges as Samba does.
	SambaRanges bool

	// MaxPageSize is the most entries of one search or page. Defaults to 1000.
	MaxPageSize int

	// MaxValRange is the most values of an attribute that come unasked.
	// Defaults to 1500.
	MaxValRange int

	// DirSyncPage is the most objects of one DirSync answer. Defaults to 1000.
	// A real domain controller never goes below 100; tests may.
	DirSyncPage int

	// RecycleBin keeps deleted objects whole, to be undeleted with everything.
	// Defaults to off: tombstones.
	RecycleBin bool

	// TombstoneLifetime is in days, as CN=Directory Service says it. Zero
	// leaves the attribute unset, which means 60. New forests write 180.
	TombstoneLifetime int

	// RequireSigning refuses simple binds without TLS (strongerAuthRequired).
	RequireSigning bool

	// NoReferrals leaves out the references to other naming contexts that a
	// search from the domain's root otherwise gets.
	NoReferrals bool
}

// An Account can bind. By what it may see, it stands for one of the three kinds
// of accounts that a synchronization meets.
type Account struct {
	// Name is its sAMAccountName and cn. Its UPN is Name@Domain.
	Name     string
	Password string

	// Admin sees and writes everything.
	Admin bool

	// GetChanges is the right DS-Replication-Get-Changes on the domain:
	// DirSync without the flag OBJECT_SECURITY.
	GetChanges bool

	// SeesDeleted is list and read on CN=Deleted Objects.
	SeesDeleted bool
}

// Names and passwords of [DefaultAccounts].
const (
	AdminName      = "Administrator"
	AdminPassword  = "Passw0rd!Admin"
	SyncName       = "svc-sync"
	SyncPassword   = "Passw0rd!Sync"
	ReaderName     = "svc-reader"
	ReaderPassword = "Passw0rd!Read"
)

// DefaultAccounts are an administrator, an account with exactly what a sync
// service needs, and an ordinary reader.
func DefaultAccounts() []Account {
	return []Account{
		{Name: AdminName, Password: AdminPassword, Admin: true, GetChanges: true, SeesDeleted: true},
		{Name: SyncName, Password: SyncPassword, GetChanges: true, SeesDeleted: true},
		{Name: ReaderName, Password: ReaderPassword},
	}
}

// withDefaults fills in what Options leave out.
func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	out.Domain = cmp.Or(out.Domain, "corp.example.com")
	out.NetBIOS = cmp.Or(out.NetBIOS, upperFirstLabel(out.Domain))
	out.Host = cmp.Or(out.Host, "dc1")
	out.Seed = cmp.Or(out.Seed, 1)
	out.MaxPageSize = cmp.Or(out.MaxPageSize, 1000)
	out.MaxValRange = cmp.Or(out.MaxValRange, 1500)
	out.DirSyncPage = cmp.Or(out.DirSyncPage, 1000)
	if out.Accounts == nil {
		out.Accounts = DefaultAccounts()
	}
	out.SambaRanges = out.SambaRanges || out.Samba
	return out
}
