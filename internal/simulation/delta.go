package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

const (
	// mostLag is the most that a delta lags: the engine relies on a quarter of
	// an hour.
	mostLag = 14 * time.Minute

	tokenLife = 7 * 24 * time.Hour
)

// A happening is that something became of an account.
type happening struct {
	id    target.ID
	at    time.Time
	group bool
	to    target.ID // to whom it refers, or doesn't any more
}

// An earlier is what an account was before it was changed last.
type earlier struct {
	attrs   map[string][]string
	refs    map[target.ID]bool
	deleted time.Time
	until   time.Time
}

// changing is called before an account is changed, whoever does it.
func (t *tenant) changing(a *account) {
	if now := time.Now(); a.was == nil || !now.Equal(a.was.until) {
		a.was = &earlier{maps.Clone(a.attrs), maps.Clone(a.refs), a.deleted, now}
	}
	t.history = append(t.history, happening{id: a.id, at: time.Now(), group: a.group})
}

// lagging is how old what a delta or a look at an account shows may be.
func (t *tenant) lagging() time.Duration { return min(t.lag, mostLag) }

// stale returns the account as some replica has it: as it was, for a while.
func (t *tenant) stale(a *account) *account {
	if a.was == nil || !time.Now().Before(a.was.until.Add(t.lagging())) {
		return a
	}
	h := fnv.New32a()
	fmt.Fprint(h, t.seed, a.id, time.Now().UnixNano())
	if h.Sum32()%2 == 0 {
		return a
	}
	old := *a
	old.attrs, old.refs, old.deleted = a.was.attrs, a.was.refs, a.was.deleted
	return &old
}

func (t *tenant) token(n int) target.Token {
	return target.Token(fmt.Sprintf("%d.%d.%d", t.timeline, n, time.Now().Unix()))
}

func (t *caller) Latest(ctx context.Context, _ target.Kind) (target.Token, error) {
	if err := t.ask(ctx, "delta"); err != nil {
		return "", err
	}
	return t.w.tenant.token(t.w.tenant.told()), nil
}

// told is how much of the history everybody can see.
func (t *tenant) told() int {
	n := len(t.history)
	for n > 0 && time.Now().Before(t.history[n-1].at.Add(t.lagging())) {
		n--
	}
	return n
}

func (t *caller) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		if err := t.ask(ctx, "delta"); err != nil {
			yield(target.DeltaEvent{}, err)
			return
		}
		tn := t.w.tenant
		var timeline, from int
		var issued int64
		fmt.Sscanf(string(token), "%d.%d.%d", &timeline, &from, &issued)
		if timeline != tn.timeline || time.Since(time.Unix(issued, 0)) > tokenLife || from > len(tn.history) {
			t.w.hit("T-13")
			yield(target.DeltaEvent{}, target.ErrTokenExpired)
			return
		}
		to := tn.told()
		from = min(from, to)
		if from > 0 && (from+len(tn.history))%3 == 0 {
			from-- // a replay
		}
		for i, h := range tn.history[from:] {
			if from+i >= to && i%2 == 0 {
				continue // some replicas don't know of it yet
			}
			if i == t.run.deltaCut && t.run.deltaCut > 0 {
				yield(target.DeltaEvent{}, sentinels["unavailable"])
				return
			}
			ev, ok := tn.event(h)
			if !ok || ev.Object.Kind != kind {
				continue
			}
			if !yield(ev, nil) {
				return
			}
		}
		yield(target.DeltaEvent{Op: target.Checkpoint, Token: tn.token(to)}, nil)
	}
}
