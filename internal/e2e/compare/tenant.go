package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An Account is a user as Graph gives it.
type Account struct {
	ID     string
	Anchor string

	// Values are the attributes by Graph's names, with extensionAttribute1 to 15
	// beside the others; lists are sorted and joined by newlines. What has no
	// value isn't there.
	Values map[string]string

	Manager string // the id of the manager's account, "" without one; see [Tenant.ReadGroups]
}

// A Tenant is what the target holds.
type Tenant struct {
	Initial  string          // the initial domain
	Verified map[string]bool // domains by name in lower case
	Live     []Account
	Deleted  []Account // in the bin

	Groups        []Group // see [Tenant.ReadGroups]
	DeletedGroups []Group
}

// Read reads the whole tenant from Graph's REST interface at base (which ends in
// /v1.0).
func Read(ctx context.Context, client *http.Client, base, token string) (*Tenant, error) {
	g := graph{ctx, client, token}
	t := &Tenant{Verified: map[string]bool{}}
	err := g.list(base+"/domains?$select=id,isVerified,isInitial", func(o map[string]any) {
		id, _ := o["id"].(string)
		if o["isVerified"] == true {
			t.Verified[strings.ToLower(id)] = true
		}
		if o["isInitial"] == true {
			t.Initial = id
		}
	})
	if err != nil {
		return nil, err
	}
	names := []string{"id", "onPremisesImmutableId", "onPremisesExtensionAttributes", "displayName", "userPrincipalName", "mailNickname",
		"accountEnabled", "mail", "otherMails", "usageLocation"}
	for _, r := range plainRows() {
		if !strings.HasPrefix(r.to, "extensionAttribute") {
			names = append(names, r.to)
		}
	}
	query := "?$top=999&$select=" + strings.Join(names, ",")
	if err := g.list(base+"/users"+query, func(o map[string]any) { t.Live = append(t.Live, account(o)) }); err != nil {
		return nil, err
	}
	err = g.list(base+"/directory/deletedItems/microsoft.graph.user"+query, func(o map[string]any) { t.Deleted = append(t.Deleted, account(o)) })
	return t, err
}

type graph struct {
	ctx    context.Context
	client *http.Client
	token  string
}

// list gives every object of a list, over all its pages, to each.
func (g graph) list(url string, each func(map[string]any)) error {
	for url != "" {
		r, err := http.NewRequestWithContext(g.ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+g.token)
		reply, err := g.client.Do(r)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(reply.Body)
		if err = errors.Join(err, reply.Body.Close()); err != nil {
			return err
		}
		if reply.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %s: %s: %.300s", r.Method, url, reply.Status, body)
		}
		var page struct {
			Value []map[string]any `json:"value"`
			Next  string           `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
		for _, o := range page.Value {
			each(o)
		}
		url = page.Next
	}
	return nil
}

// manager is the id of an account's manager, "" without one.
func (g graph) manager(base, id string) (string, error) {
	r, err := http.NewRequestWithContext(g.ctx, http.MethodGet, base+"/users/"+id+"/manager?$select=id", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+g.token)
	reply, err := g.client.Do(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(reply.Body)
	if err = errors.Join(err, reply.Body.Close()); err != nil || reply.StatusCode == http.StatusNotFound {
		return "", err
	}
	if reply.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %s: %.300s", r.Method, r.URL, reply.Status, body)
	}
	var o struct{ ID string }
	return o.ID, json.Unmarshal(body, &o)
}

func account(o map[string]any) Account {
	a := Account{Values: map[string]string{}}
	a.ID, _ = o["id"].(string)
	a.Anchor, _ = o["onPremisesImmutableId"].(string)
	for name, v := range o {
		switch v := v.(type) {
		case string:
			a.Values[name] = v
		case bool:
			a.Values[name] = strconv.FormatBool(v)
		case []any:
			var all []string
			for _, one := range v {
				all = append(all, fmt.Sprint(one))
			}
			slices.Sort(all)
			a.Values[name] = strings.Join(all, "\n")
		case map[string]any:
			for k, one := range v {
				if s, ok := one.(string); ok {
					a.Values[k] = s
				}
			}
		}
	}
	delete(a.Values, "id")
	delete(a.Values, "onPremisesImmutableId")
	for name, v := range a.Values {
		if v == "" || strings.HasPrefix(name, "@") {
			delete(a.Values, name)
		}
	}
	return a
}
