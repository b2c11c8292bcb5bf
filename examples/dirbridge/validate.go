package main

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A checker gathers what is wrong with a configuration.
type checker struct {
	*config
	env     environment
	offline bool // secrets and the files of connections aren't looked at
	lines   []string
}

// validate fills in paths, and finds what is wrong before anybody is asked
// anything. offline is for what asks nobody: it needs no secrets. The error is a
// *configError.
func (c *config) validate(env environment, offline bool) error {
	v := &checker{config: c, env: env, offline: offline}
	v.sources()
	if c.Target.Office365 == nil {
		v.bad("is missing: where people go", "target", "office365")
	} else {
		v.office365(c.Target.Office365)
	}
	v.oneOf(c.UPN.Fallback, []string{"upnPrefix", "mailNickname"}, "upn", "fallback")
	v.oneOf(c.UPN.FallbackDomain, []string{"initial", "default"}, "upn", "fallbackDomain")
	v.oneOf(c.Leaving, []string{"disable", "delete", "keep"}, "leaving")
	v.oneOf(c.Log.Level, []string{"debug", "info", "warn", "error"}, "log", "level")
	v.oneOf(c.Log.Format, []string{"text", "json"}, "log", "format")
	v.oneOf(c.Policy, []string{"sync", "upsert-only", "create-only"}, "policy")
	v.oneOf(c.Drift.Policy, []string{"putBack", "report", "ignore"}, "drift", "policy")
	if n := c.Drift.ReconcileDays; n != nil && (*n < 0 || *n > 365) {
		v.bad("must be 1 to 365 days, or 0 for never", "drift", "reconcileDays")
	}
	v.oneOf(c.Protected.Roles, []string{"read", "ignore"}, "protected", "roles")
	if slices.ContainsFunc(c.Protected.Accounts, func(a string) bool { return strings.TrimSpace(a) == "" }) {
		v.bad("holds an empty name", "protected", "accounts")
	}
	if c.Groups.Owners && !c.Groups.Security {
		v.bad("groups have owners only if they are synchronized: set security", "groups", "owners")
	}
	v.groupRules()
	v.limits()
	v.scope()
	v.duration(c.Schedule.Every, &c.Schedule.every, "schedule", "every")
	v.duration(c.Schedule.Full, &c.Schedule.full, "schedule", "full")
	v.state()
	if c.Audit.File != noAudit && c.Audit.File != "" {
		v.directory(&c.Audit.File, "audit", "file")
	}
	if v.lines != nil {
		slices.Sort(v.lines)
		return &configError{v.lines}
	}
	return nil
}

// bad notes that the value with these keys is wrong.
func (v *checker) bad(what string, keys ...string) {
	v.lines = append(v.lines, v.file.at(keys...)+": "+strings.Join(keys, ".")+": "+what)
}

func (v *checker) required(value string, keys ...string) {
	if strings.TrimSpace(value) == "" {
		v.bad("is missing", keys...)
	}
}

func (v *checker) oneOf(value string, allowed []string, keys ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		v.bad(fmt.Sprintf("%q: want %s", value, strings.Join(allowed, ", ")), keys...)
	}
}

// duration reads text, which is "" for the default.
func (v *checker) duration(text string, d *time.Duration, keys ...string) {
	if text == "" {
		return
	}
	var err error
	if *d, err = time.ParseDuration(text); err != nil || *d < time.Second {
		v.bad(fmt.Sprintf("%q: want at least a second, with a unit, as 3h or 30m", text), keys...)
	}
}

// secret checks that a secret is given in exactly one way and can be read.
func (v *checker) secret(env, file *string, required bool, name string, keys ...string) {
	*file = v.file.relative(*file)
	key := name + "Env"
	if *file != "" {
		key = name + "File"
	}
	switch {
	case *env != "" && *file != "":
		v.bad(fmt.Sprintf("%sEnv and %sFile are both given: keep one", name, name), append(keys, name+"File")...)
		return
	case *env == "" && *file == "":
		if required {
			v.bad(fmt.Sprintf("give %sEnv (the name of an environment variable) or %sFile (a path)", name, name), keys...)
		}
		return
	}
	if v.offline {
		return
	}
	if _, err := (secret{*env, *file, v.env}).read(); err != nil {
		v.bad(err.Error(), append(keys, key)...)
	}
}

// readable checks that a file can be read, and makes its path absolute.
func (v *checker) readable(path *string, keys ...string) []byte {
	if *path = v.file.relative(*path); *path == "" || v.offline {
		return nil
	}
	text, err := os.ReadFile(*path)
	if err != nil {
		v.bad(err.Error(), keys...)
	}
	return text
}

func (v *checker) certificates(path *string, keys ...string) {
	if text := v.readable(path, keys...); text != nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
		v.bad("there is no certificate in "+*path+" (want PEM)", keys...)
	}
}

func (v *checker) activeDirectory(ad *adConfig, keys []string) {
	under := func(more ...string) []string { return slices.Concat(keys, more) }
	if len(ad.Servers) == 0 {
		v.bad("is missing: name at least one domain controller, [ldaps://dc1.corp.example.com]", under("servers")...)
	}
	for _, s := range ad.Servers {
		if strings.TrimSpace(s) == "" {
			v.bad("holds an empty name", under("servers")...)
		}
	}
	switch {
	case ad.BaseDN == "" && len(ad.BaseDNs) == 0:
		v.bad("is missing: the part of the directory to read, DC=corp,DC=example,DC=com", under("baseDN")...)
	case ad.BaseDN != "" && len(ad.BaseDNs) > 0:
		v.bad("baseDN and baseDNs are both given: keep one", under("baseDNs")...)
	}
	v.required(ad.Bind.DN, under("bind", "dn")...)
	v.secret(&ad.Bind.PasswordEnv, &ad.Bind.PasswordFile, true, "password", under("bind")...)
	v.certificates(&ad.CAFile, under("caFile")...)
	if ad.PrimaryGroups && !v.Groups.Security && len(v.Scope.Groups) == 0 {
		v.bad("is about members of groups: set groups.security, or name groups in scope.groups", under("primaryGroups")...)
	}
	v.oneOf(ad.Delta, []string{"auto", "dirsync", "usn"}, under("delta")...)
}

func (v *checker) office365(o *office365Config) {
	under := func(keys ...string) []string { return append([]string{"target", "office365"}, keys...) }
	v.required(o.Tenant, under("tenant")...)
	v.certificates(&o.CAFile, under("caFile")...)
	v.oneOf(o.TenantSize, []string{"small", "medium", "large"}, under("tenantSize")...)
	if q := o.QuotaShare; q != nil && !(*q > 0 && *q <= 1) {
		v.bad(fmt.Sprintf("%v: want more than 0 and at most 1", *q), under("quotaShare")...)
	}
	if o.Proxy != "" {
		switch u, err := url.Parse(o.Proxy); {
		case err != nil || u.Host == "":
			v.bad("want a URL, http://proxy.example.com:8080", under("proxy")...)
		case u.User != nil:
			v.bad("secrets don't belong in this file; give a proxy that needs a password by the environment variable HTTPS_PROXY", under("proxy")...)
		}
	}
	v.auth(o, under("auth"))
}

func (v *checker) auth(o *office365Config, keys []string) {
	a := &o.Auth
	under := func(key string) []string { return append(slices.Clone(keys), key) }
	var ways []string
	for _, w := range []struct {
		given bool
		name  string
	}{
		{a.ClientSecretEnv != "" || a.ClientSecretFile != "", "clientSecretEnv or clientSecretFile"},
		{a.CertificateFile != "", "certificateFile"}, {a.WorkloadIdentity.On, "workloadIdentity"},
		{a.ManagedIdentity.On, "managedIdentity"}, {a.DefaultChain, "defaultChain"}, {a.TokenEnv != "", "tokenEnv"},
	} {
		if w.given {
			ways = append(ways, w.name)
		}
	}
	switch len(ways) {
	case 0:
		v.bad("say how to sign in: clientSecretEnv, clientSecretFile, certificateFile, workloadIdentity, managedIdentity or defaultChain", keys...)
		return
	case 1:
	default:
		v.bad("there are several ways to sign in, keep one: "+strings.Join(ways, ", "), keys...)
		return
	}
	if ways[0] == "certificateFile" || strings.HasPrefix(ways[0], "clientSecret") {
		v.required(a.ClientID, under("clientID")...)
	}
	v.secret(&a.ClientSecretEnv, &a.ClientSecretFile, false, "clientSecret", keys...)
	v.secret(&a.CertificatePasswordEnv, &a.CertificatePasswordFile, false, "certificatePassword", keys...)
	v.readable(&a.CertificateFile, under("certificateFile")...)
	a.WorkloadIdentity.TokenFile = v.file.relative(a.WorkloadIdentity.TokenFile)
	if a.TokenEnv == "" {
		return
	}
	if !isLoopback(o.Endpoint) {
		v.bad("is for a simulator only: endpoint has to be on a loopback address then", under("tokenEnv")...)
		return
	}
	if v.offline {
		return
	}
	if _, err := (secret{env: a.TokenEnv, lookup: v.env}).read(); err != nil {
		v.bad(err.Error(), under("tokenEnv")...)
	}
}

func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

func (v *checker) state() {
	if v.State.Bolt == nil {
		v.bad("is missing: what has to be remembered needs a file, {path: dirbridge.db}", "state", "bolt")
		return
	}
	keys := []string{"state", "bolt", "path"}
	v.required(v.State.Bolt.Path, keys...)
	v.directory(&v.State.Bolt.Path, keys...)
}

// directory makes the path of a file absolute, and checks that its directory is
// there.
func (v *checker) directory(path *string, keys ...string) {
	*path = v.file.relative(*path)
	dir := filepath.Dir(cmp.Or(*path, "."))
	if info, err := os.Stat(dir); err != nil {
		v.bad("its directory must exist: "+err.Error(), keys...)
	} else if !info.IsDir() {
		v.bad(dir+" isn't a directory", keys...)
	}
}
