// Package report holds what the engine tells, as plain data: answers, what a
// collection was understood as, events and results of trainings. The command line
// and the tab print it as JSON; the window in the tab links this package without
// the engine, which runs elsewhere.
package report
