package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// A config is what the flags say.
type config struct {
	ad, graph string // addresses to listen on; "" if that side is off
	people    int
	domains   []string
	initial   string
	quota     bool
	lag       time.Duration
}

// parse reads the command line. Its errors are the user's; flag.ErrHelp means
// that help was asked for and given.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	var domains, quota string
	fs := flag.NewFlagSet("simulate", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.ad, "ad", "127.0.0.1:0", "`ADDR`ess of the Active Directory (ldaps), or off")
	fs.StringVar(&c.graph, "graph", "127.0.0.1:0", "`ADDR`ess of Microsoft Graph (http), or off")
	fs.IntVar(&c.people, "people", 100, "how many `N` people the directory has")
	fs.StringVar(&domains, "domains", "contoso.com", "`LIST` of the tenant's verified domains, by comma")
	fs.StringVar(&c.initial, "initial", "contoso.onmicrosoft.com", "`NAME`.onmicrosoft.com, the tenant's initial domain")
	fs.StringVar(&quota, "quota", "on", "Microsoft's throttling, `on|off`")
	fs.DurationVar(&c.lag, "lag", 0, "`DURATION` for which a new user isn't visible")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: simulate [flags]")
			fs.SetOutput(stderr)
			fs.PrintDefaults()
		}
		return c, err
	}
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if fs.NArg() > 0 {
		bad("unexpected argument %q", fs.Arg(0))
	}
	for name, addr := range map[string]*string{"-ad": &c.ad, "-graph": &c.graph} {
		if err := loopback(addr); err != nil {
			bad("%s: %w", name, err)
		}
	}
	if c.ad == "" && c.graph == "" {
		bad("with -ad off and -graph off there is nothing to do")
	}
	if c.people < 0 {
		bad("-people %d: can't be negative", c.people)
	}
	for d := range strings.SplitSeq(domains, ",") {
		if d = strings.ToLower(strings.TrimSpace(d)); d != "" {
			c.domains = append(c.domains, d)
		}
	}
	c.initial = strings.ToLower(c.initial)
	if !strings.HasSuffix(c.initial, ".onmicrosoft.com") {
		bad("-initial %q: want NAME.onmicrosoft.com", c.initial)
	}
	switch quota {
	case "on", "off":
		c.quota = quota == "on"
	default:
		bad("-quota %q: want on or off", quota)
	}
	if c.lag < 0 {
		bad("-lag %v: can't be negative", c.lag)
	}
	return c, errors.Join(errs...)
}

// loopback makes "" of off, and 127.0.0.1:PORT of :PORT. Any other address has
// to be one that only this machine can reach: a simulator has no secrets worth
// the name, and nothing that could be trusted.
func loopback(addr *string) error {
	if *addr == "off" {
		*addr = ""
		return nil
	}
	host, port, err := net.SplitHostPort(*addr)
	if err != nil {
		return fmt.Errorf("%q: want HOST:PORT (port 0 for any that is free) or off", *addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q: want an address of this machine alone, as 127.0.0.1:0", *addr)
	}
	*addr = net.JoinHostPort(host, port)
	return nil
}
