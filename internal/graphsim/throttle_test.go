package graphsim_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestWriteQuotaIsMicrosofts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Limits: graphsim.MicrosoftLimits()})
		id := s.create("ann@contoso.com")
		write := func() answer { return s.do("PATCH", "/users/"+id, props{"city": "Graz"}) }
		for i := range 2999 {
			a := write()
			require.Equal(t, 204, a.status, i)
			switch percent := a.header.Get("x-ms-throttle-limit-percentage"); {
			case i+2 < 2400:
				require.Empty(t, percent)
			default:
				require.NotEmpty(t, percent)
			}
		}
		a := write()
		code, message := a.fault()
		require.Equal(t, 429, a.status)
		require.Equal(t, "TooManyRequests", code)
		require.Equal(t, "Please retry again later.", message)
		require.Equal(t, "1", a.header.Get("Retry-After"))
		require.Equal(t, "WriteLimitExceeded", a.header.Get("x-ms-throttle-information"))
		require.Contains(t, a.header.Get("x-ms-throttle-scope"), "Tenant_Application/")
		require.Equal(t, "1", a.header.Get("x-ms-resource-unit"))
		require.Equal(t, 200, s.do("GET", "/users/"+id, nil).status, "reading has its own quota")

		time.Sleep(10 * time.Second) // refills 20 a second
		for i := range 200 {
			require.Equal(t, 204, write().status, i)
		}
		require.Equal(t, 429, write().status)
		require.Equal(t, 2, s.Counts().Throttled)
		require.Equal(t, 3199, s.Counts().Writes["PATCH /users/{id}"])
	})
}

func TestHammeringKeepsTheBucketEmpty(t *testing.T) {
	for _, free := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Switches: graphsim.Switches{FreeRejections: free},
				Limits: &graphsim.Limits{Writes: 10, WriteWindow: 10 * time.Second}})
			ok := 0
			for i := range 100 { // 4 a second where 1 is allowed
				if s.do("DELETE", "/users/"+strconv.Itoa(i), nil).status == 404 {
					ok++
				}
				time.Sleep(250 * time.Millisecond)
			}
			if free {
				require.InDelta(t, 35, ok, 2, "10 at once and one a second")
			} else {
				require.InDelta(t, 13, ok, 2, "what is refused still accrues")
			}
		})
	}
}

func TestWhoObeysRetryAfterGetsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Limits: &graphsim.Limits{Writes: 3, WriteWindow: time.Minute}})
		for i := range 20 {
			a := s.do("DELETE", "/users/x", nil)
			if a.status == 429 {
				seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
				require.NoError(t, err)
				time.Sleep(time.Duration(seconds) * time.Second)
				require.Equal(t, 404, s.do("DELETE", "/users/x", nil).status, i)
			}
			time.Sleep(time.Duration(i) * 700 * time.Millisecond)
		}
	})
}

func TestResourceUnitsFollowSizeAndQuery(t *testing.T) {
	s := open(t, nil)
	for path, units := range map[string]string{
		"/users": "2", "/users?$select=id": "1", "/users?$top=10": "1", "/users?$top=10&$select=id": "1", "/users?$top=20": "2",
		"/domains": "1", "/organization": "1",
	} {
		require.Equal(t, units, s.do("GET", path, nil).header.Get("x-ms-resource-unit"), path)
	}
	for users, limit := range map[int]int{0: 3500, 50: 5000, 501: 8000} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Limits: graphsim.MicrosoftLimits()})
			s.client.Transport = s.Transport() // thousands of equal exchanges need no checking
			for i := range users {
				_, err := s.AddUser(props{"userPrincipalName": fmt.Sprintf("u%d@contoso.com", i)})
				require.NoError(t, err)
			}
			n := 0
			for ; ; n++ {
				a := s.do("GET", "/users/none", nil)
				if a.status == 429 {
					require.Equal(t, "ResourceUnitLimitExceeded", a.header.Get("x-ms-throttle-information"))
					break
				}
			}
			require.Equal(t, limit, n)
		})
	}
}

func TestTenantQuotaIsSharedByApplications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Limits: graphsim.MicrosoftLimits()})
		s.UseQuota(17999)
		other := "Bearer " + s.AddApp(graphsim.App{})
		require.Equal(t, 404, s.do("DELETE", "/users/x", nil, "Authorization", other).status)
		a := s.do("DELETE", "/users/x", nil)
		require.Equal(t, 429, a.status)
		require.Contains(t, a.header.Get("x-ms-throttle-scope"), "Tenant/Write/")
		time.Sleep(time.Second)
		require.Equal(t, 404, s.do("DELETE", "/users/x", nil).status)
	})
}

func TestEachPartOfABatchIsCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Limits: &graphsim.Limits{Writes: 5, WriteWindow: 100 * time.Second}})
		var parts []props
		for i := range 8 {
			parts = append(parts, part(fmt.Sprint(i), "POST", "/users", person(fmt.Sprintf("u%d@contoso.com", i))))
		}
		got, _ := s.do("POST", "/$batch", batchOf(parts...)).parts(t)
		by := map[any]int{}
		for _, p := range got {
			by[p["status"]]++
			if p["status"] == 429. {
				require.Equal(t, "20", p["headers"].(props)["Retry-After"])
				require.Equal(t, "WriteLimitExceeded", p["headers"].(props)["x-ms-throttle-information"])
			}
		}
		require.Equal(t, map[any]int{201.: 5, 429.: 3}, by)
		require.Equal(t, 5, s.Size())
	})
}

func TestRetryAfterSwitches(t *testing.T) {
	for want, sw := range map[string]graphsim.Switches{
		"": {NoRetryAfter: true}, "2": {}, "1.429": {FractionalRetryAfter: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			sw.ThrottleCode = "Request_ThrottledTemporarily"
			s := bubble(t, &graphsim.Options{Switches: sw, Limits: &graphsim.Limits{Writes: 7, WriteWindow: 10 * time.Second}})
			for range 7 {
				s.do("DELETE", "/users/x", nil)
			}
			a := s.do("DELETE", "/users/x", nil)
			code, _ := a.fault()
			require.Equal(t, want, a.header.Get("Retry-After"))
			require.Equal(t, "Request_ThrottledTemporarily", code)
		})
	}
}
