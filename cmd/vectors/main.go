// Command vectors runs the conformance vectors on the engine's backends and
// prints one line for each operator; each backend ends with
//
//	vectors: N passed, N failed, N out of scope
//
// The backends are reference (the twins), webgpu (the machine's adapter) and tab
// (this same command in a worker of headless Chromium). The vectors are read from
// the folder vectors of $DUET_SHARED, or of ../shared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"duet/gpu"
	"duet/model/conform"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

// vectorsFile holds the vectors beside the program in the tab.
const vectorsFile = "vectors.zip"

// A runner runs the vectors on one backend after the other.
type runner struct {
	files   fs.FS
	options conform.Options
	flags   []string // as given, --backend apart
	verbose bool
	out     io.Writer
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("vectors", flag.ContinueOnError)
	backend := flags.String("backend", "all", "`names` of backends, separated by commas: "+strings.Join(backends(), ", ")+" or all")
	suite := flags.String("suite", "", "run one `suite` only: "+strings.Join(conform.Suites(), ", "))
	op := flags.String("op", "", "run one `operator` only")
	verbose := flags.Bool("verbose", false, "list the cases that are out of scope")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	r := &runner{verbose: *verbose, out: out, options: conform.Options{
		Suites:   conform.Suites(),
		Op:       *op,
		Progress: func(row conform.Row) { fmt.Fprintln(out, row) },
		Failed:   func(f conform.Failure) { fmt.Fprintf(out, "FAIL %s %s: %s: %s\n", f.Suite, f.Op, f.Case, f.Reason) },
	}}
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "backend" {
			r.flags = append(r.flags, "--"+f.Name+"="+f.Value.String())
		}
	})
	if *suite != "" {
		if !slices.Contains(conform.Suites(), *suite) {
			return fmt.Errorf("no suite %q; there are %s", *suite, strings.Join(conform.Suites(), ", "))
		}
		r.options.Suites = []string{*suite}
	}
	names := backends()
	if *backend != "all" {
		names = strings.Split(*backend, ",")
	}
	if err := check(names); err != nil {
		return err
	}
	var err error
	if r.files, err = vectors(ctx); err != nil {
		return err
	}
	failed := 0
	for _, name := range names {
		n, err := r.runOn(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		failed += n
	}
	if failed > 0 {
		return fmt.Errorf("failed cases: %d", failed)
	}
	return nil
}

// check refuses backends that cannot run before the others have.
func check(names []string) error {
	for _, name := range names {
		if !slices.Contains(backends(), name) {
			return fmt.Errorf("no backend %q; there are %s and all", name, strings.Join(backends(), ", "))
		}
		if err := available(name); err != nil {
			return err
		}
	}
	return nil
}

// measure runs the vectors on a backend, closes it, and returns how many failed.
func (r *runner) measure(ctx context.Context, name string, b gpu.Backend) (int, error) {
	defer b.Close()
	begun := time.Now()
	fmt.Fprintf(r.out, "%s: %s\n", name, b.Info().Name)
	report, err := conform.Run(ctx, b, r.files, r.options)
	if err != nil {
		return 0, err
	}
	if report.Passed+report.Failed+report.OutOfScope == 0 {
		return 0, fmt.Errorf("there are no cases of operator %q", r.options.Op)
	}
	if r.verbose {
		for _, x := range report.Exclusions {
			fmt.Fprintf(r.out, "%s: %s: %s\n", x.Suite, x.Reason, strings.Join(x.Cases, ", "))
		}
	}
	fmt.Fprintf(r.out, "%.1f s\n%s", time.Since(begun).Seconds(), report.Summary())
	return report.Failed, nil
}
