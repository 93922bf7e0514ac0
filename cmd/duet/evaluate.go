//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"duet/app"
	"duet/model/report"
)

// evaluateCommand measures a model on a collection.
type evaluateCommand struct {
	modelFlag
	dataFlags
	backendFlag
	weightsFlag
	Split  string `placeholder:"train|val|test|all" help:"What to evaluate on; by default the validation pictures recorded in the model, else everything."`
	Inputs string `enum:"both,image,text" default:"both" help:"What the model sees: both, image or text."`
	Ablate bool   `help:"Also with each side hidden, and with pictures or captions of other examples."`
	JSON   bool   `name:"json" help:"One JSON object instead of tables."`
}

func (c evaluateCommand) Run(ctx context.Context, s streams) error {
	collection, err := c.dataFlags.open(ctx)
	if err != nil {
		return err
	}
	files, err := app.OpenFiles(c.Model)
	if err != nil {
		return err
	}
	defer files.Close()
	backend, err := c.backendFlag.open(ctx)
	if err != nil {
		return err
	}
	defer backend.Close()
	options := app.EvaluateOptions{Collection: collection, Split: c.Split, Inputs: c.Inputs, Ablate: c.Ablate}
	if c.Ablate {
		options.Cache = 256 << 20
	}
	result, err := app.EvaluatePacked(ctx, backend, files, c.Weights, options)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(result)
	}
	printEvaluation(s, result)
	return nil
}

func printEvaluation(s streams, r *app.Evaluation) {
	fmt.Fprintf(s.out, "%s: %s\n\n", report.Count(r.N, "example"), r.On)
	fmt.Fprintf(s.out, "top-1 %.3f   top-5 %.3f   macro F1 %.3f   loss %.3f\n\n", r.Top1, r.Top5, r.MacroF1, r.Loss)
	if p := r.Packed; p != nil {
		fmt.Fprintf(s.out, "weights as %s: %s instead of %s; with f32 top-1 %.3f, loss %.3f; top-1 changes by %+.1f points, %d of %d answers are the same\n\n",
			p.Weights, report.Size(int64(p.Bytes)), report.Size(int64(p.Float32Bytes)), p.Float32.Top1, p.Float32.Loss, 100*(r.Top1-p.Float32.Top1), p.Same, r.N)
	}
	for _, name := range []string{app.ImageOnly, app.TextOnly, app.ShuffledCaptions, app.ShuffledPictures} {
		if x, ok := r.Ablate[name]; ok {
			fmt.Fprintf(s.out, "%-18s top-1 %.3f\n", name, x.Top1)
		}
	}
	fmt.Fprintf(s.out, "\n%-28s %6s %9s %9s %9s\n", "class", "n", "precision", "recall", "F1")
	for _, c := range r.Classes {
		if c.N > 0 {
			fmt.Fprintf(s.out, "%-28s %6d %9.3f %9.3f %9.3f\n", c.Label, c.N, c.Precision, c.Recall, c.F1)
		}
	}
	printConfusion(s, r)
	for _, skip := range r.Skipped {
		fmt.Fprintln(s.err, "skipped", skip)
	}
}

// printConfusion prints the matrix where it fits a terminal, else the pairs
// that are confused most.
func printConfusion(s streams, r *app.Evaluation) {
	if len(r.Classes) <= 14 {
		fmt.Fprintf(s.out, "\nconfusion (rows: true class, columns: answer)\n")
		for i, row := range r.Confusion {
			fmt.Fprintf(s.out, "%-28s", r.Classes[i].Label)
			for _, n := range row {
				fmt.Fprintf(s.out, " %5d", n)
			}
			fmt.Fprintln(s.out)
		}
		return
	}
	fmt.Fprintf(s.out, "\nmost confused\n")
	for range 10 {
		worst, a, b := 0, 0, 0
		for i, row := range r.Confusion {
			for j, n := range row {
				if i != j && n > worst {
					worst, a, b = n, i, j
				}
			}
		}
		if worst == 0 {
			return
		}
		fmt.Fprintf(s.out, "%5d × %s taken for %s\n", worst, r.Classes[a].Label, r.Classes[b].Label)
		r.Confusion[a][b] = 0
	}
}
