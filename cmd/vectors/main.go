// Command vectors runs the conformance vectors on the engine's backends and
// prints one line for each operator; it ends
//
//	vectors: N passed, N failed, N out of scope
//
// The vectors are read from the folder vectors of $DUET_SHARED, or of ../shared.
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
	"path/filepath"
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

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("vectors", flag.ContinueOnError)
	backend := flags.String("backend", "all", "`name` of the backend: reference, webgpu or all")
	suite := flags.String("suite", "", "run one `suite` only: "+strings.Join(conform.Suites(), ", "))
	op := flags.String("op", "", "run one `operator` only")
	verbose := flags.Bool("verbose", false, "list the cases that are out of scope")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	o := conform.Options{
		Op:       *op,
		Progress: func(r conform.Row) { fmt.Fprintln(out, r) },
		Failed:   func(f conform.Failure) { fmt.Fprintf(out, "FAIL %s %s: %s: %s\n", f.Suite, f.Op, f.Case, f.Reason) },
	}
	if *suite != "" {
		if !slices.Contains(conform.Suites(), *suite) {
			return fmt.Errorf("no suite %q; there are %s", *suite, strings.Join(conform.Suites(), ", "))
		}
		o.Suites = []string{*suite}
	}
	files, err := vectors()
	if err != nil {
		return err
	}
	names := []string{*backend}
	if *backend == "all" {
		names = []string{"reference", "webgpu"}
	}
	failed := 0
	for _, name := range names {
		n, err := runOn(ctx, name, files, o, *verbose, out)
		if err != nil {
			return err
		}
		failed += n
	}
	if failed > 0 {
		return fmt.Errorf("failed cases: %d", failed)
	}
	return nil
}

// vectors opens the folder of the vectors.
func vectors() (fs.FS, error) {
	shared := os.Getenv("DUET_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	folder := filepath.Join(shared, "vectors")
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("the vectors are not in %s; set DUET_SHARED to the folder that holds vectors", folder)
	}
	return os.DirFS(folder), nil
}

// runOn runs the vectors on one backend and returns how many failed.
func runOn(ctx context.Context, name string, files fs.FS, o conform.Options, verbose bool, out io.Writer) (int, error) {
	var b gpu.Backend
	switch name {
	case "reference":
		b = gpu.NewReference()
	case "webgpu":
		device, err := gpu.Open(ctx, gpu.Options{})
		if err != nil {
			return 0, err
		}
		b = device
	default:
		return 0, fmt.Errorf("no backend %q; there are reference, webgpu and all", name)
	}
	defer b.Close()
	begun := time.Now()
	fmt.Fprintf(out, "%s: %s\n", name, b.Info().Name)
	report, err := conform.Run(ctx, b, files, o)
	if err != nil {
		return 0, err
	}
	if report.Passed+report.Failed+report.OutOfScope == 0 {
		return 0, fmt.Errorf("there are no cases of operator %q", o.Op)
	}
	if verbose {
		for _, x := range report.Exclusions {
			fmt.Fprintf(out, "%s: %s: %s\n", x.Suite, x.Reason, strings.Join(x.Cases, ", "))
		}
	}
	fmt.Fprintf(out, "%.1f s\n%s", time.Since(begun).Seconds(), report.Summary())
	return report.Failed, nil
}
