package conform

import (
	"fmt"
	"strings"
)

// A Row is the result of all cases of one operator.
type Row struct {
	Suite, Op                  string
	Passed, Failed, OutOfScope int
	Worst                      float64 // largest relative error of an element, of the cases that ran
	Limit                      float64 // what it may be
	Cause                      string  // of a looser tolerance
}

// String describes the row in a line.
func (r Row) String() string {
	s := fmt.Sprintf("%-15s %-26s %4d passed %3d failed %3d out of scope", r.Suite, r.Op, r.Passed, r.Failed, r.OutOfScope)
	if r.Passed+r.Failed > 0 {
		s += fmt.Sprintf("   error %.1e of %.0e", r.Worst, r.Limit)
	}
	if r.Cause != "" {
		s += " (" + r.Cause + ")"
	}
	return s
}

// A Failure is a case that went wrong.
type Failure struct{ Suite, Op, Case, Reason string }

// An Exclusion is a reason for being out of scope and the cases it keeps out.
type Exclusion struct {
	Suite, Reason string
	Cases         []string
}

// A Report is the result of a run over a backend.
type Report struct {
	Backend                    string
	Rows                       []Row
	Failures                   []Failure
	Exclusions                 []Exclusion
	Pieces                     []string // cases run in pieces, since one binding is too small for their tensors
	Passed, Failed, OutOfScope int
}

func (r *Report) exclude(c *Case, reason string) {
	for i := range r.Exclusions {
		if x := &r.Exclusions[i]; x.Suite == c.Suite && x.Reason == reason {
			x.Cases = append(x.Cases, c.Name)
			return
		}
	}
	r.Exclusions = append(r.Exclusions, Exclusion{c.Suite, reason, []string{c.Name}})
}

// Summary ends a report: what is out of scope and why, the suites' totals, and
// the last line.
func (r *Report) Summary() string {
	var s strings.Builder
	if len(r.Exclusions) > 0 {
		s.WriteString("out of scope:\n")
		for _, x := range r.Exclusions {
			fmt.Fprintf(&s, "  %-15s %-50s %3d\n", x.Suite, x.Reason, len(x.Cases))
		}
	}
	for _, name := range r.Pieces {
		fmt.Fprintf(&s, "run in pieces, since one binding of the adapter is smaller than a tensor: %s\n", name)
	}
	for _, suite := range Suites() {
		passed, failed, outside := 0, 0, 0
		for _, row := range r.Rows {
			if row.Suite == suite {
				passed, failed, outside = passed+row.Passed, failed+row.Failed, outside+row.OutOfScope
			}
		}
		if passed+failed+outside > 0 {
			fmt.Fprintf(&s, "%s: %d passed, %d failed, %d out of scope\n", suite, passed, failed, outside)
		}
	}
	fmt.Fprintf(&s, "vectors: %d passed, %d failed, %d out of scope\n", r.Passed, r.Failed, r.OutOfScope)
	return s.String()
}
