package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func TestAccountsExpireInTimeAndNamesChangeTheirCase(t *testing.T) {
	w := newWorld(t)
	rules, _ := mapping.New(&mapping.Options{ExpiredIsDisabled: true})
	w.opt.Mapper = rules
	w.eng = w.engine(w.src, w.tgt, w.store)
	at := time.Now().Add(1500 * time.Millisecond)
	ft := fmt.Sprint((at.Unix()+11_644_473_600)*10_000_000 + int64(at.Nanosecond()/100))
	id := w.person("ann", "contoso.com", "accountExpires", ft, "mail", "ann@contoso.com")
	w.sync()
	w.set(id, "userPrincipalName", "Ann@contoso.com")
	w.set(id, "mail", "ANN@contoso.com")
	require.Equal(t, 1, w.sync().Updated)
	require.Equal(t, []string{"Ann@contoso.com"}, w.upns())
	require.Equal(t, "ANN@contoso.com", w.account("ann@contoso.com").Attributes.First("mail"))
	w.set(id, "title", "x")
	w.sync()
	time.Sleep(1700 * time.Millisecond)
	require.Equal(t, 1, w.sync().Disabled)
	w.mustRest()
}

// short results
type shortTarget struct{ *memtarget.Target }

func (t shortTarget) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result { return nil }

type longTarget struct{ *memtarget.Target }

func (t longTarget) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	return append(t.Target.ApplyBatch(ctx, cs), target.Result{}, target.Result{})
}

func TestATargetThatGivesTooManyResultsBreaksNothing(t *testing.T) {
	w := newWorld(t)
	w.people(3)
	require.NotPanics(t, func() { w.engine(w.src, longTarget{w.tgt}, w.store).Sync(t.Context(), nil) })
}

func TestATargetThatGivesTooFewResultsBreaksNothing(t *testing.T) {
	w := newWorld(t)
	w.people(3)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	w.opt.Grace = -1
	start := time.Now()
	w.engine(w.src, shortTarget{w.tgt}, w.store).Sync(ctx, nil)
	require.Less(t, time.Since(start), time.Second, "ApplyAll asks for ever")
}

// plain source and target: no abilities
type plainSource struct{ s source.Source }

func (p plainSource) Name() string { return p.s.Name() }
func (p plainSource) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return p.s.All(ctx)
}

type plainTarget struct{ t target.Target }

func (p plainTarget) Name() string { return p.t.Name() }
func (p plainTarget) Current(c context.Context) iter.Seq2[target.Object, error] {
	return p.t.Current(c)
}
func (p plainTarget) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	return p.t.Apply(ctx, c)
}

func TestEnginesWorkWithoutOptionalAbilities(t *testing.T) {
	w := newWorld(t)
	w.tgt.VerifyDomain("corp.local")
	eng := w.engine(plainSource{w.src}, plainTarget{w.tgt}, w.store)
	ids := w.people(10)
	_, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	w.set(ids[0], "userPrincipalName", "p001@contoso.com")
	w.set(ids[1], "userPrincipalName", "p000@contoso.com")
	w.src.MoveOut(ids[2])
	w.src.Remove(ids[3])
	rep, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	t.Log(codes(rep), rep.Updated, rep.Deleted, rep.Disabled)
	rep, err = eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, rep.Changed())
	require.Equal(t, 10, w.tgt.Len())
}

// DeleteOnLeave at a target without a bin
func TestWithoutABinWhoComesBackGetsANewAccount(t *testing.T) {
	w := newWorld(t)
	eng := w.engine(w.src, plainTarget{w.tgt}, w.store)
	ids := w.people(3)
	eng.Sync(t.Context(), nil)
	w.src.Remove(ids[0])
	rep, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, rep.Deleted)
	w.person("p000", "contoso.com", "sAMAccountName", "new")
	w.src.Undelete(ids[0])
	w.set(ids[0], "userPrincipalName", "old@contoso.com")
	rep, err = eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 2, rep.Created)
	require.Empty(t, rep.Problems)
}

// cancelled: a conflict's look-up outlives the grace
type slowFind struct {
	*memtarget.Target
	after context.CancelFunc
}

func (s slowFind) Find(ctx context.Context, k target.Kind, keys []target.Key) ([][]target.Object, error) {
	if len(keys) == 1 && keys[0].UserPrincipalName != "" {
		s.after()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
	return s.Target.Find(ctx, k, keys)
}

func TestLookUpsEndWithTheGraceAfterACancel(t *testing.T) {
	w := newWorld(t)
	a := w.person("ann", "contoso.com")
	w.sync()
	w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "displayName": {"B"}}})
	w.set(a, "userPrincipalName", "boss@contoso.com")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.opt.Grace = -1
	start := time.Now()
	_, err := w.engine(w.src, slowFind{w.tgt, cancel}, w.store).Sync(ctx, nil)
	require.True(t, errors.Is(err, context.Canceled), err)
	require.Less(t, time.Since(start), time.Second)
}

var _ = dirsync.Full
