// Package bench holds the benchmarks that join the engine with a real store and
// need no service: what a run costs by the number of people and of changes.
//
//	go test ./internal/e2e/bench -run xxx -bench .
package bench
