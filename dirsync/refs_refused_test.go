package dirsync_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A moody target gives other errors for references than it has.
type moody struct {
	*memtarget.Target
	change func(c *target.Change) map[target.ID]error // what it doesn't do of c, and why
}

func (m moody) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	if c.Op != target.Refer {
		return m.Target.Apply(ctx, c)
	}
	refused := m.change(&c)
	o, err := m.Target.Apply(ctx, c)
	if err == nil && len(refused) > 0 {
		err = &target.RefsError{Refused: refused}
	}
	return o, err
}

func (m moody) ApplyBatch(ctx context.Context, cs []target.Change) (out []target.Result) {
	for _, c := range cs {
		o, err := m.Apply(ctx, c)
		out = append(out, target.Result{Object: o, Err: err})
	}
	return out
}

// A target that asks to slow down amid a change of references refuses none of
// them: the run's writing ends, and the next run goes on where it stopped.
func TestATargetThatCannotBeWrittenAmidAChangeOfReferencesEndsTheRun(t *testing.T) {
	for _, sentinel := range []error{target.ErrThrottled, target.ErrUnavailable, target.ErrUnauthenticated} {
		t.Run(sentinel.Error(), func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.opt.Limits = plan.Unlimited() })
			ids := w.people(60)
			g := w.group("staff", ids...)
			w.sync()
			calls := 0
			sick := moody{w.tgt, func(c *target.Change) map[target.ID]error {
				calls++
				refused := map[target.ID]error{}
				for _, id := range c.Refs.Remove[1:] {
					refused[id] = &target.Error{Sentinel: sentinel}
				}
				c.Refs = &target.Refs{Attribute: c.Refs.Attribute, Remove: c.Refs.Remove[:1]}
				return refused
			}}
			w.src.Unrefer(g, "member", ids[:40]...)
			rep, err := w.engine(w.src, sick, w.store).Sync(t.Context(), nil)
			require.ErrorIs(t, err, sentinel)
			require.Empty(t, rep.Problems, "no reference is to blame")
			require.Equal(t, 1, calls)
			require.Equal(t, 1, rep.MembersRemoved)
			require.Equal(t, 39, w.sync().MembersRemoved, "at once, without waiting a minute for each")
			w.mustRest()
		})
	}
}

// A process that didn't make the account itself has no other way to know that it
// is new: it isn't gone.
func TestAMemberThatIsNewIsNotGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ids := w.people(3)
		g := w.group("staff", ids[0])
		w.sync()
		young := w.account("p001@contoso.com").ID
		lag := moody{w.tgt, func(c *target.Change) map[target.ID]error {
			if len(c.Refs.Add) == 1 && c.Refs.Add[0] == young {
				c.Refs = &target.Refs{Attribute: c.Refs.Attribute}
				return map[target.ID]error{young: &target.Error{Sentinel: target.ErrNotFound, Err: errors.New("does not exist")}}
			}
			return nil
		}}
		time.Sleep(time.Minute)
		w.src.Refer(g, "member", ids[1])
		e := w.engine(w.src, lag, w.store)
		rep, err := e.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, []string{"reference-refused"}, codes(rep))
		time.Sleep(20 * time.Minute)
		rep, err = e.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Contains(t, codes(rep), "missing-at-target", "by now it should be shown")
	})
}
