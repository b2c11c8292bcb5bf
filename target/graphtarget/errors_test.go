package graphtarget_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

var update = target.Change{Op: target.Update, Kind: target.User, ID: someID, Anchor: "QQ==", Set: target.Attributes{"jobTitle": {"canary-title"}}}

func TestGraphsRefusalsAreClassified(t *testing.T) {
	for _, tt := range []struct {
		name      string
		status    int
		body      string
		want      error
		attribute string
	}{
		{"a name that is taken", 400, graphError("Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.", "ObjectConflict", "userPrincipalName"), target.ErrExists, "userPrincipalName"},
		{"an address that is taken", 400, graphError("Request_BadRequest", "Another object with the same value for property proxyAddresses already exists.", "ObjectConflict", "proxyAddresses", "ConflictingObjects", ""), target.ErrExists, "mail"},
		{"an anchor that is taken", 400, graphError("Request_BadRequest", "Another object with the same value for property onPremisesImmutableId already exists.", "ObjectConflict", "onPremisesImmutableId"), target.ErrExists, "onPremisesImmutableId"},
		{"a conflict in words alone", 400, graphError("Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."), target.ErrExists, "userPrincipalName"},
		{"a conflict that names nothing", 400, graphError("Request_BadRequest", "A conflicting object with one or more of the specified property values is present in the directory."), target.ErrExists, ""},
		{"a domain that isn't verified", 400, graphError("Request_BadRequest", "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.", "InvalidValue", ""), target.ErrDomainNotVerified, "userPrincipalName"},
		{"an invalid value", 400, graphError("Request_BadRequest", "Invalid value specified for property 'mailNickname' of resource 'User'.", "InvalidValue", "mailNickname"), target.ErrInvalid, "mailNickname"},
		{"an invalid value in words alone", 400, graphError("Request_BadRequest", "Invalid value specified for property 'extensionAttribute7' of resource 'User'."), target.ErrInvalid, "extensionAttribute7"},
		{"several invalid values", 400, graphError("Request_BadRequest", "One or more properties contains invalid values."), target.ErrInvalid, ""},
		{"a property that isn't ours is not named", 400, graphError("Request_BadRequest", "Invalid value specified for property 'canaryPerson' of resource 'User'.", "InvalidValue", "canaryPerson"), target.ErrInvalid, ""},
		{"a read-only property", 400, graphError("Request_BadRequest", "Property 'employeeType' is read-only and cannot be set."), target.ErrReadOnly, "employeeType"},
		{"a synced object", 400, graphError("Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."), target.ErrReadOnly, ""},
		{"a property of Exchange's", 400, graphError("Request_BadRequest", "Unable to update the specified properties for objects that have originated within an external service."), target.ErrReadOnly, ""},
		{"no permission", 403, graphError("Authorization_RequestDenied", "Insufficient privileges to complete the operation."), target.ErrForbidden, ""},
		{"a full tenant", 403, graphError("Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded."), target.ErrQuota, ""},
		{"a token that isn't taken", 401, graphError("InvalidAuthenticationToken", "Access token has expired or is not yet valid."), target.ErrUnauthenticated, ""},
		{"401 without a body", 401, "", target.ErrUnauthenticated, ""},
		{"an application that is disabled", 403, graphError("Authorization_IdentityDisabled", "x"), target.ErrUnauthenticated, ""},
		{"not found", 404, graphError("Request_ResourceNotFound", "Resource 'canary' does not exist or one of its queried reference-property objects are not present."), target.ErrNotFound, ""},
		{"not found as 400", 400, graphError("Directory_ObjectNotFound", "x"), target.ErrNotFound, ""},
		{"400 without a body", 400, "", target.ErrInvalid, ""},
		{"400 that isn't JSON", 400, "<html>canary</html>", target.ErrInvalid, ""},
		{"a proxy's 404 is no word of Graph's", 404, "<html>canary</html>", target.ErrUnknownOutcome, ""},
		{"a proxy's 403 is no word of Graph's", 403, "", target.ErrUnknownOutcome, ""},
		{"a server error", 500, graphError("Service_InternalServerError", "x"), target.ErrUnknownOutcome, ""},
		{"a gateway's time-out", 504, "", target.ErrUnknownOutcome, ""},
		{"a replica that is away", 400, graphError("Directory_ReplicaUnavailable", "x"), target.ErrUnknownOutcome, ""},
		{"a redirect", 307, "", target.ErrUnknownOutcome, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tg := over(t, always(tt.status, tt.body), nil)
				_, err := tg.Apply(t.Context(), update)
				require.ErrorIs(t, err, tt.want)
				require.Equal(t, tt.want == target.ErrUnknownOutcome, target.OutcomeUnknown(err))
				require.Equal(t, tt.attribute, target.AttributeOf(err))
				require.NotContains(t, err.Error(), "canary", "an error quotes a value")
				e, ok := errors.AsType[*target.Error](err)
				require.True(t, ok)
				require.Equal(t, "11111111-2222-3333-4444-555555555555", e.RequestID)
			})
		})
	}
}

func TestARequestIdIsTakenFromTheBodyIfNoHeaderHasItAndOnlyIfItIsOne(t *testing.T) {
	f := &fake{answer: func(n int, _ asked) (*http.Response, error) {
		body := graphError("Request_BadRequest", "x")
		if n == 2 {
			return says(400, body, "request-id", "not an id\r\n: <script>"), nil
		}
		res := says(400, body)
		res.Header.Del("Request-Id")
		return res, nil
	}}
	tg := over(t, f, nil)
	_, err := tg.Apply(t.Context(), update)
	require.ErrorContains(t, err, "[request-id 11111111-2222-3333-4444-555555555555]")
	_, err = tg.Apply(t.Context(), update)
	require.NotContains(t, err.Error(), "script")
}

func TestT03_NotFoundIsNotYetForAnObjectThatIsYoungerThanReplicationTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := over(t, always(404, graphError("Request_ResourceNotFound", "x")), nil)
		for _, tt := range []struct {
			age  time.Duration
			want error
		}{{time.Minute, target.ErrNotYet}, {14 * time.Minute, target.ErrNotYet}, {15 * time.Minute, target.ErrNotFound}} {
			c := update
			c.Linked = time.Now().Add(-tt.age)
			_, err := tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, tt.want, tt.age)
			c.Op, c.Set = target.Delete, nil
			_, err = tg.Apply(t.Context(), c)
			if tt.want == target.ErrNotFound {
				require.NoError(t, err, "what is gone is deleted")
			} else {
				require.ErrorIs(t, err, tt.want, tt.age)
			}
		}
		_, err := tg.Apply(t.Context(), update) // Linked unknown
		require.ErrorIs(t, err, target.ErrNotFound)
	})
}

func TestA12_AnIdThatIsNoGUIDNeverGetsIntoAURL(t *testing.T) {
	f := always(200, `{}`)
	tg := over(t, f, nil)
	for _, op := range []target.Op{target.Update, target.Disable, target.Enable, target.Delete, target.Restore} {
		c := update
		c.Op, c.ID = op, "../organization?$select=id#"
		_, err := tg.Apply(t.Context(), c)
		if op == target.Delete {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, target.ErrNotFound)
		}
	}
	found, err := target.Find(t.Context(), tg, target.User, []target.Key{{ID: "me"}})
	require.NoError(t, err)
	require.Empty(t, found[0])
	_, err = tg.FindDeleted(t.Context(), target.User, "x/y")
	require.ErrorIs(t, err, target.ErrNotFound)
	require.Empty(t, f.calls())
}

func TestAnAttributeOutsideTheVocabularyIsRefusedByName(t *testing.T) {
	f := always(204, "")
	tg := over(t, f, nil)
	for _, name := range []string{"proxyAddresses", "onPremisesImmutableId", "passwordProfile", "@odata.type", "extensionAttribute16"} {
		for _, values := range [][]string{{"x"}, nil} {
			if name == "onPremisesImmutableId" && values != nil {
				continue // what was adopted gets its anchor so
			}
			c := update
			c.Set = target.Attributes{name: values}
			_, err := tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrInvalid, name)
			require.Equal(t, name, target.AttributeOf(err))
		}
	}
	c := update
	c.Kind = "group"
	_, err := tg.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrInvalid)
	c = update
	c.Op = "rename"
	_, err = tg.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrInvalid)
	require.Empty(t, f.calls())
}

func TestReadsThatFailForGoodAreUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []*fake{
			always(503, ""), always(200, "<html>"), always(200, ""), always(302, "", "Location", "https://elsewhere.example/"),
			{answer: func(int, asked) (*http.Response, error) { return nil, errors.New("canary reset") }},
			{answer: func(int, asked) (*http.Response, error) {
				return nil, &net.OpError{Op: "read", Net: "tcp", Err: io.ErrClosedPipe} // which net/http wraps with the URL
			}},
		} {
			tg := over(t, answer, &graphtarget.Options{})
			_, err := tg.Domains(t.Context())
			require.ErrorIs(t, err, target.ErrUnavailable)
			require.NotContains(t, err.Error(), "canary")
			_, err = tg.Find(t.Context(), target.User, []target.Key{{UserPrincipalName: "canary@contoso.com"}})
			require.ErrorIs(t, err, target.ErrUnavailable)
			require.NotContains(t, err.Error(), "canary")
		}
	})
}
