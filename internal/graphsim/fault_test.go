package graphsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
)

var badReply = []string{contract.ExemptHeader, "reply"}

func TestLostRepliesAndLostRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   *graphsim.Fault
		applied int
	}{
		"the reply is lost": {graphsim.ReplyLost(), 1}, "the request is lost": {graphsim.RequestLost(), 0},
		"cut in the middle": {graphsim.Broken(graphsim.Truncate), 1},
	} {
		for _, open := range []func(*testing.T, *graphsim.Options) *sim{open, bubble} {
			t.Run(name, func(t *testing.T) {
				s := open(t, &graphsim.Options{Fault: graphsim.Nth(1, tt.fault, nil)})
				_, err := s.try("POST", "/users", person("ann@contoso.com"), badReply...)
				require.Error(t, err)
				require.Equal(t, tt.applied, s.Size())
				require.Equal(t, tt.applied, s.Counts().TotalWrites())
				s.do("POST", "/users", person("bob@contoso.com"))
				require.Equal(t, tt.applied+1, s.Size())
			})
		}
	}
}

func TestTimeoutsLastUntilTheCallerGivesUp(t *testing.T) {
	for applied, f := range map[int]*graphsim.Fault{0: graphsim.Timeout(), 1: graphsim.AppliedTimeout()} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Fault: graphsim.Nth(1, f, nil)})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := s.client.Do(s.request("POST", "/users", person("ann@contoso.com"), badReply...).WithContext(ctx))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			synctest.Wait()
			require.Equal(t, applied, s.Size())
		})
	}
}

func TestRefusedStatuses(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 412, 423, 424, 429, 500, 502, 503, 504, 507} {
		for _, applied := range []bool{false, true} {
			f := graphsim.Refuse(status)
			if applied {
				f = graphsim.RefuseApplied(status)
			}
			s := open(t, &graphsim.Options{Fault: graphsim.Nth(2, f, nil)})
			s.create("bob@contoso.com")
			a := s.do("POST", "/users", person("ann@contoso.com"))
			code, _ := a.fault()
			require.Equal(t, status, a.status)
			require.NotEmpty(t, code)
			_, ok := s.User("ann@contoso.com")
			require.Equal(t, applied, ok)
		}
	}
}

func TestThrottleFaultMayLackRetryAfter(t *testing.T) {
	s := open(t, nil)
	for _, want := range []string{"", "7", "Wed, 21 Oct 2026 07:28:00 GMT"} {
		s.SetFault(func(graphsim.Op) *graphsim.Fault { return graphsim.Throttle(want) })
		a := s.do("GET", "/users", nil)
		require.Equal(t, 429, a.status)
		require.Equal(t, want, a.header.Get("Retry-After"))
	}
}

func TestStrangeReplies(t *testing.T) {
	s := open(t, nil)
	for range 3 {
		s.create("u" + string(rune('a'+s.Size())) + "@contoso.com")
	}
	always := func(f *graphsim.Fault) {
		s.SetFault(func(graphsim.Op) *graphsim.Fault { return f })
	}
	always(graphsim.HTML(502))
	a := s.do("GET", "/users", nil, badReply...)
	require.Equal(t, 502, a.status)
	require.Contains(t, a.raw, "<html>")

	always(graphsim.Empty(503))
	a = s.do("GET", "/users", nil, badReply...)
	require.Equal(t, 503, a.status)
	require.Empty(t, a.raw)

	always(graphsim.Broken(graphsim.CutJSON))
	_, err := s.try("GET", "/users", nil, badReply...)
	var syntax *json.SyntaxError
	require.True(t, errors.As(err, &syntax), "%v", err)

	always(graphsim.ForeignNextLink("evil.example"))
	a = s.do("GET", "/users?$top=1", nil)
	require.Regexp(t, `^http://evil\.example/v1\.0/users\?`, a.str("@odata.nextLink"))

	always(&graphsim.Fault{Apply: true, Break: graphsim.Drip, Pace: time.Microsecond})
	require.Len(t, s.do("GET", "/users", nil).value(), 3)

	always(&graphsim.Fault{Status: 400, Code: "Odd", Message: "odd"})
	code, message := s.do("GET", "/users", nil).fault()
	require.Equal(t, "Odd odd", code+" "+message)

	always(graphsim.Redirect("https://evil.example/v1.0/users"))
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a = s.do("GET", "/users", nil, badReply...)
	require.Equal(t, 307, a.status)
	require.Equal(t, "https://evil.example/v1.0/users", a.header.Get("Location"))
}

func TestGzipBombUnpacksToItsSize(t *testing.T) {
	s := open(t, &graphsim.Options{Fault: func(graphsim.Op) *graphsim.Fault { return graphsim.GzipBomb(8 << 20) }})
	resp, err := s.client.Do(s.request("GET", "/users", nil, badReply...))
	require.NoError(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.Greater(t, n, int64(8<<20))
}

func TestFaultsStrikePartsOfABatch(t *testing.T) {
	hit := func(f *graphsim.Fault) func(graphsim.Op) *graphsim.Fault {
		return func(o graphsim.Op) *graphsim.Fault {
			if o.Part && bytes.Contains(o.Body, []byte("ann@")) {
				return f
			}
			return nil
		}
	}
	for name, tt := range map[string]struct {
		fault   *graphsim.Fault
		status  any // nil: no answer
		applied bool
	}{
		"answer missing, applied":     {graphsim.ReplyLost(), nil, true},
		"answer missing, not applied": {graphsim.RequestLost(), nil, false},
		"throttled":                   {graphsim.Throttle("3"), 429., false},
		"503":                         {graphsim.Refuse(503), 503., false},
		"504 though applied":          {graphsim.RefuseApplied(504), 504., true},
		"a web page":                  {graphsim.HTML(502), 502., false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, &graphsim.Options{Fault: hit(tt.fault)})
			batch := batchOf(part("1", "POST", "/users", person("ann@contoso.com")), part("2", "POST", "/users", person("bob@contoso.com")))
			got, _ := s.do("POST", "/$batch", batch, badReply...).parts(t)
			require.EqualValues(t, 201, got["2"]["status"])
			require.Equal(t, tt.status, got["1"]["status"])
			_, ok := s.User("ann@contoso.com")
			require.Equal(t, tt.applied, ok)
		})
	}
}

func TestDelayedOperationIsNotAppliedWhenTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Fault: func(graphsim.Op) *graphsim.Fault {
			return &graphsim.Fault{Apply: true, Delay: time.Minute}
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.client.Do(s.request("POST", "/users", person("ann@contoso.com")).WithContext(ctx))
		require.Error(t, err)
		synctest.Wait()
		require.Zero(t, s.Size())
		start := time.Now()
		s.create("ann@contoso.com")
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestNthCountsFromOne(t *testing.T) {
	f := graphsim.Nth(2, graphsim.Refuse(500), func(o graphsim.Op) bool { return strings.HasPrefix(o.Kind, "GET") })
	require.Nil(t, f(graphsim.Op{Kind: "GET /users"}))
	require.Nil(t, f(graphsim.Op{Kind: "POST /users"}))
	require.NotNil(t, f(graphsim.Op{Kind: "GET /users"}))
	require.Nil(t, f(graphsim.Op{Kind: "GET /users"}))
}
