//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/dirbridge/dirbridge/dirsync"
)

// askedBySignal gives a request for each SIGUSR1. Asking again before the run
// has begun asks once.
func askedBySignal() (asked <-chan dirsync.Request, stop func()) {
	signals := make(chan os.Signal, 1)
	requests := make(chan dirsync.Request, 1)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-signals:
				select {
				case requests <- dirsync.Request{Retry: true}:
				default:
				}
			case <-done:
				return
			}
		}
	}()
	return requests, func() {
		signal.Stop(signals)
		close(done)
	}
}
