package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// A TenantSize is the class by which Microsoft grants resource units.
type TenantSize int

const (
	Small  TenantSize = iota // fewer than 50 users: 3,500 units in 10 s
	Medium                   // 50 to 500 users: 5,000 units in 10 s
	Large                    // more than 500 users: 8,000 units in 10 s
)

// Options tune a [Target]. The zero value is good.
type Options struct {
	// Endpoint is Graph's base URL with the version. It must be https; http
	// is allowed for 127.0.0.1, ::1 and localhost, for a simulator.
	//
	// Defaults to [DefaultEndpoint], or to the adapter's own base URL.
	Endpoint string

	// Scope is what access tokens are asked for. Not used with an adapter.
	//
	// Defaults to the endpoint's own scope where that is one of Microsoft's
	// clouds, and is required where it isn't.
	Scope string

	// HTTPClient sends the requests, through its Transport. Its CheckRedirect
	// and Jar aren't used: redirects aren't followed and there are no cookies.
	// Not used with an adapter.
	//
	// Defaults to a client of the target's own.
	HTTPClient *http.Client

	// Proxy chooses the proxy of the target's own client. Use
	// [http.ProxyFromEnvironment] for the customary variables. Contradicts
	// HTTPClient.
	//
	// Defaults to none.
	Proxy func(*http.Request) (*url.URL, error)

	// QuotaShare is how much of Microsoft's quotas this target uses steadily,
	// above 0 up to 1. The rest is for others (the tenant's quota is shared by
	// all applications) and for what may go at once after a quiet time: at 0.8,
	// 600 writes and then 16 a second, which is never more than the quota.
	//
	// Defaults to 0.8.
	QuotaShare float64

	// Size is the tenant's class, for the quota of resource units.
	//
	// Defaults to [Small], which is right for all, but slower than need be.
	Size TenantSize

	// Groups says that the target takes groups as well, with their members and
	// owners, which needs a further permission; see the package's comment.
	//
	// Defaults to users alone.
	Groups bool

	// MaxThrottleWait is how long a call waits, in all, for Graph to let it
	// through after a 429. Then it gives up with [target.ErrThrottled].
	// Waiting for our own pace doesn't count.
	//
	// Defaults to 10 minutes. Negative means not to wait.
	MaxThrottleWait time.Duration

	// SettleTimeout is how long a create whose outcome isn't known is looked
	// up before the outcome is left as unknown.
	//
	// Defaults to 60 seconds.
	SettleTimeout time.Duration

	// RequestTimeout bounds one HTTP exchange.
	//
	// Defaults to 100 seconds.
	RequestTimeout time.Duration

	// MaxReplyBytes bounds the body of one reply, after decompression.
	//
	// Defaults to 64 MiB.
	MaxReplyBytes int64

	// UserAgent is put before our own in the header User-Agent.
	UserAgent string

	// NewPassword makes the first password of a new account. It may be called
	// by several goroutines at once.
	//
	// Defaults to [RandomPassword].
	NewPassword func() (Password, error)

	// OnPassword is given the new account and its first password, which has to
	// be changed at the first sign-in and isn't kept anywhere. It is called
	// before the change returns, by several goroutines at once.
	//
	// It isn't called for an account that turns out to have been made by an
	// earlier call (see [target.Change.Repeat]): nobody knows that password
	// any more. In a federated domain the password is of no use.
	//
	// Defaults to throwing the password away.
	OnPassword func(context.Context, target.Object, Password)
}

const (
	defaultQuotaShare      = 0.8
	defaultMaxThrottleWait = 10 * time.Minute
	defaultSettleTimeout   = time.Minute
	defaultRequestTimeout  = 100 * time.Second
	defaultMaxReplyBytes   = 64 << 20
)

// complete returns a copy of o with the defaults filled in, or says what
// contradicts itself.
func (o *Options) complete() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	switch {
	case c.QuotaShare == 0:
		c.QuotaShare = defaultQuotaShare
	case !(c.QuotaShare > 0 && c.QuotaShare <= 1): // NaN too
		return Options{}, fmt.Errorf("Options.QuotaShare %v: must be above 0 and at most 1", c.QuotaShare)
	}
	switch {
	case c.HTTPClient != nil && c.Proxy != nil:
		return Options{}, errors.New("Options.Proxy has no effect on Options.HTTPClient: set the proxy in the client's transport")
	case c.Size < Small || c.Size > Large:
		return Options{}, fmt.Errorf("Options.Size %d isn't one of Small, Medium, Large", c.Size)
	case c.SettleTimeout < 0, c.RequestTimeout < 0, c.MaxReplyBytes < 0:
		return Options{}, errors.New("Options.SettleTimeout, RequestTimeout and MaxReplyBytes must not be negative")
	}
	if c.MaxThrottleWait == 0 {
		c.MaxThrottleWait = defaultMaxThrottleWait
	}
	if c.SettleTimeout == 0 {
		c.SettleTimeout = defaultSettleTimeout
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultRequestTimeout
	}
	if c.MaxReplyBytes == 0 {
		c.MaxReplyBytes = defaultMaxReplyBytes
	}
	if c.NewPassword == nil {
		c.NewPassword = RandomPassword
	}
	return c, nil
}
