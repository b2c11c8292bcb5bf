package simulation

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A world is where one schedule happens.
type world struct {
	scoped      int          // which scope is configured
	scopesUsed  map[int]bool // that ever was
	circled     int          // the groups by which it goes
	circlesUsed map[int]bool

	seed    uint64
	config  Config
	random  *rand.Rand // for what the schedule leaves open, such as an order
	dir     *directory
	image   *directory // of the domain controller, taken earlier
	second  *directory // another domain controller, behind
	tenant  *tenant
	disk    *disk
	backup  *backup
	journal *audit.MemorySink
	made    map[string]int  // writes that the tenant accepted
	inDoubt map[string]bool // anchors of accounts that were asked for in doubt, and not shown
	oracle  *oracle

	leaving    plan.Leaving
	policy     plan.Policy
	policies   map[plan.Leaving]bool // that were ever in force
	rules      int                   // which version
	ruled      bool                  // version 1 was ever in force
	anchors    map[int][]string      // of a person: what it could have been seen with
	numbers    map[string][]int      // the opposite
	timelines  int
	blinded    bool // a complete read didn't show everybody
	rolledBack bool // the state was
	unnoticed  bool // a restored domain controller wasn't noticed
	rough      bool // something went wrong, or somebody laid hands on the tenant
	touched    map[string]bool
	edits      map[string]int                   // what administrators wrote to values of ours, and how often
	purgedAway map[int]target.ID                // persons whose account they deleted for good
	takenAway  map[int]target.ID                // persons whose account an administrator deleted and the engine is to bring back
	unseen     map[string]bool                  // names of accounts that an administrator deleted
	purged     map[int]bool                     // persons whose tombstone is gone
	lost       map[int]bool                     // persons whose account an administrator purged
	binned     map[int]bool                     // persons whose account an administrator deleted
	took       map[target.ID]map[target.ID]bool // members of ours that an adopted group had
	given      map[target.ID]int                // whose an account is that was adopted
	file       []dirsync.Match                  // what was proposed last
	needsRetry bool                             // something was refused that only a retry brings back
	saidRefs   map[[2]source.ID]bool            // references that the directory ever told
	unsaid     map[[2]int]bool                  // that it ever ended, by whatever
	rebound    map[target.ID]bool               // accounts that moved to another object
	refEdits   map[binding]int                  // references that administrators changed, and how often

	heldBy map[[2]string]bool // by object and directory: what that said of it last

	step  int
	runs  int
	log   bytes.Buffer // of the engine
	trace *strings.Builder
	sum   uint64
	marks Marks
}

// A backup is a copy of the store, and of what the oracle knew then.
type backup struct {
	disk   *disk
	oracle oracleState
	tenant map[target.ID]account
}

// A runState is what goes wrong in one run.
type runState struct {
	looked              map[target.ID]time.Time // by ID: when it was last asked for
	number              int
	dry, dead, fullRead bool
	forgets             bool // keeps nothing of what it is told
	stale, blind        bool
	halfBlind, shuffle  bool
	dim, amid           int       // references: which that are, and what stops amid them
	ended               time.Time // when that was
	noCheckpoint        bool
	findFails           bool
	shortReply          bool
	expired, cutErr     error
	down                int // the number of the directory, from 1
	cutAfter            int
	readFails, diskFull int
	commits, writes     int
	innocent, proves    bool // it planned no removal, and that is durable
	slow, loseReplies   int
	deltaCut            int // the event of a delta before which it breaks off
	commitFault         map[int]string
	writeFault          map[int]Fault
	readErr             map[string]error
	between             func()
	events, stopAt      int
	toldNow             map[source.ID]bits // last word of this run
	began               time.Time
	appends             int
	refused             int // changes of this run
	auditFault          Fault
	asked, askedLast    time.Time          // who is protected: first, and last
	showed              map[target.ID]bool // accounts as another tool's
	just                map[string]bool    // anchors of those that it is about; nil for all
}

func newWorld(s *Schedule) *world {
	w := &world{
		seed: s.Seed, config: s.World, random: rand.New(rand.NewPCG(s.Seed, 7)),
		dir: newDirectory(), tenant: newTenant(s.Seed), disk: newDisk(), journal: &audit.MemorySink{}, made: map[string]int{}, inDoubt: map[string]bool{},
		leaving: plan.Leaving(s.World.Leaving), policies: map[plan.Leaving]bool{}, anchors: map[int][]string{}, numbers: map[string][]int{},
		touched: map[string]bool{}, edits: map[string]int{}, takenAway: map[int]target.ID{}, purgedAway: map[int]target.ID{}, unseen: map[string]bool{}, purged: map[int]bool{}, lost: map[int]bool{}, binned: map[int]bool{}, given: map[target.ID]int{}, took: map[target.ID]map[target.ID]bool{}, rebound: map[target.ID]bool{}, marks: Marks{},
		saidRefs: map[[2]source.ID]bool{}, unsaid: map[[2]int]bool{}, heldBy: map[[2]string]bool{}, refEdits: map[binding]int{},
		sum: 14695981039346656037,
	}
	w.tenant.lag = time.Duration(s.World.Lag) * time.Second
	w.tenant.normalise = s.World.Normalise
	w.tenant.most = s.World.Most
	w.policies[w.leaving] = true
	w.scopesUsed, w.circlesUsed = map[int]bool{0: true}, map[int]bool{0: true}
	if s.World.Units {
		w.dir.build(s.Seed)
	}
	w.oracle = newOracle(w)
	return w
}

// logf adds a line to the trace, which costs time and is usually off.
func (w *world) logf(format string, args ...any) {
	if w.trace != nil {
		line := fmt.Sprintf(format, args...)
		w.trace.WriteString(line)
		w.trace.WriteByte('\n')
		h := fnv.New64a()
		h.Write([]byte(line))
		w.note(h.Sum64())
	}
}

// note adds to the fingerprint of what happened.
func (w *world) note(x uint64) { w.sum = (w.sum ^ x) * 1099511628211 }

func (w *world) hit(mark string) { w.marks[mark]++ }

// die ends the process of r: nothing that it still does has an effect.
func (w *world) die(r *runState, format string, args ...any) {
	r.dead = true
	w.logf("    the process dies "+format, args...)
}

// who tells people whose anchor it is.
func (w *world) who(anchor string) string {
	if n := w.numbers[anchor]; len(n) > 0 {
		return fmt.Sprint("p", n)
	}
	return anchor
}

// shuffled are events in another order, some of them twice.
func (w *world) shuffled(list []source.Event) []source.Event {
	out := make([]source.Event, 0, 2*len(list))
	for _, ev := range list {
		if out = append(out, ev); w.random.IntN(3) == 0 {
			out = append(out, ev)
		}
	}
	w.random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// engine is a new process with the configuration as it is now.
func (w *world) engine(r *runState) (*dirsync.Engine, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	mo := &mapping.Options{}
	if w.config.Sorts {
		mo.Microsoft365 = isTeam
	}
	if w.rules == 1 {
		mo.Version = "1"
		mo.Skip = func(o source.Object) string {
			if o.Attributes.First("title") == skipTitle {
				return "by rule"
			}
			return ""
		}
	}
	rules, err := mapping.New(mo)
	if err != nil {
		panic(err)
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	opt := &dirsync.Options{
		Mapper: rules, Scope: w.circle(w.scope(w.scoped)), Leaving: w.leaving, Policy: w.policy, Limits: w.limits(), Parallel: w.config.Parallel,
		Grace: seconds(w.config.Grace), Patience: seconds(w.config.Patience),
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Drift:  dirsync.DriftPolicy(w.config.Drift),
		OnEvent: func(e dirsync.Event) {
			if r.events++; r.events == r.stopAt {
				w.logf("    cancelled at event %d", r.events)
				cancel()
			}
			w.heard(r, e)
		},
	}
	if w.config.Audit {
		opt.Audit = []audit.Sink{&journal{w, r}}
	}
	first := &reader{w, r, 0}
	if w.config.Two {
		first, opt.Name, opt.MoveWait = w.sources(r, opt), sideNames[0], cmp.Or(seconds(w.config.MoveWait), -1)
	}
	eng, err := dirsync.New(first, &caller{w, r}, &store{w, r}, opt)
	if err != nil {
		panic(err)
	}
	return eng, ctx, cancel
}

func (w *world) limits() plan.Limits {
	l := plan.Unlimited()
	if w.config.Removals > 0 {
		l.Removals = plan.Limit{Count: w.config.Removals, Percent: -1}
	}
	if !w.oracle.calm {
		l.Rescoped = plan.Limit{}
	}
	return l
}

// heard takes note of what the engine says it does.
func (w *world) heard(r *runState, e dirsync.Event) {
	switch e := e.(type) {
	case dirsync.Planned:
		w.oracle.believe(r)
		r.innocent = r.just == nil && e.Counts.Removals == 0
		w.logf("    planned round %d: %+v", e.Round, e.Counts)
		if e.Round > 0 {
			w.hit("rounds")
		}
	case dirsync.Applied:
		w.meantFor(e)
		if e.Repeat && e.Err == nil && e.Change.Op == target.Create {
			w.oracle.found(e.Object.ID)
		}
	case dirsync.Read:
		w.logf("    read %s %s %d", e.Mode, e.Reason, e.Read)
	}
}

// sync makes one run.
func (w *world) sync(r *runState, full, retry bool) (*dirsync.Report, error) {
	return w.start(r, func(ctx context.Context, eng *dirsync.Engine) (*dirsync.Report, error) {
		return eng.Sync(ctx, &dirsync.Request{Full: full, Retry: retry})
	})
}

// start makes a run of any sort.
func (w *world) start(r *runState, run func(context.Context, *dirsync.Engine) (*dirsync.Report, error)) (*dirsync.Report, error) {
	w.runs++
	r.number, r.began = w.runs, time.Now()
	r.toldNow = map[source.ID]bits{}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	w.oracle.begin(r)
	rep, err := run(ctx, eng)
	if w.oracle.clean = 0; !r.dead && len(r.commitFault) == 0 && r.diskFull+r.readFails == 0 {
		w.oracle.clean = r.number
	}
	r.dead = true // what is left of it does no more
	w.logf("  run %d: %s read %d, created %d, updated %d, disabled %d, deleted %d, restored %d, held back %d, writes %d, problems %v: %v",
		r.number, rep.Mode, rep.Read, rep.Created, rep.Updated, rep.Disabled, rep.Deleted, rep.Restored, rep.HeldBack, rep.Writes, problems(rep), err)
	w.oracle.end(r, rep, err)
	if err == nil && w.oracle.clean == r.number {
		w.oracle.learned(r)
	}
	return rep, err
}

func problems(rep *dirsync.Report) (codes []string) {
	for _, p := range rep.Problems {
		codes = append(codes, fmt.Sprintf("%.8s:%s:%s", p.Object, p.Code, p.Attribute))
	}
	return codes
}

// preview makes a plan and mustn't write.
func (w *world) preview(full bool) {
	w.runs++
	r := &runState{number: w.runs, began: time.Now(), dry: true, toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	p, err := eng.Plan(ctx, &dirsync.Request{Full: full})
	r.dead = true
	w.logf("  plan: %v", err)
	if r.writes > 0 {
		w.oracle.complain("I2", "a plan wrote to the target")
	}
	if err == nil && p.Approval != nil && !w.oracle.words.plans[p.Hash] {
		w.oracle.complain("I8", "a plan has an approval that nobody gave")
	}
	if err == nil && p.Counts.Total() > 0 {
		w.hit("plan")
	}
}

// accountOf is the live account made for a person, nil if there is none.
func (w *world) accountOf(num int) *account {
	for _, a := range w.tenant.sorted(true) {
		if w.given[a.id] == num && num != 0 && a.anchor == "" && w.oracle.mine[a.id] {
			return a
		}
	}
	for _, anchor := range w.anchors[num] {
		if a := w.tenant.holder(target.AttrAnchor, anchor); a != nil && a.foreign == "" {
			return a
		}
	}
	return nil
}

// A Result is what became of a schedule.
type Result struct {
	Violation *Violation
	Hash      uint64 // of all that happened
	Runs      int
	Rest      int // calm runs until it came to rest
	Marks     Marks
	Trace     string // if it was asked for
}

// Run carries a schedule out. Call it in a bubble of testing/synctest, where it
// takes no time. With trace, the result tells the story.
func Run(s *Schedule, trace bool) (res Result) {
	w := newWorld(s)
	if trace {
		w.trace = &strings.Builder{}
	}
	defer func() {
		if p := recover(); p != nil {
			w.oracle.complain("panic", "%v", p)
		}
		res.Marks, res.Hash, res.Runs = w.marks, w.sum, w.runs
		if len(w.oracle.wrong) > 0 {
			res.Violation = &w.oracle.wrong[0]
			res.Violation.All = w.oracle.wrong[1:]
		}
		if trace {
			res.Trace = w.trace.String()
		}
	}()
	for i := range s.Steps {
		w.step = i + 1
		w.logf("%d %s", i+1, s.Steps[i].String())
		w.do(&s.Steps[i])
		if len(w.oracle.wrong) > 0 {
			return res
		}
	}
	w.step = 0
	res.Rest = w.calm()
	if w.tenant.normalised > 0 {
		w.hit("T-15")
	}
	return res
}
