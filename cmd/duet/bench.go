//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"duet/model/bench"
)

// benchCommand times the engine.
type benchCommand struct {
	backendFlag
	Case []string `placeholder:"NAME" help:"Cases to run; by default all, on a software adapter all but the large ones."`
	JSON bool     `name:"json" help:"One JSON object a line."`
}

func (c benchCommand) Run(ctx context.Context, s streams) error {
	var cases []bench.Case
	for _, name := range c.Case {
		found, err := bench.Find(name)
		if err != nil {
			return err
		}
		cases = append(cases, found)
	}
	backend, err := c.backendFlag.open(ctx)
	if err != nil {
		return err
	}
	defer backend.Close()
	if len(cases) == 0 {
		cases = bench.For(backend.Info().Class)
	}
	peak, err := bench.Peak(ctx, backend)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%s, best probe %.0f GFLOP/s\n%-26s %10s %9s %9s %8s %9s\n", backend.Info().Name, peak, "case", "ms", "GFLOP/s", "of peak", "GB/s", "cold ms")
	}
	encoder := json.NewEncoder(s.out)
	for _, x := range cases {
		f, err := bench.Measure(ctx, backend, x, peak)
		if err != nil {
			return err
		}
		if c.JSON {
			err = encoder.Encode(f)
		} else {
			_, err = fmt.Fprintf(s.out, "%-26s %10.2f %9.1f %8.1f%% %8.2f %9.0f\n", f.Case, f.MS, f.GFLOPS, 100*f.PeakFraction, f.GBS, f.ColdMS)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
