package graphsim

import (
	"slices"
	"strings"
	"sync"
)

// An appTable knows the applications by token.
type appTable struct {
	mu      sync.RWMutex
	byToken map[string]*App
	initial string
}

func (a *appTable) add(app App) string {
	if app.Token == "" {
		app.Token = "sim." + newGUID()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byToken == nil {
		a.byToken = make(map[string]*App)
		a.initial = app.Token
	}
	a.byToken[app.Token] = &app
	return app.Token
}

func (a *appTable) remove(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byToken, token)
}

func (a *appTable) first() string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.initial
}

// find returns the application of an Authorization header, or nil.
func (a *appTable) find(authorization string) *App {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.byToken[strings.TrimSpace(token)]
}

func (t *Tenant) unauthenticated(authorization string) *apiError {
	e := &apiError{status: 401, code: "InvalidAuthenticationToken", message: "Lifetime validation failed, the token is expired."}
	if authorization == "" {
		e.message = "Access token is empty."
	}
	if c := t.opts.Switches.UnauthenticatedCode; c != "" {
		e.code = c
	}
	e.header = map[string][]string{"Www-Authenticate": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`}}
	return e
}

// permitted checks the application's permissions for the endpoint.
func (c *call) permitted(t *Tenant) *apiError {
	if c.app.Permissions == nil {
		return nil
	}
	if c.allowed(t, c.route.grants) {
		return nil
	}
	if c.op.Kind == "PATCH /users/{id}" && c.narrowGrant() {
		return nil
	}
	return denied()
}

// allowed reports whether the application has one of the permissions.
func (c *call) allowed(t *Tenant, grants []string) bool {
	if c.app.Permissions == nil {
		return true
	}
	return slices.ContainsFunc(grants, func(g string) bool {
		return c.has(g) && (g != "User.DeleteRestore.All" || !t.opts.Switches.DeleteRestoreRefused)
	})
}

func (c *call) has(permission string) bool { return slices.Contains(c.app.Permissions, permission) }

// narrowGrant reports whether every property of an update is covered by a
// permission for just that property.
func (c *call) narrowGrant() bool {
	body, err := decodeObject(c.body)
	if err != nil || len(body) == 0 {
		return false
	}
	for name := range body {
		ok := false
		switch name {
		case "accountEnabled":
			ok = c.has("User.EnableDisableAccount.All") && c.has("User.Read.All")
		case "otherMails":
			ok = c.has("User-Mail.ReadWrite.All")
		case "businessPhones", "mobilePhone":
			ok = c.has("User-Phone.ReadWrite.All")
		case "passwordProfile":
			ok = c.has("User-PasswordProfile.ReadWrite.All")
		case "identities":
			ok = c.has("User.ManageIdentities.All")
		default:
			ok = strings.HasPrefix(name, "@odata.")
		}
		if !ok {
			return false
		}
	}
	return true
}
