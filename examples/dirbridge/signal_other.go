//go:build !unix

package main

import "github.com/dirbridge/dirbridge/dirsync"

// askedBySignal never asks: this system has no signal for it.
func askedBySignal() (asked <-chan dirsync.Request, stop func()) { return nil, func() {} }
