// Package audit keeps what the engine did to the target: which object, which
// values before and after, by which rule, for which reason, on what evidence, in
// which plan and on whose word, and what came of it. "Who deleted this user?"
// has an answer.
//
// # The promise
//
// For every call that was meant to change the target there is a [Record], and
// the records are complete after any crash. The engine keeps the promise with an
// outbox: a record goes into the engine's own store in the same commit as the
// outcome that it tells of, or, when an intent is found that nobody settled, as
// the commit that settles it. From there it is delivered to every [Sink] before
// the run ends, and after a crash at the start of the next run. It leaves the
// outbox when all sinks have it. What isn't sure to have arrived is delivered
// again; a sink knows by number and hash what it has.
//
// # The chain
//
// Records are numbered without gaps, and each has a hash over its contents and
// over the hash of the one before ([Record.Seal]). There is one way to write a
// record ([Encode]), and [Verify] insists on it, byte for byte. So it finds
// every record that was changed, cut out, put in, doubled or moved.
//
// What a chain can't find: the hashes have no key. Whoever may write the log can
// cut off its end, or change a record and compute all that follow anew, and the
// result is a good chain. That is seen by comparing its end with what somebody
// else knows ([VerifyOptions.Until]): the engine's state remembers it. Whoever
// can rewrite both log and state, the administrator of the machine for one,
// isn't found by anything on that machine. Against that, send the records to a
// second sink that the machine can only append to: another host, storage that
// is write-once (WORM), a SIEM; and compare the ends of both. A file that
// the system lets nobody but append to (chattr +a) raises the bar, too.
//
// Nor does the chain say that what the engine wrote down is true, or that the
// target was changed by nobody else.
//
// # The file
//
// [File] is a log in JSON lines, one record a line:
//
//	{"seq":2,"time":"2026-01-02T03:04:05Z","run":1,"event":"write","op":"update",...,"prev":"5f1c...","hash":"a07e..."}
//
// Values come from directories, and whoever may write his own name there writes
// into this log. Nothing that he writes ends a line, moves a cursor, turns the
// direction of text or hides: all such characters are written as \uXXXX. A hash
// can be checked with any tool: it is the SHA-256 of the line without its
// newline and without the last field, hash:
//
//	sed -n 2p audit.jsonl | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\n' | sha256sum
//
// Secrets never get into a record: the values of attributes that hold passwords
// or keys are replaced ([IsSecret]). What is personal (names, addresses) is
// there, since the log is about it; a file is created readable by its owner only.
//
// There is no sink around an io.Writer: a writer can't say what it holds, so it
// could neither skip what comes again nor notice what is missing.
//
// [Verify] and [History] read a log that may be hostile: they hold one record at
// a time, of at most [MaxLine] bytes.
//
// This package depends on the standard library alone.
package audit
