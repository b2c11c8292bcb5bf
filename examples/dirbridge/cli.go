package main

import (
	"fmt"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

const description = `Keeps Office 365 in step with an on-premises Active Directory.

Exit codes: 0 done or nothing to do; 1 failed; 2 wrong usage or configuration; 3 done, but objects have problems that are new or still open; 4 halted by the guard, nothing written; 5 another instance uses the state.`

// A commandLine is what kong makes of the arguments.
type commandLine struct {
	Sync    syncCommand      `cmd:"" help:"Make one run: a delta if possible, else everything."`
	Run     runCommand       `cmd:"" help:"Run until interrupted: at once, on schedule, and on SIGUSR1 (Unix)."`
	Version kong.VersionFlag `help:"Print the version and end."`

	daemon bool
}

type syncCommand struct {
	Full   bool   `help:"Read everything, not only what changed."`
	DryRun bool   `help:"Write nothing; print what would be changed, and why."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json. With json, standard output gets one document, also of a run that failed."`
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration, a YAML file."`
}

type runCommand struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration, a YAML file."`
}

// parse reads the arguments. Without a command line, code says how to end.
func (p *program) parse(args []string) (cli *commandLine, code int) {
	cli = &commandLine{}
	k, err := kong.New(cli, kong.Name("dirbridge"), kong.Description(description), kong.Writers(p.stdout, p.stderr),
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
			cli, code = nil, int(r)
		default:
			panic(r)
		}
	}()
	ctx, err := k.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "dirbridge: %v\ndirbridge --help says more\n", err)
		return nil, exitUsage
	}
	cli.daemon = ctx.Command() == "run"
	return cli, exitDone
}

// exit is the panic by which kong's hooks end parsing.
type exit int

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
