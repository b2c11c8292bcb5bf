package adsim

import (
	"sync"
	"time"
)

// A Request is what a [Hook] is told about an operation before it runs.
type Request struct {
	// Conn counts the server's connections, from 1.
	Conn int

	// Kind is "bind", "search", "modify", "add", "delete", "modifydn",
	// "compare" or "extended".
	Kind string

	// Base, Filter and Scope (0 base, 1 one level, 2 subtree) are those of a
	// search.
	Base, Filter string
	Scope        int

	// DirSync and Paged say which control a search carries, Continued that
	// its cookie isn't empty.
	DirSync, Paged, Continued bool
}

// A Fault is how one operation goes wrong. The zero Fault harms nothing.
type Fault struct {
	// After is how many entries of a search are still sent in order. Code,
	// Cut and Hang strike then, or at the end if there are fewer. Zero: at
	// once.
	After int

	// Code ends the operation with this LDAP result, and Text as its message.
	Code uint16
	Text string

	// Cut closes the connection.
	Cut bool

	// CutAfterBytes closes the connection after so many bytes of the answer,
	// in the middle of a message as it may be. Zero: not.
	CutAfterBytes int

	// Hang sends nothing more, until the client closes or abandons.
	Hang bool

	// Drip is a pause before each entry.
	Drip time.Duration

	// LoseCookie forgets the cookie of a page as soon as it is handed out.
	LoseCookie bool

	// RejectCookie refuses the cookie that this request brings, as a domain
	// controller does that can't read it: unavailableCriticalExtension for
	// DirSync, unwillingToPerform for pages.
	RejectCookie bool
}

// A Hook decides what goes wrong with an operation; nil means nothing. It is
// called for every operation, from several goroutines at once.
type Hook func(Request) *Fault

// Inject sets the server's hook, nil for none.
func (s *Server) Inject(h Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = h
}

// OnSearch applies f to the nth search of a directory (from 1) after the hook
// was made, not counting reads of the rootDSE and of single objects.
func OnSearch(n int, f Fault) Hook {
	var mu sync.Mutex
	seen := 0
	return func(r Request) *Fault {
		if r.Kind != "search" || r.Scope == 0 {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen == n {
			return &f
		}
		return nil
	}
}

// EverySearch applies f to all searches that OnSearch counts.
func EverySearch(f Fault) Hook {
	return func(r Request) *Fault {
		if r.Kind != "search" || r.Scope == 0 {
			return nil
		}
		return &f
	}
}

// fault asks the hook.
func (s *Server) fault(r Request) Fault {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return Fault{}
	}
	if f := hook(r); f != nil {
		return *f
	}
	return Fault{}
}
