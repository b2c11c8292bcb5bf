package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"
)

const description = `Keeps Office 365 in step with an on-premises Active Directory.

Exit codes: 0 done or nothing to do; 1 failed; 2 wrong usage or configuration; 3 done, but objects have problems that are new or still open; 4 halted by the guard, nothing written; 5 another instance uses the state; 10 changes are pending (plan --exit-code).`

// A commandLine is what kong makes of the arguments.
type commandLine struct {
	Sync    syncCommand      `cmd:"" help:"Make one run: a delta if possible, else everything."`
	Run     runCommand       `cmd:"" help:"Run until interrupted: at once, on schedule, and on SIGUSR1 (Unix)."`
	Plan    planCommand      `cmd:"" help:"Make the plan of what sync would do, print it, and keep it for approval. Nothing is written to the tenant."`
	Approve approveCommand   `cmd:"" help:"Let the plan that waits through, whatever the limits say: just its changes, once."`
	Reject  rejectCommand    `cmd:"" help:"Say no to the plan that waits: the changes for which it was halted are held back, the rest goes on."`
	Release releaseCommand   `cmd:"" help:"End holds: what was rejected or undone is planned again."`
	Match   matchCommand     `cmd:"" help:"Propose which accounts that exist belong to objects of the directory. Nothing is written."`
	Adopt   adoptCommand     `cmd:"" help:"Make exactly the accounts of the pairs in a file ours. Nothing is written to the tenant."`
	Undo    undoCommand      `cmd:"" help:"Plan the inverse of what a run did, and keep it for approval."`
	Runs    runsCommand      `cmd:"" help:"List the runs that are remembered."`
	History historyCommand   `cmd:"" help:"Tell what was done to an object and its account, when and why, from the audit log."`
	Audit   auditCommands    `cmd:"" help:"The audit log."`
	Version kong.VersionFlag `help:"Print the version and end."`
}

type auditCommands struct {
	Verify verifyCommand `cmd:"" help:"Find any edit or cut of the audit log."`
}

// A command is one of the above; do carries it out and returns the exit code.
type command interface {
	do(ctx context.Context, p *program) int
}

type outputFlag struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json. With json, standard output gets one document, also of a command that failed."`
}

func (o outputFlag) json() bool { return o.Output == "json" }

type configFlag struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration, a YAML file."`
}

type syncCommand struct {
	Full      bool     `xor:"what" help:"Read everything, not only what changed."`
	Only      []string `xor:"what,look" sep:"none" placeholder:"OBJECT" help:"Look at just this object: objectGUID, DN, userPrincipalName, sAMAccountName or mail. Can be repeated."`
	Reconcile bool     `xor:"look" help:"Look at all of our accounts in the tenant, not only at what the tenant says to have changed."`
	Approved  bool     `xor:"what,how,look" help:"Carry out just the plan that waits and is approved; what else there is to do waits."`
	DryRun    bool     `xor:"how" help:"Write nothing, not even to the state; print what would be changed, and why."`
	outputFlag
	configFlag
}

type runCommand struct{ configFlag }

type planCommand struct {
	Full     bool   `help:"Read everything, not only what changed."`
	Out      string `placeholder:"FILE" help:"Write the plan's changes to this file, too, as JSON lines; the SHA-256 of the file is the plan's hash."`
	ExitCode bool   `help:"End with code 10 if changes are pending."`
	outputFlag
	configFlag
}

// words are what whoever decides on a plan gives.
type words struct {
	Hash string `arg:"" help:"The plan's hash, or at least the first 12 characters of it."`
	By   string `placeholder:"NAME" help:"Who decides, for the audit; USER@HOST without it."`
}

type approveCommand struct {
	words
	For time.Duration `default:"24h" help:"How long the approval is good for."`
	outputFlag
	configFlag
}

type rejectCommand struct {
	words
	outputFlag
	configFlag
}

type releaseCommand struct {
	Objects []string `arg:"" optional:"" name:"object" help:"objectGUIDs, or names that the audit log knows; all holds without any."`
	outputFlag
	configFlag
}

type matchCommand struct {
	By  []string `default:"anchor" placeholder:"KEY,..." help:"By what accounts are proposed: anchor (always), userPrincipalName, mail; for groups mail, mailNickname, displayName."`
	Out string   `placeholder:"FILE" help:"Write the pairs to this file, to look at, to edit, and for adopt; to standard output without it."`
	outputFlag
	configFlag
}

type adoptCommand struct {
	File string `arg:"" help:"The pairs, as match wrote them, without those that aren't right."`
	By   string `placeholder:"NAME" help:"Who decides, for the audit; USER@HOST without it."`
	outputFlag
	configFlag
}

type undoCommand struct {
	Run uint64 `arg:"" help:"The run's number; see runs."`
	outputFlag
	configFlag
}

type runsCommand struct {
	outputFlag
	configFlag
}

type historyCommand struct {
	Object string   `arg:"" help:"objectGUID, DN, account's id, source anchor, or a userPrincipalName or mail that it has or had."`
	Files  []string `arg:"" optional:"" name:"log" help:"The audit log's files, the oldest first; without any the one that the configuration names."`
	outputFlag
	optionalConfig
}

type verifyCommand struct {
	Files   []string `arg:"" optional:"" name:"log" help:"The audit log's files, the oldest first; without any the one that the configuration names."`
	Rotated bool     `help:"The first file needn't begin with record 1: the ones before it are gone."`
	outputFlag
	optionalConfig
}

type optionalConfig struct {
	Config string `short:"c" placeholder:"FILE" help:"The configuration, a YAML file. Its state knows where the log has to end."`
}

// parse reads the arguments. Without a command, code says how to end.
func (p *program) parse(args []string) (cmd command, code int) {
	k, err := kong.New(&commandLine{}, kong.Name("dirbridge"), kong.Description(description), kong.Writers(p.stdout, p.stderr),
		kong.Vars{"version": version()}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { panic(exit(code)) }))
	if err != nil {
		fmt.Fprintln(p.stderr, "dirbridge:", err)
		return nil, exitFailed
	}
	// kong's hooks for --help and --version end the program by Exit alone.
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			cmd, code = nil, int(r)
		default:
			panic(r)
		}
	}()
	ctx, err := k.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "dirbridge: %v\ndirbridge --help says more\n", err)
		return nil, exitUsage
	}
	return ctx.Selected().Target.Addr().Interface().(command), exitDone
}

// exit is the panic by which kong's hooks end parsing.
type exit int

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
