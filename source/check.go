package source

import "context"

// A Severity says how much a [Finding] matters.
type Severity string

const (
	Info    Severity = "info"    // good to know
	Warning Severity = "warning" // works, but something will be missing or is unwise
	Blocker Severity = "blocker" // a run can't succeed
)

// A Finding is something that a check before the first run has to say.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`    // stable, kebab-case: "deleted-objects-hidden"
	Message  string   `json:"message"` // what was found, for an administrator
	Remedy   string   `json:"remedy"`  // what to do about it
}

// A Checker can say what its account can and can't see.
type Checker interface {
	Source

	// Check looks, changes nothing, and returns its findings, the gravest
	// first; none means that all is well. The error says that the check
	// itself could not be made.
	Check(ctx context.Context) ([]Finding, error)
}

// Check returns src's findings, none if it has no check.
func Check(ctx context.Context, src Source) ([]Finding, error) {
	if c, ok := src.(Checker); ok {
		return c.Check(ctx)
	}
	return nil, nil
}
