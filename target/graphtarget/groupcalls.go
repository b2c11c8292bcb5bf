package graphtarget

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// The SDK's builders for groups drag in its whole package of groups, sites and
// drives, so the URLs are spelled here.

// at is a URL below the base. The segments are already escaped.
func (c calls) at(segments ...string) *url.URL {
	u, err := url.Parse(c.base.String() + "/" + strings.Join(segments, "/"))
	if err != nil {
		panic(err) // a defect of this package: ids are checked, names are escaped
	}
	return u
}

func (c calls) asking(query string, segments ...string) call {
	u := c.at(segments...)
	u.RawQuery = query
	return call{method: http.MethodGet, url: u}
}

// byUniqueName is the path segment of a group's alternate key.
func byUniqueName(name string) string {
	return "groups(uniqueName='" + url.PathEscape(strings.ReplaceAll(name, "'", "''")) + "')"
}

func groupFields() string { return "$select=" + strings.Join(selectedOfGroups(), ",") }

func (c calls) listGroups() call { return c.asking(groupFields()+"&$top=999", "groups") }

// groupBin lists the groups in the bin.
func (c calls) groupBin() call {
	return c.asking(groupFields()+",deletedDateTime&$top=999", "directory", "deletedItems", "microsoft.graph.group")
}

func (c calls) getGroup(id target.ID) call { return c.asking(groupFields(), "groups", string(id)) }

func (c calls) groupNamed(name string) call { return c.asking(groupFields(), byUniqueName(name)) }

// upsertGroup makes the group of this name, or writes body to the one that has it.
func (c calls) upsertGroup(name string, body []byte) call {
	return call{method: http.MethodPatch, url: c.at(byUniqueName(name)), body: body, prefer: "create-if-missing"}
}

// findGroup is the call that searches for k; ok is false if no group can have it.
func (c calls) findGroup(k target.Key) (found call, ok bool) {
	switch {
	case k.ID != "":
		return c.getGroup(k.ID), objectID(k.ID)
	case k.Anchor != "":
		return c.groupNamed(k.Anchor), true
	case k.Mail != "":
		filter := url.QueryEscape("proxyAddresses/any(p:p eq " + quote("smtp:"+k.Mail) + ")")
		return c.asking(groupFields()+"&$filter="+filter, "groups"), true
	case k.MailNickname != "":
		// Of groups without mail any number has the same; what is wanted is the one.
		return c.asking(groupFields()+"&$filter="+url.QueryEscape("mailNickname eq "+quote(k.MailNickname)), "groups"), true
	}
	return call{}, false
}

// references lists those of a group, by id alone.
func (c calls) references(id target.ID, attribute string) call {
	made := c.asking("$select=id&$top=999", "groups", string(id), attribute)
	made.units = 2 // three, less one for $select
	return made
}

// deltaOfGroups asks for the link of now, for changes of what we read of groups,
// and of their members.
func (c calls) deltaOfGroups() call {
	return c.asking(groupFields()+",members&$deltatoken=latest", "groups", "delta")
}

// findReferences asks which of to a group refers to. It is what Graph calls an
// advanced query, from an index that lags a little.
func (c calls) findReferences(id target.ID, attribute string, to []target.ID) call {
	quoted := make([]string, len(to))
	for i, one := range to {
		quoted[i] = quote(string(one))
	}
	made := c.asking("$select=id&$count=true&$filter="+url.QueryEscape("id in ("+strings.Join(quoted, ",")+")"), "groups", string(id), attribute)
	made.level, made.units = "eventual", 2
	return made
}

// object is the URL by which a reference names its target.
func (c calls) object(id target.ID) string { return c.at("directoryObjects", string(id)).String() }

// bind adds references of a group, all or none.
func (c calls) bind(id target.ID, attribute string, to []target.ID) call {
	links := make([]string, len(to))
	for i, one := range to {
		links[i] = c.object(one)
	}
	return call{method: http.MethodPatch, url: c.at("groups", string(id)), body: mustJSON(map[string][]string{attribute + "@odata.bind": links})}
}

func (c calls) unbind(id target.ID, attribute string, to target.ID) call {
	return call{method: http.MethodDelete, url: c.at("groups", string(id), attribute, string(to), "$ref")}
}

func (c calls) manager(id target.ID) call {
	return c.asking("$select=id", "users", string(id), "manager")
}

func (c calls) setManager(id, to target.ID) call {
	return call{method: http.MethodPut, url: c.at("users", string(id), "manager", "$ref"),
		body: mustJSON(map[string]string{"@odata.id": c.object(to)})}
}

func (c calls) clearManager(id target.ID) call {
	return call{method: http.MethodDelete, url: c.at("users", string(id), "manager", "$ref")}
}

// The calls that each kind has.

func (c calls) getObject(kind target.Kind, id target.ID) (call, error) {
	if kind == target.Group {
		return c.getGroup(id), nil
	}
	return c.get(id)
}

func (c calls) removeObject(kind target.Kind, id target.ID) (call, error) {
	if kind == target.Group {
		return call{method: http.MethodDelete, url: c.at("groups", string(id))}, nil
	}
	return c.remove(id)
}

// updateObject writes set to an object.
func (c calls) updateObject(kind target.Kind, id target.ID, set target.Attributes) (call, error) {
	if kind == target.Group {
		body, err := changedGroup(set)
		return call{method: http.MethodPatch, url: c.at("groups", string(id)), body: body}, err
	}
	body, err := changedUser(set)
	if err != nil {
		return call{}, err
	}
	made, err := c.update(id, body)
	if err != nil {
		return call{}, untold(err)
	}
	return made, nil
}

func decodeObject(kind target.Kind, item map[string]any) (target.Object, bool) {
	if kind == target.Group {
		return decodeGroup(item)
	}
	return decodeUser(item)
}
