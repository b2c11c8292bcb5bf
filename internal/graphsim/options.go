package graphsim

import "time"

// Options says what kind of tenant to simulate. The zero value is an empty
// tenant that answers at once, throttles nothing and grants everything.
type Options struct {
	// Initial is the tenant's initial domain, always verified, never removed.
	//
	// Defaults to "contoso.onmicrosoft.com".
	Initial string

	// Domains are further verified domains. The first is the default domain;
	// without any, the initial one is.
	//
	// Defaults to none.
	Domains []string

	// Token is the bearer token of the tenant's first application.
	//
	// Defaults to a random one; [Tenant.Token] tells it.
	Token string

	// Permissions are the application permissions granted to the first
	// application, as "User.ReadWrite.All". What needs another is answered with
	// 403 Authorization_RequestDenied.
	//
	// Defaults to nil, which means that nothing is checked. An empty non-nil
	// slice grants nothing.
	Permissions []string

	// Limits turns throttling on; see [MicrosoftLimits].
	//
	// Defaults to nil: no throttling.
	Limits *Limits

	// Lag is how long a new user or group stays invisible to everything but the
	// uniqueness checks. [Switches] extends it to updates and deletions.
	//
	// Defaults to 0: visible at once.
	Lag time.Duration

	// Flap is for how long after Lag every second read still misses a new
	// user, as when two replicas take turns.
	//
	// Defaults to 0: never.
	Flap time.Duration

	// PageSize is the size of a page without $top.
	//
	// Defaults to 100.
	PageSize int

	// ObjectQuota is the most objects that the tenant may hold; one more is
	// answered with 403 Directory_QuotaExceeded.
	//
	// Defaults to 0: no limit.
	ObjectQuota int

	// Retention is how long a deleted user can be restored.
	//
	// Defaults to 30 days.
	Retention time.Duration

	// ClockSkew is added to the Date header of replies, and to nothing else.
	//
	// Defaults to 0.
	ClockSkew time.Duration

	// LogSize is how many of the last requests [Tenant.Requests] remembers.
	//
	// Defaults to 1000. Negative means none.
	LogSize int

	// Seed makes object ids and the order inside batches reproducible.
	//
	// Defaults to 0: another one each time.
	Seed uint64

	// Switches choose among the behaviours that Microsoft doesn't document or
	// that were seen both ways.
	//
	// Defaults to the likelier side of each.
	Switches Switches

	// Fault decides for each operation whether something goes wrong with it;
	// see [Fault]. It is called without locks held, concurrently, and may use
	// the Tenant.
	//
	// Defaults to nil: nothing goes wrong. [Tenant.SetFault] changes it.
	Fault func(Op) *Fault
}

// An App is an application that may call the tenant.
type App struct {
	// ID names the application; quotas are counted under it.
	//
	// Defaults to a random GUID.
	ID string

	// Token is its bearer token.
	//
	// Defaults to a random one.
	Token string

	// Permissions are as in [Options].
	Permissions []string

	// Administrator says that the application holds the directory role that
	// sensitive changes need: resetting passwords and touching protected users.
	//
	// Defaults to false.
	Administrator bool
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Initial == "" {
		d.Initial = "contoso.onmicrosoft.com"
	}
	if d.PageSize <= 0 {
		d.PageSize = 100
	}
	if d.Retention <= 0 {
		d.Retention = 30 * 24 * time.Hour
	}
	if d.LogSize == 0 {
		d.LogSize = 1000
	}
	return d
}
