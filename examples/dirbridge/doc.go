// Command dirbridge keeps Office 365 in step with an on-premises Active
// Directory: the operator's program.
//
//	dirbridge sync [--full | --only OBJECT... | --approved] [--dry-run] -c FILE
//	dirbridge run -c FILE
//
//	dirbridge plan [--full] [--out FILE] [--exit-code] -c FILE
//	dirbridge approve HASH [--by NAME] [--for 24h] -c FILE
//	dirbridge reject HASH [--by NAME] -c FILE
//	dirbridge release [OBJECT...] -c FILE
//
//	dirbridge match [--by KEY,...] [--out FILE] -c FILE
//	dirbridge adopt FILE [--by NAME] -c FILE
//
//	dirbridge undo RUN -c FILE
//	dirbridge runs -c FILE
//	dirbridge history OBJECT [LOG...] -c FILE
//	dirbridge audit verify [--rotated] [LOG...] [-c FILE]
//
// All but run take -o text|json.
//
// sync makes one run: what changed since the last one, or everything the first
// time, with --full, and whenever the directory can't say what changed. With
// --only it looks at just these objects, under the same limits. With --dry-run
// it writes nothing, neither to the tenant nor to its memory, and prints for each
// account what would be changed, from what to what, and why.
//
// What others changed or deleted at our accounts and groups in the tenant is put
// back (or reported; drift in the file), members of groups one by one: whoever was
// added there is removed again, guests included. With --reconcile all accounts
// and groups are looked at for it, not only those of which the tenant says that
// something happened to them.
//
// run makes a run at once, then on schedule (every three hours unless the file
// says otherwise), and whenever it gets SIGUSR1 (Unix). SIGINT or SIGTERM ends
// it after the calls on the wire; a second one at once. A run that fails doesn't
// end it. It has the state open only while it looks or runs: the other commands
// work in between. Whoever finds the state in use waits up to 30 seconds for it.
//
// # Plans and people's words
//
// A run whose plan exceeds a limit (limits in the file) writes nothing and ends
// with code 4. It says what it would have done, to whom, and the plan's hash. The
// plan waits, and so does one that plan makes; the latest takes the place of the
// one before.
//
//   - plan shows all of it: each change with the values before and after, the
//     reason, the proof, and what has to be so when it is carried out. --out
//     writes it as JSON lines, whose SHA-256 is the hash.
//   - approve lets just these changes through, once, whatever the limits say. If
//     one of them would be another one by the time of the run, nothing of the
//     plan is carried out. sync carries an approved plan out first and then goes
//     on; sync --approved carries out that plan alone.
//   - reject holds back what is over a limit (everything, if nothing is): nobody
//     is asked about it again, and the rest goes on. It ends when the directory
//     says something else of the object, or with release.
//
// undo plans the inverse of a run, and that plan waits for approval like any
// other. What can't be undone is listed as a problem. What the directory still
// wants of the undone accounts is held back, too, until release.
//
// approve, reject, release, undo, runs, history and audit verify ask neither
// directory nor tenant and need no secrets.
//
// # Accounts that exist already
//
// An account that this program didn't make is left alone, whatever it is called,
// until somebody says whose it is. match proposes pairs of object and account, with
// what stands against each and what would be changed, and writes nothing. By
// default it goes by the source anchor alone; --by userPrincipalName,mail proposes by names as
// well. adopt takes the pairs that were left in the file, each if it still holds:
// these accounts are ours from then on, and the next run writes the differences.
// Nothing is written to the tenant. Code 3 says that some were refused.
//
// # Scope
//
// scope in the file says who is synchronized, of those below the base DNs: by
// domain, organizational unit (with those below it), membership in groups (nested by
// option) and attributes, all of it together. What is named by DN means the
// container, or the group, that has it in the first run, whatever it is called
// later; an unknown one is a mistake in the configuration (code 2). plan shows who
// enters and who leaves, and why. When the scope was changed, a run is halted if
// anybody leaves because of that, and waits for approve or reject. A group that is
// deleted or out of sight lets nobody in and takes nobody along; each run warns.
//
// # The audit log
//
// Each call that was meant to change the tenant, and each word of a person,
// leaves a record in a file next to the state (audit in the file). history tells
// from it what was done to somebody, under any name that he has or had.
// audit verify finds what was edited or cut out since; the state knows where the
// log has to end. Without -c nobody can say that. Several files are given in
// order, the oldest first. Whoever can change both log and state can fool it:
// package audit says what else to do.
//
// # Exit codes
//
//	0   done, or nothing to do
//	1   failed; also: no such plan waits, or it isn't approved or doesn't hold any
//	    more (nothing was written); audit verify found something; history found
//	    nothing
//	2   wrong command line or configuration, or a name that means nobody or several
//	3   done, but single objects have problems that are new or still open, or
//	    (undo) can't be put back, or (adopt) were refused
//	4   halted by the guard; nothing was written
//	5   another instance uses the state
//	10  plan --exit-code: changes are pending
//
// plan ends with 0 or 3 whether or not a limit is exceeded: nothing was halted.
// With --exit-code, 10 goes before 3.
//
// # Output
//
// Reports go to standard output, everything else to standard error. What comes
// from a directory is shown with control and invisible characters escaped. With
// -o json standard output gets exactly one JSON document, also when the command
// fails. That of sync and plan:
//
//	mode        full, delta, only or undo; left out if nothing was read
//	read, created, updated, disabled, deleted, restored, unchanged
//	            counts of objects and of accepted changes
//	problems    list of object (its objectGUID), name (its DN), code, attribute,
//	            message, whatToDo, holder, requestId, since
//	watermark   where the next run resumes; opaque
//	plan        of a run that was halted, and of plan and undo: planHash, counts,
//	            effects, breaches, affected (the first 20 because of whom a limit
//	            is exceeded; more), approval; enters, leaves (who enters or leaves
//	            the scope: reason, count, the first 5)
//	goOn        the commands by which to go on
//	error       why the run failed or was halted; whatToDo about it
//
// There is more (enabled, skipped, heldBack, withheld, drifted, refsDrifted, reconciled, writes, run,
// started, finished, fullReason, planHash, breaches, approver, undid, warnings, exitCode).
// In a dry run, dryRun is true, the counts are of what would be done, and changes
// lists it; so they do for plan and undo.
//
// # Configuration
//
// One YAML file; dirbridge.example.yaml documents every key. A new account gets
// a random password that nobody learns: people get in by single sign-on or by
// resetting it.
package main
