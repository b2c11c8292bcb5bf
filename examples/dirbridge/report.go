package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A jsonReport is what -o json prints. In a dry run, the counts say what would
// be done.
type jsonReport struct {
	DryRun bool `json:"dryRun,omitempty"`

	Run        uint64     `json:"run,omitempty"`
	Started    *time.Time `json:"started,omitempty"`
	Finished   *time.Time `json:"finished,omitempty"`
	Mode       string     `json:"mode,omitempty"` // full or delta; left out if nothing was read
	FullReason string     `json:"fullReason,omitempty"`
	Reconciled string     `json:"reconciled,omitempty"` // why all accounts were looked at, if they were

	Read      int `json:"read"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Enabled   int `json:"enabled"`
	Disabled  int `json:"disabled"`
	Deleted   int `json:"deleted"`
	Restored  int `json:"restored"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	HeldBack  int `json:"heldBack"`
	Withheld  int `json:"withheld"` // by policy
	Proposed  int `json:"proposed,omitempty"`
	Drifted   int `json:"drifted,omitempty"`     // accounts that others changed or deleted
	RefsDrift int `json:"refsDrifted,omitempty"` // members and owners that others added or removed
	Writes    int `json:"writes"`

	MembersAdded      int `json:"membersAdded,omitempty"`
	MembersRemoved    int `json:"membersRemoved,omitempty"`
	MembersLeft       int `json:"membersLeft,omitempty"` // with their account
	RefsChanged       int `json:"refsChanged,omitempty"` // owners and managers
	ReferencesWaiting int `json:"referencesWaiting,omitempty"`
	ReferencesDropped int `json:"referencesDropped,omitempty"`
	ReferencesUnknown int `json:"referencesUnknown,omitempty"`

	Problems  []jsonProblem `json:"problems"`
	Watermark string        `json:"watermark"`
	PlanHash  string        `json:"planHash,omitempty"`

	Approver string            `json:"approver,omitempty"` // of the plan that was carried out first
	Undid    uint64            `json:"undid,omitempty"`    // the run that was undone
	Warnings []dirsync.Warning `json:"warnings,omitempty"`

	// Breaches are the limits because of which the guard halts.
	Breaches []plan.Breach `json:"breaches,omitempty"`

	// Plan is the one that waits for somebody's word; GoOn are the ways to go
	// on.
	Plan *story `json:"plan,omitempty"`
	GoOn []step `json:"goOn,omitempty"`

	Error    string `json:"error,omitempty"`
	WhatToDo string `json:"whatToDo,omitempty"` // about the error
	ExitCode int    `json:"exitCode"`
}

// A jsonProblem is what is wrong with one object.
type jsonProblem struct {
	Object    source.ID `json:"object"`
	Name      string    `json:"name,omitempty"`
	Code      string    `json:"code"`
	Attribute string    `json:"attribute,omitempty"`
	Message   string    `json:"message"`
	WhatToDo  string    `json:"whatToDo"`
	Holder    string    `json:"holder,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	Since     time.Time `json:"since"`
}

// A jsonChange is one planned change.
type jsonChange struct {
	Op         target.Op        `json:"op"`
	Object     source.ID        `json:"object"`
	Name       string           `json:"name,omitempty"`
	UPN        string           `json:"upn,omitempty"`
	Account    target.ID        `json:"account,omitempty"` // at the target; a create has none
	Reason     string           `json:"reason"`
	Removal    bool             `json:"removal,omitempty"`
	Evidence   *source.Evidence `json:"evidence,omitempty"`
	Attributes []attribute      `json:"attributes"`
	References *reference       `json:"references,omitempty"`
	Leaves     []source.ID      `json:"leaves,omitempty"`  // the groups that a deleted account is in
	Effects    []plan.Effect    `json:"effects,omitempty"` // what of it has a limit
	Crossing   plan.Crossing    `json:"crossing,omitempty"`

	// Precondition is what has to be so, beside the values before.
	Precondition plan.Precondition `json:"precondition"`
}

func reportDocument(r *dirsync.Report, err error) *jsonReport {
	d := &jsonReport{
		Run: r.Run, Mode: string(r.Mode), FullReason: r.FullReason, Read: r.Read, Created: r.Created, Updated: r.Updated,
		Enabled: r.Enabled, Disabled: r.Disabled, Deleted: r.Deleted, Restored: r.Restored, Unchanged: r.Unchanged,
		Skipped: r.Skipped, HeldBack: r.HeldBack, Withheld: r.Withheld, Proposed: r.Proposed, Drifted: r.Drifted, RefsDrift: r.RefsDrifted, Reconciled: r.Reconciled, Writes: r.Writes, Problems: []jsonProblem{}, Watermark: string(r.Watermark),
		MembersAdded: r.MembersAdded, MembersRemoved: r.MembersRemoved, MembersLeft: r.MembersLeft, RefsChanged: r.RefsChanged,
		ReferencesWaiting: r.ReferencesWaiting, ReferencesDropped: r.ReferencesDropped, ReferencesUnknown: r.ReferencesUnknown,
		PlanHash: r.PlanHash, Approver: r.Approver, Undid: r.Undid, Warnings: r.Warnings, ExitCode: outcome(r, err),
	}
	if !r.Started.IsZero() {
		d.Started, d.Finished = &r.Started, &r.Finished
	}
	for _, p := range r.Problems {
		d.Problems = append(d.Problems, jsonProblem{
			Object: p.Object, Name: p.Name, Code: p.Code, Attribute: p.Attribute, Message: p.Message, WhatToDo: p.Remedy,
			Holder: p.Holder, RequestID: p.RequestID, Since: p.Since,
		})
	}
	if err != nil {
		d.Error, d.WhatToDo = err.Error(), advice(err)
	}
	if h, ok := errors.AsType[*dirsync.HaltedError](err); ok {
		d.Breaches = h.Breaches
	}
	return d
}

// writeDocument prints d as one JSON document. The changes of a dry run are
// written as they come, since there may be very many.
func writeDocument(w io.Writer, d *jsonReport, changes iter.Seq2[*plan.Change, error]) error {
	head, err := encodeJSON(d, "  ")
	if err != nil {
		return err
	}
	if changes == nil {
		_, err := w.Write(head)
		return err
	}
	if _, err := w.Write(bytes.TrimSuffix(head, []byte("\n}\n"))); err != nil {
		return err
	}
	separator := ",\n  \"changes\": ["
	for c, err := range changes {
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		line, err := encodeJSON(changeDocument(c), "")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n    %s", separator, bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
		separator = ","
	}
	end := "\n  ]\n}\n"
	if separator != "," {
		end = separator + "]\n}\n"
	}
	_, err = io.WriteString(w, end)
	return err
}

func changeDocument(c *plan.Change) jsonChange {
	return jsonChange{
		Op: c.Op, Object: c.Source, Name: c.Name, UPN: c.UPN, Account: c.ID, Reason: c.Reason, Removal: c.Removal, Evidence: c.Evidence,
		Attributes: attributes(c), References: references(c), Leaves: c.Leaves, Effects: c.Effects(), Crossing: c.Crossing, Precondition: c.Precondition,
	}
}
