package graphtarget

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/dirbridge/dirbridge/target"
)

// A call is one request to Graph, to be sent alone or as a part of a batch.
type call struct {
	method string
	url    *url.URL
	body   []byte // JSON, or nil
	prefer string // the header Prefer, or ""
	level  string // the header ConsistencyLevel, or ""
	units  int    // what it costs in resource units; 0 means one
	after  bool   // in a batch: wait for the part before this one
}

// pageSize is the most that Graph puts on a page.
const pageSize = 999

// calls makes the calls that this package sends. Where the SDK has a light
// builder (users), it makes the URL and the body; deletedItems and domains have
// heavy ones, so their short URLs are spelled here.
type calls struct{ base *url.URL }

func (c calls) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(map[string]string{"baseurl": c.base.String()}, bodies{})
}

func (c calls) list(filter string) (call, error) {
	top := int32(pageSize)
	q := &users.UsersRequestBuilderGetQueryParameters{Select: selected()}
	if filter != "" {
		q.Filter = &filter // without $top: it is looked for, not listed
	} else {
		q.Top = &top
	}
	info, err := c.users().ToGetRequestInformation(context.Background(), &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: q})
	return asCall(info, err)
}

// anyone asks for the id of some user.
func (c calls) anyone() call {
	u := c.base.JoinPath("users")
	u.RawQuery = "$select=id&$top=1"
	return call{method: http.MethodGet, url: u}
}

func (c calls) get(id target.ID) (call, error) {
	q := &users.UserItemRequestBuilderGetQueryParameters{Select: selected()}
	info, err := c.users().ByUserId(string(id)).ToGetRequestInformation(context.Background(),
		&users.UserItemRequestBuilderGetRequestConfiguration{QueryParameters: q})
	return asCall(info, err)
}

func (c calls) create(u models.Userable) (call, error) {
	info, err := c.users().ToPostRequestInformation(context.Background(), u, nil)
	return asCall(info, err)
}

func (c calls) update(id target.ID, u models.Userable) (call, error) {
	info, err := c.users().ByUserId(string(id)).ToPatchRequestInformation(context.Background(), u, nil)
	return asCall(info, err)
}

func (c calls) remove(id target.ID) (call, error) {
	info, err := c.users().ByUserId(string(id)).ToDeleteRequestInformation(context.Background(), nil)
	return asCall(info, err)
}

func (c calls) deleted(id target.ID, fields ...string) call {
	u := c.base.JoinPath("directory", "deletedItems", string(id))
	if len(fields) > 0 {
		u.RawQuery = "$select=" + strings.Join(append(fields, "deletedDateTime"), ",")
	}
	return call{method: http.MethodGet, url: u}
}

// bin lists the users in the bin.
func (c calls) bin() call {
	u := c.base.JoinPath("directory", "deletedItems", "microsoft.graph.user")
	u.RawQuery = "$select=" + strings.Join(append(selected(), "deletedDateTime"), ",") + "&$top=" + strconv.Itoa(pageSize)
	return call{method: http.MethodGet, url: u}
}

// restore takes an object out of the bin, under the name upn if it isn't empty.
func (c calls) restore(id target.ID, upn string) call {
	made := call{method: http.MethodPost, url: c.base.JoinPath("directory", "deletedItems", string(id), "restore")}
	if upn != "" {
		made.body = mustJSON(map[string]string{"newUserPrincipalName": upn})
	}
	return made
}

func (c calls) domains() call {
	u := c.base.JoinPath("domains")
	u.RawQuery = "$select=id,isVerified,isInitial,isDefault,authenticationType"
	return call{method: http.MethodGet, url: u}
}

// errUnbuilt stands for errors whose text may quote a value.
var errUnbuilt = errors.New("the request can't be built")

// asCall takes from the SDK's request what has to be sent.
func asCall(info *abstractions.RequestInformation, err error) (call, error) {
	if err != nil {
		return call{}, unshown{errUnbuilt, err}
	}
	u, err := info.GetUri()
	if err != nil {
		return call{}, unshown{errUnbuilt, err}
	}
	u.RawQuery = plainNames(u.RawQuery)
	return call{method: info.Method.String(), url: u, body: info.Content}, nil
}

// plainNames writes the '$' of query option names as it is. The SDK's URL
// templates encode it, and a middleware of the SDK's, which isn't in our list,
// undoes that in names and values alike.
func plainNames(query string) string {
	options := strings.Split(query, "&")
	for i, option := range options {
		if name, value, ok := strings.Cut(option, "="); ok {
			options[i] = strings.Replace(name, "%24", "$", 1) + "=" + value
		}
	}
	return strings.Join(options, "&")
}

// quote writes v as a text of an OData filter.
func quote(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }

// bodies stands where the SDK's builders want an adapter, of which they use the
// serializer alone. A host's adapter may have another one (with a backing store
// it leaves out what it believes unchanged); bodies are ours in any case.
type bodies struct{ abstractions.RequestAdapter }

func (bodies) GetSerializationWriterFactory() serialization.SerializationWriterFactory {
	return jsonformat.NewJsonSerializationWriterFactory()
}
