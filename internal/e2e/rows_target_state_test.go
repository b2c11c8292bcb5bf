package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// What the cloud alone knows of a person survives, too.
func TestT08_ADeletedPersonComesBackAsTheSameAccountWithAllThatItHad(t *testing.T) {
	inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
		ids := w.people(3)
		w.sync()
		before := w.account("p001@contoso.com")
		require.NoError(t, w.tenant.SetUser(before.ID, map[string]any{"passwordPolicies": "DisablePasswordExpiration"}))
		before = w.account("p001@contoso.com")
		w.src.Remove(ids[1])
		require.Equal(t, 1, w.sync().Deleted)
		time.Sleep(29 * 24 * time.Hour)
		w.src.Undelete(ids[1])
		rep := w.sync()
		require.Equal(t, 1, rep.Restored)
		require.Zero(t, rep.Created)
		after := w.account("p001@contoso.com")
		require.Equal(t, before.ID, after.ID)
		require.Equal(t, before.Properties, after.Properties)
		w.rest()
	})
}

func TestT09_AnAccountThatSomebodyDeletedInTheCloudIsRestoredAndNotMadeAgain(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Minute} {
		inOffice(t, graphsim.Options{Lag: lag, Switches: graphsim.Switches{LagDeletes: lag > 0}}, func(t *testing.T, w *office) {
			ids := w.people(5)
			w.sync()
			time.Sleep(time.Hour)
			was := w.account("p002@contoso.com").ID
			require.NoError(t, w.tenant.DeleteUser(was))
			w.set(ids[2], "title", "Deleted by somebody")
			for range 5 {
				w.sync()
				time.Sleep(30 * time.Minute)
			}
			is := w.account("p002@contoso.com")
			require.Equal(t, was, is.ID)
			require.Equal(t, "Deleted by somebody", is.Get("jobTitle"))
			require.Equal(t, 5, w.tenant.Counts().Writes["POST /users"], "nobody was made again")
			w.rest()

			// For good: that is reported, once, and not made again either.
			require.NoError(t, w.tenant.PurgeUser(was))
			w.set(ids[2], "title", "Purged by somebody")
			w.set(ids[3], "title", "Goes on")
			for range 5 {
				require.Equal(t, []string{"missing-at-target"}, problems(w.sync()))
				time.Sleep(24 * time.Hour)
			}
			require.Equal(t, "Goes on", w.account("p003@contoso.com").Get("jobTitle"))
			require.Equal(t, 5, w.tenant.Counts().Requests["POST /users"])
		})
	}
}

func TestT10_NamesFollowTheVerifiedDomainsAndNothingElse(t *testing.T) {
	inOffice(t, graphsim.Options{Domains: []string{"fabrikam.com"}}, func(t *testing.T, w *office) {
		w.people(4)
		w.person("fay", "fabrikam.com")
		w.person("lou", "corp.local")
		w.sync()
		own := []string{"fay@fabrikam.com", "lou@" + initialDomain, "p000@contoso.com", "p001@contoso.com", "p002@contoso.com", "p003@contoso.com"}
		require.Equal(t, own, w.upns())
		for range 3 {
			w.tenant.RemoveDomain("fabrikam.com")
			require.Equal(t, 1, w.sync().Updated, "nobody but who is affected")
			require.Contains(t, w.upns(), "fay@"+initialDomain)
			w.rest()
			w.tenant.VerifyDomain("fabrikam.com")
			require.Equal(t, 1, w.sync().Updated)
			require.Equal(t, own, w.upns())
			w.rest()
		}
		w.tenant.VerifyDomain("corp.local") // newly verified
		require.Equal(t, 1, w.sync().Updated)
		require.Contains(t, w.upns(), "lou@corp.local")
		w.rest()
	})
}

// A domain that goes away between the look at the list and the write.
func TestT10_ADomainThatGoesAwayInTheMiddleOfARunMeansTheFallback(t *testing.T) {
	inOffice(t, graphsim.Options{Domains: []string{"fabrikam.com"}}, func(t *testing.T, w *office) {
		w.people(2)
		w.person("fay", "fabrikam.com")
		w.tenant.SetFault(func(op graphsim.Op) *graphsim.Fault {
			if op.Kind == "POST /users" {
				w.tenant.RemoveDomain("fabrikam.com")
			}
			return nil
		})
		w.sync()
		w.tenant.SetFault(nil)
		w.sync()
		require.Contains(t, w.upns(), "fay@"+initialDomain)
		w.rest()
	})
}

// everyTenMinutes runs every ten minutes for a day and returns how many writes were tried.
func everyTenMinutes(w *office) int {
	before := w.writes()
	for range 144 {
		w.sync()
		time.Sleep(10 * time.Minute)
	}
	return w.writes() - before
}

func TestT11_AConflictWithAnAccountThatIsntOursIsReportedAndNotFought(t *testing.T) {
	inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
		boss, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "boss@contoso.com", "mail": "boss@contoso.com"})
		require.NoError(t, err)
		ids := w.people(3)
		newcomer := w.person("boss", "contoso.com")
		rep := w.sync()
		require.Equal(t, []string{"conflict-unowned"}, problems(rep))
		require.Equal(t, boss.ID, rep.Problems[0].Holder)
		require.Zero(t, everyTenMinutes(w), "nothing is tried that can't succeed")

		w.src.Remove(newcomer)
		w.set(ids[0], "userPrincipalName", "Boss@contoso.com")
		w.set(ids[0], "mail", "boss@contoso.com")
		w.set(ids[0], "title", "Impostor")
		w.sync()
		require.Equal(t, "Impostor", w.account("p000@contoso.com").Get("jobTitle"), "the rest goes on")
		require.LessOrEqual(t, everyTenMinutes(w), 12, "a minute, then twice as long each time")
		now, _ := w.tenant.User(boss.ID)
		require.Equal(t, boss, now)

		// It becomes free.
		require.NoError(t, w.tenant.DeleteUser(boss.ID))
		everyTenMinutes(w)
		require.Contains(t, w.upns(), "Boss@contoso.com")
		w.rest()
	})
}

// The tenant refuses what no look-up shows, for as long as the conflict lasts.
func TestT11_ARefusalThatNoLookUpExplainsIsTriedLessAndLess(t *testing.T) {
	inOffice(t, graphsim.Options{Switches: graphsim.Switches{DeletedUPNBlocks: true}}, func(t *testing.T, w *office) {
		gone, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "gone@contoso.com"})
		require.NoError(t, err)
		require.NoError(t, w.tenant.DeleteUser(gone.ID))
		ids := w.people(2)
		w.sync()
		w.set(ids[0], "userPrincipalName", "gone@contoso.com")
		require.LessOrEqual(t, everyTenMinutes(w), 12, "a minute, then twice as long each time")
		rep := w.sync()
		require.Equal(t, []string{"conflict-at-target"}, problems(rep))
		require.Contains(t, w.upns(), "p000@contoso.com")
	})
}

func TestT12_AFullTenantStopsCreatesAndNothingElse(t *testing.T) {
	inOffice(t, graphsim.Options{ObjectQuota: 25}, func(t *testing.T, w *office) {
		w.opt.Parallel = 1
		w.restart()
		ids := w.people(10)
		w.sync()
		for i := range 200 {
			w.person(fmt.Sprintf("new%03d", i), "contoso.com")
		}
		w.set(ids[0], "title", "Goes on")
		before := w.tenant.Counts()
		rep := w.sync()
		tried := w.tenant.Counts().Requests["POST /users"] - before.Requests["POST /users"]
		require.LessOrEqual(t, tried, 40, "the batch that met the end, and the one that was ready by then")
		require.Equal(t, "Goes on", w.account("p000@contoso.com").Get("jobTitle"))
		require.NotEmpty(t, rep.Problems)
		for _, p := range rep.Problems {
			require.Equal(t, "quota", p.Code)
		}
		require.LessOrEqual(t, len(rep.Problems), 40, "no flood")
		require.Len(t, w.tenant.Users(), 25)
		before = w.tenant.Counts()
		everyTenMinutes(w)
		tried = w.tenant.Counts().Requests["POST /users"] - before.Requests["POST /users"]
		require.LessOrEqual(t, tried, 144*20, "a batch a run at most")
		require.Len(t, w.tenant.Users(), 25)
	})
}

func TestT12_ADeletedAccountThatStillHoldsANameIsAConflictOfItsOwn(t *testing.T) {
	inOffice(t, graphsim.Options{Switches: graphsim.Switches{DeletedUPNBlocks: true}}, func(t *testing.T, w *office) {
		gone, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "ann@contoso.com"})
		require.NoError(t, err)
		require.NoError(t, w.tenant.DeleteUser(gone.ID))
		w.people(3)
		w.person("ann", "contoso.com")
		rep := w.sync()
		require.Equal(t, []string{"conflict-at-target"}, problems(rep), "which isn't the quota")
		require.Len(t, w.tenant.Users(), 3)
		require.LessOrEqual(t, everyTenMinutes(w), 12)
		require.NoError(t, w.tenant.PurgeUser(gone.ID))
		everyTenMinutes(w)
		require.Contains(t, w.upns(), "ann@contoso.com")
		w.rest()
	})
}

// A fileSecret is a credential whose secret lies in a file: what a process read
// may be out of date. Its token is good while Graph says so.
type fileSecret struct{ read, valid, token *string }

func (f fileSecret) open() (azcore.TokenCredential, error) { return heldSecret{*f.read, f}, nil }

type heldSecret struct {
	secret string
	file   fileSecret
}

func (h heldSecret) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if h.secret != *h.file.valid {
		return azcore.AccessToken{}, &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: 401,
			Body: io.NopCloser(bytes.NewReader(nil)), Request: &http.Request{URL: &url.URL{}}}}
	}
	return azcore.AccessToken{Token: *h.file.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestT14_AnExpiredSecretIsOneErrorAndItsSuccessorIsReadWithoutARestart(t *testing.T) {
	inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
		secret := fileSecret{new("one"), new("one"), &w.token}
		tgt, err := graphtarget.New(initialDomain, graphtarget.Renewed(secret.open), &graphtarget.Options{
			Endpoint: "http://127.0.0.1/v1.0", HTTPClient: &http.Client{Transport: w.tenant.Transport()},
		})
		require.NoError(t, err)
		w.eng, err = dirsync.New(w.src, tgt, w.store, nil)
		require.NoError(t, err)
		ids := w.people(50)
		w.sync()
		for _, id := range ids {
			w.set(id, "title", "New")
		}
		*secret.valid = "two" // it expired, and the file still has the old one
		http := w.tenant.Counts().HTTP
		for range 20 {
			rep, err := w.try()
			require.ErrorIs(t, err, target.ErrUnauthenticated)
			require.NotContains(t, err.Error(), "\n", "one error")
			require.Empty(t, rep.Problems, "no object is to blame")
			time.Sleep(10 * time.Minute)
		}
		require.Equal(t, http, w.tenant.Counts().HTTP, "Graph was asked nothing")
		*secret.read = "two"
		time.Sleep(time.Minute)
		rep := w.sync()
		require.Equal(t, 50, rep.Updated, "nothing was put off, nothing lost")
		w.rest()
	})
}

// The access is taken away while writes are under way: the token, the consent,
// or by a policy.
func TestT14_AccessTakenAwayInTheMiddleOfARunBlamesNoObject(t *testing.T) {
	for name, refusal := range map[string]graphsim.Fault{
		"token revoked":      {Status: 401},
		"consent withdrawn":  {Status: 403},
		"conditional access": {Status: 403, Code: "AccessDenied", Message: "Blocked by Conditional Access."},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
				ids := w.people(120)
				w.sync()
				for _, id := range ids {
					w.set(id, "title", "New")
				}
				var mu sync.Mutex
				writes := 0
				w.tenant.SetFault(func(op graphsim.Op) *graphsim.Fault {
					mu.Lock()
					defer mu.Unlock()
					if op.Write {
						writes++
					}
					if writes > 30 {
						f := refusal
						return &f
					}
					return nil
				})
				done := 0
				for i := range 10 {
					requests := w.tenant.Counts().HTTP
					rep, err := w.try()
					require.Error(t, err)
					require.True(t, errors.Is(err, target.ErrUnauthenticated) || i > 0 && errors.Is(err, target.ErrForbidden), "%v", err)
					require.Empty(t, rep.Problems)
					require.Less(t, w.tenant.Counts().HTTP-requests, 20, "no hammering")
					done += rep.Updated
					time.Sleep(10 * time.Minute)
				}
				w.tenant.SetFault(nil)
				rep := w.sync()
				require.Equal(t, 120, done+rep.Updated, "nothing was put off, nothing lost")
				w.rest()
			})
		})
	}
}

func TestT15_ATargetThatNormalizesValuesIsWrittenToOnceForEachChange(t *testing.T) {
	inOffice(t, graphsim.Options{Switches: graphsim.Switches{TrimsValues: true}}, func(t *testing.T, w *office) {
		w.opt.Mapper = padding{w.rules()}
		w.restart()
		ids := w.people(5)
		w.sync()
		require.Equal(t, 5, w.writes())
		require.Equal(t, "Berlin", w.account("p000@contoso.com").Get("city"), "it isn't kept as it was sent")
		w.rest()
		w.set(ids[0], "title", "Lead")
		w.sync()
		require.Equal(t, 6, w.writes())
		w.rest()
		require.Zero(t, everyTenMinutes(w))

		// Somebody, or something, changes it back and forth behind our back: it is
		// put back, and who insists is reported, not fought.
		before := w.writes()
		var rep *dirsync.Report
		for i := range 5 {
			require.NoError(t, w.tenant.SetUser("p001@contoso.com", map[string]any{"mailNickname": fmt.Sprint("other", i)}))
			time.Sleep(time.Hour)
			rep = w.sync()
		}
		require.Equal(t, before+1, w.writes())
		require.Len(t, rep.Problems, 1)
		require.Equal(t, "drift-persists", rep.Problems[0].Code)
		w.rest()
	})
}
