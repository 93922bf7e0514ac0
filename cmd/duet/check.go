//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"duet/app"
	"duet/model/data"
)

// checkCommand says whether files can be used, by reading them.
type checkCommand struct {
	Paths []string `arg:"" name:"path" help:"Pictures, tables, tars, collections, models, checkpoints, ONNX files, tokenizers and configurations."`
	Kind  string   `placeholder:"KIND" help:"What the paths are to be read as: ${kinds}; by default what name and content say."`
	readFlags
	JSON bool `name:"json" help:"One JSON object a line."`
}

func (c checkCommand) Run(ctx context.Context, s streams) error {
	var kind data.Kind
	if c.Kind != "" {
		var err error
		if kind, err = app.ParseKind(c.Kind); err != nil {
			return err
		}
	}
	refused := 0
	encoder := json.NewEncoder(s.out)
	for _, path := range c.Paths {
		f := app.Check(ctx, path, kind, c.Images, c.options())
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if f.Verdict == data.Refuse {
			refused++
		}
		if c.JSON {
			if err := encoder.Encode(f); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.out, "%-7s %-10s %s: %s\n", f.Verdict, f.Kind, f.File, strings.ReplaceAll(f.Reason, "\n", "; "))
		if f.Report != nil {
			for _, line := range f.Report.Lines()[1:] {
				fmt.Fprintln(s.out, "  "+line)
			}
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d refused", refused, len(c.Paths))
	}
	return nil
}

// kindNames lists the kinds for help.
func kindNames() string {
	var names []string
	for _, k := range app.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
