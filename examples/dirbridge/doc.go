// Command dirbridge keeps Office 365 in step with an on-premises Active
// Directory: the operator's program.
//
//	dirbridge sync [--full] [--dry-run] [-o text|json] -c FILE
//	dirbridge run -c FILE
//
// sync makes one run: what changed since the last one, or everything the first
// time, with --full, and whenever the directory can't say what changed. With
// --dry-run it writes nothing, neither to the tenant nor to its memory, and
// prints for each account what would be changed, from what to what, and why.
//
// run makes a run at once, then on schedule (every three hours unless the file
// says otherwise), and whenever it gets SIGUSR1 (Unix). SIGINT or SIGTERM ends
// it after the calls on the wire; a second one at once. A run that fails doesn't
// end it.
//
// # Exit codes
//
//	0  done, or nothing to do
//	1  failed
//	2  wrong command line or configuration; nobody was asked anything
//	3  done, but single objects have problems that are new or still open
//	4  halted by the guard: too many accounts would be removed; nothing was written
//	5  another instance uses the state
//
// # Output
//
// Reports go to standard output, everything else to standard error. With -o json
// standard output gets exactly one JSON document, also when the run fails:
//
//	mode        full or delta; left out if nothing was read
//	read, created, updated, disabled, deleted, restored, unchanged
//	            counts of objects and of accepted changes
//	problems    list of object (its objectGUID), name (its DN), code, attribute,
//	            message, whatToDo, holder, requestId, since
//	watermark   where the next run resumes; opaque
//	error       why the run failed or was halted; whatToDo about it
//
// There is more (enabled, skipped, heldBack, writes, run, started, finished,
// fullReason, planHash, breaches, exitCode). In a dry run, dryRun is true, the
// counts are of what would be done, and changes lists it.
//
// # Configuration
//
// One YAML file; dirbridge.example.yaml documents every key. A new account gets
// a random password that nobody learns: people get in by single sign-on or by
// resetting it.
package main
