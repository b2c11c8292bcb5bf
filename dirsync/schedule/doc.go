// Package schedule runs an engine over and over: every three hours unless told
// otherwise, at once when asked, never two at a time.
//
//	err := schedule.Run(ctx, eng, &schedule.Options{Every: time.Hour})
//
// [Run] blocks until its context ends, so that the host chooses where it runs.
// It starts nothing by itself. Hosts that have a scheduler of their own (cron,
// Kubernetes, gocron) call [dirsync.Engine.Sync] from there instead and don't
// need this package.
package schedule
