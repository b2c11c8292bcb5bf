package audit_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

// Two records are sealed and delivered, one of them twice, as after a crash. The
// log holds each once, and tells who took Ann's account away.
func Example() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, err := audit.OpenFile(filepath.Join(dir, "audit.jsonl"), nil)
	if err != nil {
		log.Fatal(err)
	}

	records := []audit.Record{
		{Event: audit.EventWrite, Op: "create", Name: "CN=Ann,DC=corp,DC=example", UPN: "ann@corp.example", Outcome: audit.OutcomeApplied},
		{Event: audit.EventWrite, Op: "delete", Name: "CN=Ann,DC=corp,DC=example", UPN: "ann@corp.example", Outcome: audit.OutcomeApplied,
			Evidence: &audit.Evidence{Kind: "deleted", Detail: "tombstone", Seen: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, Approver: "carol"},
	}
	var head audit.Head // where the engine's chain ends
	for i := range records {
		records[i].Seal(head)
		head = records[i].Head()
	}
	for _, delivery := range [][]audit.Record{records[:1], records} {
		if err := file.Append(context.Background(), delivery); err != nil {
			log.Fatal(err)
		}
	}

	lines, err := os.Open(file.Path())
	if err != nil {
		log.Fatal(err)
	}
	defer lines.Close()
	last, err := audit.Verify(lines, &audit.VerifyOptions{Until: &head})
	fmt.Println("verified:", last.Seq, err)

	if _, err := lines.Seek(0, 0); err != nil {
		log.Fatal(err)
	}
	for r, err := range audit.History(lines, audit.Object("ANN@corp.example")) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(r.Seq, " ", r.Op, " ", r.Outcome)
		if r.Evidence != nil {
			fmt.Print(", evidence: ", r.Evidence.Detail, ", approved by ", r.Approver)
		}
		fmt.Println()
	}
	// Output:
	// verified: 2 <nil>
	// 1 create applied
	// 2 delete applied, evidence: tombstone, approved by carol
}
