package graphsim_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestWithoutAGoodTokenEverythingIs401(t *testing.T) {
	s := open(t, nil)
	for _, auth := range []string{"", "Bearer wrong", "Basic " + s.Token(), s.Token()} {
		a := s.do("GET", "/users", nil, "Authorization", auth)
		code, _ := a.fault()
		require.Equal(t, 401, a.status, auth)
		require.Equal(t, "InvalidAuthenticationToken", code)
		require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
	}
	require.Empty(t, s.Requests(), "refused before they count")
	s.RevokeToken(s.Token())
	require.Equal(t, 401, s.do("GET", "/users", nil).status)
}

func TestEachEndpointNeedsItsPermission(t *testing.T) {
	person := person("ann@contoso.com")
	for _, tt := range []struct {
		method, path string
		body         any
		ok, no       []string
	}{
		{"GET", "/users", nil, []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}, []string{"User.Create", "Domain.Read.All"}},
		{"POST", "/users", person, []string{"User.Create", "User.ReadWrite.All"}, []string{"User.Read.All", "User.ReadUpdate.All"}},
		{"PATCH", "/users/bob@contoso.com", props{"city": "x"}, []string{"User.ReadUpdate.All", "User.ReadWrite.All"}, []string{"User.Create", "User.Read.All"}},
		{"PATCH", "/users/bob@contoso.com", props{"otherMails": []string{}}, []string{"User-Mail.ReadWrite.All"}, []string{"User-Phone.ReadWrite.All"}},
		{"PATCH", "/users/bob@contoso.com", props{"mobilePhone": "1"}, []string{"User-Phone.ReadWrite.All"}, []string{"User-Mail.ReadWrite.All"}},
		{"DELETE", "/users/bob@contoso.com", nil, []string{"User.ReadWrite.All", "User.DeleteRestore.All"}, []string{"User.ReadUpdate.All", "Directory.ReadWrite.All"}},
		{"GET", "/directory/deletedItems/graph.user", nil, []string{"User.Read.All", "User.ReadWrite.All"}, []string{"User.Create"}},
		{"GET", "/domains", nil, []string{"Domain.Read.All"}, []string{"User.ReadWrite.All", "Organization.Read.All"}},
		{"GET", "/organization", nil, []string{"Organization.Read.All"}, []string{"User.ReadWrite.All", "Domain.Read.All"}},
	} {
		for _, grants := range [][]string{tt.ok, tt.no} {
			for _, g := range grants {
				s := open(t, &graphsim.Options{Permissions: []string{g}})
				_, err := s.AddUser(props{"userPrincipalName": "bob@contoso.com"})
				require.NoError(t, err)
				a := s.do(tt.method, tt.path, tt.body)
				code, message := a.fault()
				if &grants[0] == &tt.ok[0] {
					require.Less(t, a.status, 300, "%s %s with %s", tt.method, tt.path, g)
					continue
				}
				require.Equal(t, 403, a.status, "%s %s with %s", tt.method, tt.path, g)
				require.Equal(t, "Authorization_RequestDenied", code)
				require.Equal(t, "Insufficient privileges to complete the operation.", message)
			}
		}
	}
	s := open(t, &graphsim.Options{Permissions: []string{"User-PasswordProfile.ReadWrite.All"}})
	u, err := s.AddUser(props{"userPrincipalName": "bob@contoso.com"})
	require.NoError(t, err)
	body := props{"passwordProfile": props{"password": "Correct-Horse-7"}}
	require.Equal(t, 403, s.do("PATCH", "/users/"+u.ID, body).status, "a password needs the role, too")
	admin := s.AddApp(graphsim.App{Permissions: []string{"User-PasswordProfile.ReadWrite.All"}, Administrator: true})
	require.Equal(t, 204, s.do("PATCH", "/users/"+u.ID, body, "Authorization", "Bearer "+admin).status)
}

func TestProtectedUsersRefuseSensitiveChanges(t *testing.T) {
	for _, wholly := range []bool{false, true} {
		s := open(t, &graphsim.Options{Switches: graphsim.Switches{ProtectedWholly: wholly}})
		id := s.create("root@contoso.com")
		require.NoError(t, s.Protect(id, true))
		for _, body := range []props{{"accountEnabled": false}, {"userPrincipalName": "r@contoso.com"}, {"otherMails": []string{}}} {
			a := s.do("PATCH", "/users/"+id, body)
			require.Equal(t, 403, a.status)
		}
		require.Equal(t, map[bool]int{false: 204, true: 403}[wholly], s.do("PATCH", "/users/"+id, props{"city": "x"}).status)
		require.Equal(t, 403, s.do("DELETE", "/users/"+id, nil).status)
		admin := "Bearer " + s.AddApp(graphsim.App{Administrator: true})
		require.Equal(t, 204, s.do("DELETE", "/users/"+id, nil, "Authorization", admin).status)
		require.Equal(t, 403, s.do("POST", "/directory/deletedItems/"+id+"/restore", nil).status)
	}
}

func TestGzipBothWays(t *testing.T) {
	s := open(t, nil)
	raw, err := json.Marshal(person("ann@contoso.com"))
	require.NoError(t, err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(raw)
	z.Close()
	a := s.do("POST", "/users", packed.String(), "Content-Encoding", "gzip")
	require.Equal(t, 201, a.status, a.raw)

	a = s.do("GET", "/users", nil, "Accept-Encoding", "gzip") // asked for by hand: Go doesn't unpack it
	require.Equal(t, "gzip", a.header.Get("Content-Encoding"))
	unpacked, err := gzip.NewReader(strings.NewReader(a.raw))
	require.NoError(t, err)
	body, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.Contains(t, string(body), "ann@contoso.com")
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	s := open(t, nil)
	require.Equal(t, 400, s.wrong("POST", "/users", "no gzip", "Content-Encoding", "gzip").status)
	require.Equal(t, 415, s.wrong("POST", "/users", "x", "Content-Encoding", "br").status)
	require.Equal(t, 415, s.wrong("POST", "/users", "x=1", "Content-Type", "text/plain").status)
	require.Equal(t, 413, s.wrong("POST", "/users", strings.Repeat(" ", 5<<20)).status)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.CopyN(z, zeros{}, 64<<20)
	z.Close()
	require.Equal(t, 413, s.wrong("POST", "/users", packed.String(), "Content-Encoding", "gzip").status)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestWhatIsNotSimulatedIsRefusedLikeGraph(t *testing.T) {
	s := open(t, nil)
	for path, status := range map[string]int{
		"GET /planets": 404, "GET /": 404, "GET /users/a/b/c/d": 404, "PUT /users": 405, "POST /domains": 405,
		"GET /$batch": 405, "DELETE /users": 405, "GET /users/%2F": 404, "PATCH /directory/deletedItems/x": 405,
	} {
		method, path, _ := strings.Cut(path, " ")
		require.Equal(t, status, s.wrong(method, path, nil).status, path)
	}
	require.Equal(t, 404, s.wrong("GET", strings.TrimSuffix(s.url, "v1.0")+"beta/users", nil).status)
}

func TestStartServesOnOneLine(t *testing.T) {
	tenant := graphsim.New(nil)
	srv, err := tenant.Start("127.0.0.1:0")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(srv.URL, "/v1.0"))
	r, err := http.NewRequest("GET", srv.URL+"/users", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+srv.Token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	_, err = tenant.Start(strings.TrimSuffix(strings.TrimPrefix(srv.URL, "http://"), "/v1.0"))
	require.Error(t, err, "the port is taken")
	require.NoError(t, srv.Close())
	require.NoError(t, srv.Close())
	_, err = http.Get(srv.URL)
	require.Error(t, err)
}

func TestDateHeaderCanBeSkewed(t *testing.T) {
	s := open(t, &graphsim.Options{ClockSkew: -time.Hour})
	at, err := http.ParseTime(s.do("GET", "/users", nil).header.Get("Date"))
	require.NoError(t, err)
	require.InDelta(t, -3600, time.Until(at).Seconds(), 5)
}

func TestJournalKeepsTheLastRequestsInOrder(t *testing.T) {
	s := open(t, &graphsim.Options{LogSize: 3})
	for i := range 5 {
		s.do("GET", fmt.Sprintf("/users/%d", i), nil)
	}
	var got []string
	for _, op := range s.Requests() {
		got = append(got, fmt.Sprint(op.N, op.Kind, op.ID, op.Status))
	}
	require.Equal(t, []string{"3GET /users/{id}2404", "4GET /users/{id}3404", "5GET /users/{id}4404"}, got)
	require.Equal(t, 5, s.Counts().Requests["GET /users/{id}"])
	s.ResetCounts()
	require.Empty(t, s.Requests())
	require.Zero(t, s.Counts().HTTP)
}

func TestConcurrentCreatesNeverShareAName(t *testing.T) {
	s := open(t, nil)
	var wg sync.WaitGroup
	created := make(chan int, 64)
	for w := range 8 {
		wg.Go(func() {
			for i := range 8 {
				a, err := s.try("POST", "/users", person(fmt.Sprintf("u%d@contoso.com", i), props{"city": fmt.Sprint(w)}))
				if err == nil && a.status == 201 {
					created <- i
				}
				s.try("GET", "/users?$top=3", nil)
				s.try("PATCH", fmt.Sprintf("/users/u%d@contoso.com", i), props{"jobTitle": fmt.Sprint(w)})
			}
		})
	}
	wg.Wait()
	require.Len(t, created, 8)
	require.Equal(t, 8, s.Size())
}

// FuzzRequests sends what nobody should: nothing may panic, every refusal is a
// Graph error.
func FuzzRequests(f *testing.F) {
	for _, seed := range [][3]string{
		{"GET", "/users?$filter=a eq 'b'", ""}, {"POST", "/users", `{"accountEnabled":true}`},
		{"PATCH", "/users/ann@contoso.com", `{"onPremisesExtensionAttributes":{"extensionAttribute1":[]},"businessPhones":["x"]}`},
		{"POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/users?$top=x"}]}`},
		{"GET", "/users?$select=&$top=1&$skiptoken=RFNwdAIAAQ", ""}, {"GET", "/directory/deletedItems/x/restore", "{}"},
		{"PATCH", "/users/ann@contoso.com", `{"mail":"ann@contoso.com","employeeOrgData":{},"identities":[{}],"passwordProfile":{}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	tenant := newTenant(&graphsim.Options{Seed: 1, LogSize: -1})
	if _, err := tenant.AddUser(props{"userPrincipalName": "ann@contoso.com"}); err != nil {
		f.Fatal(err)
	}
	client := &http.Client{Transport: tenant.Transport()}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "https://graph.example/v1.0"+path, strings.NewReader(body))
		if err != nil {
			t.Skip("not HTTP")
		}
		r.Header.Set("Authorization", "Bearer "+tenant.Token())
		r.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(r)
		if err != nil {
			t.Skip("not HTTP")
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		if len(raw) > 0 && !strings.HasSuffix(r.URL.Path, "/$count") {
			require.True(t, json.Valid(raw), "%d %s", resp.StatusCode, raw)
		}
		if resp.StatusCode >= 400 {
			require.Contains(t, string(raw), `{"error":{"code":`)
		}
	})
}
