package main

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A config is the YAML file. dirbridge.example.yaml documents every key.
type config struct {
	Source        sourceConfig   `yaml:"source"`
	Target        targetConfig   `yaml:"target"`
	UPN           upnConfig      `yaml:"upn"`
	UsageLocation string         `yaml:"usageLocation"`
	Leaving       string         `yaml:"leaving"`
	Policy        string         `yaml:"policy"`
	Drift         driftConfig    `yaml:"drift"`
	Scope         scopeConfig    `yaml:"scope"`
	Limits        limitsConfig   `yaml:"limits"`
	Protected     protectConfig  `yaml:"protected"`
	Audit         auditConfig    `yaml:"audit"`
	State         stateConfig    `yaml:"state"`
	Schedule      scheduleConfig `yaml:"schedule"`
	Log           logConfig      `yaml:"log"`

	ExpiredIsDisabled bool `yaml:"expiredIsDisabled"`

	Groups   groupsConfig `yaml:"groups"`
	Managers bool         `yaml:"managers"`

	file *document // where it came from, for positions
}

type driftConfig struct {
	Policy        string `yaml:"policy"`
	ReconcileDays *int   `yaml:"reconcileDays"`
}

// reconcile is how often all accounts are looked at; 0 is the engine's default.
func (c driftConfig) reconcile() time.Duration {
	switch {
	case c.ReconcileDays == nil:
		return 0
	case *c.ReconcileDays == 0:
		return -1
	}
	return time.Duration(*c.ReconcileDays) * 24 * time.Hour
}

// A sourceConfig is one directory, or several with the name under which they are
// remembered together.
type sourceConfig struct {
	ActiveDirectory   *adConfig   `yaml:"activeDirectory"`
	ActiveDirectories []*adConfig `yaml:"activeDirectories"`
	Name              string      `yaml:"name"`
	Join              string      `yaml:"join"`
	MoveWait          string      `yaml:"moveWait"`

	moveWait time.Duration // what it means
}

type adConfig struct {
	Name       string     `yaml:"name"`
	Servers    []string   `yaml:"servers"`
	ServerName string     `yaml:"serverName"`
	CAFile     string     `yaml:"caFile"`
	BaseDN     string     `yaml:"baseDN"`
	BaseDNs    []string   `yaml:"baseDNs"`
	Bind       bindConfig `yaml:"bind"`
	Delta      string     `yaml:"delta"`

	PrimaryGroups     bool `yaml:"primaryGroups"`
	InsecurePlainLDAP bool `yaml:"insecurePlainLDAP"`
}

type bindConfig struct {
	DN           string `yaml:"dn"`
	PasswordEnv  string `yaml:"passwordEnv"`
	PasswordFile string `yaml:"passwordFile"`
}

type targetConfig struct {
	Office365 *office365Config `yaml:"office365"`
}

type office365Config struct {
	Tenant     string     `yaml:"tenant"`
	Auth       authConfig `yaml:"auth"`
	Endpoint   string     `yaml:"endpoint"`
	Scope      string     `yaml:"scope"`
	CAFile     string     `yaml:"caFile"`
	Proxy      string     `yaml:"proxy"`
	QuotaShare *float64   `yaml:"quotaShare"`
	TenantSize string     `yaml:"tenantSize"`
}

type authConfig struct {
	ClientID  string `yaml:"clientID"`
	Authority string `yaml:"authority"`

	// One of these is the way to prove who we are.
	ClientSecretEnv  string       `yaml:"clientSecretEnv"`
	ClientSecretFile string       `yaml:"clientSecretFile"`
	CertificateFile  string       `yaml:"certificateFile"`
	WorkloadIdentity switchConfig `yaml:"workloadIdentity"`
	ManagedIdentity  switchConfig `yaml:"managedIdentity"`
	DefaultChain     bool         `yaml:"defaultChain"`
	TokenEnv         string       `yaml:"tokenEnv"`

	CertificatePasswordEnv  string `yaml:"certificatePasswordEnv"`
	CertificatePasswordFile string `yaml:"certificatePasswordFile"`
}

// A switchConfig is true, false, or a mapping (which means true).
type switchConfig struct {
	On        bool
	TokenFile string
}

// UnmarshalYAML takes both forms. The mapping is left to tokenFile alone.
func (s *switchConfig) UnmarshalYAML(n ast.Node) error {
	switch n := n.(type) {
	case *ast.BoolNode:
		s.On = n.Value
		return nil
	case *ast.NullNode:
		return nil
	}
	s.On = true
	for key, value := range pairs(n) {
		text, ok := value.(*ast.StringNode)
		if key.String() != "tokenFile" || !ok {
			return &valueError{key, "want true, or {tokenFile: PATH}"}
		}
		s.TokenFile = text.Value
	}
	if _, ok := n.(ast.MapNode); !ok {
		return &valueError{n, "want true, or {tokenFile: PATH}"}
	}
	return nil
}

type upnConfig struct {
	Fallback       string `yaml:"fallback"`
	FallbackDomain string `yaml:"fallbackDomain"`
}

// A protectConfig says who is never written.
type protectConfig struct {
	Accounts []string `yaml:"accounts"`
	Roles    string   `yaml:"roles"`
}

type stateConfig struct {
	Bolt *boltConfig `yaml:"bolt"`
}

type boltConfig struct {
	Path string `yaml:"path"`
}

type scheduleConfig struct {
	Every string `yaml:"every"`
	Full  string `yaml:"full"`

	every, full time.Duration // what they mean
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}
