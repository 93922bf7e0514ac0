package conform

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"duet/gpu"
)

// Options choose what to run.
type Options struct {
	Suites   []string           // nil: all
	Op       string             // one operator only
	Progress func(Row)          // called after each operator
	Failed   func(Failure)      // called after each failure
	Keep     func(c *Case) bool // nil: every case
}

// Run runs the cases that fsys holds in folders named as the suites on a
// backend. Cases that fail are part of the report; the error is of reading the
// cases, or of a backend that is gone.
func Run(ctx context.Context, backend gpu.Backend, fsys fs.FS, o Options) (*Report, error) {
	r := &Report{Backend: backend.Info().Name}
	suites := o.Suites
	if suites == nil {
		suites = Suites()
	}
	for _, suite := range suites {
		cases, err := Load(fsys, suite)
		if err != nil {
			return nil, err
		}
		cases = slices.DeleteFunc(cases, func(c *Case) bool {
			return o.Op != "" && !strings.EqualFold(c.Op, o.Op) || o.Keep != nil && !o.Keep(c)
		})
		for len(cases) > 0 {
			n := 1
			for n < len(cases) && cases[n].Op == cases[0].Op {
				n++
			}
			row, err := r.runOperator(ctx, backend, cases[:n], o.Failed)
			if err != nil {
				return nil, err
			}
			if o.Progress != nil {
				o.Progress(row)
			}
			cases = cases[n:]
		}
	}
	return r, nil
}

// runOperator runs the cases of one operator and adds their row.
func (r *Report) runOperator(ctx context.Context, backend gpu.Backend, cases []*Case, failed func(Failure)) (Row, error) {
	c := cases[0]
	t := suiteTolerance(c.Suite)
	x := exceptions()[c.Op]
	if x.cause != "" {
		t.limit *= x.factor
	}
	row := Row{Suite: c.Suite, Op: c.Op, Limit: t.limit, Cause: x.cause}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return row, fmt.Errorf("conform: %w", err)
		}
		pieces := c.pieces(backend.Info().Limits.StorageBinding)
		if len(pieces) > 1 {
			r.Pieces = append(r.Pieces, c.Name)
		}
		worst, err := runAll(ctx, backend, pieces, t)
		reason := isOutOfScope(err)
		switch {
		case err == nil:
			row.Passed++
			row.Worst = max(row.Worst, worst)
		case reason != "":
			row.OutOfScope++
			r.exclude(c, reason)
		default:
			row.Failed++
			if !math.IsInf(worst, 0) && !math.IsNaN(worst) {
				row.Worst = max(row.Worst, worst)
			}
			f := Failure{c.Suite, c.Op, c.Name, err.Error()}
			r.Failures = append(r.Failures, f)
			if failed != nil {
				failed(f)
			}
		}
	}
	r.Rows = append(r.Rows, row)
	r.Passed, r.Failed, r.OutOfScope = r.Passed+row.Passed, r.Failed+row.Failed, r.OutOfScope+row.OutOfScope
	return row, nil
}

// runAll runs the pieces of a case up to the first failure and returns the
// largest relative error.
func runAll(ctx context.Context, backend gpu.Backend, pieces []*Case, t tolerance) (float64, error) {
	worst := 0.0
	for _, piece := range pieces {
		e, err := piece.run(ctx, backend, t)
		if worst = max(worst, e); err != nil {
			return worst, err
		}
	}
	return worst, nil
}

// pieces cuts a case of one element-wise operator over tensors of one shape
// into cases whose tensors have at most limit bytes; other cases stay whole.
func (c *Case) pieces(limit int64) []*Case {
	elementwise := strings.Fields("add sub mul div max min pow")
	if len(c.operators) != 1 || !slices.Contains(elementwise, strings.ToLower(c.Op)) {
		return []*Case{c}
	}
	shape := c.outputs[0].Shape
	for _, v := range slices.Concat(c.inputs, c.outputs) {
		if v == nil || !slices.Equal(v.Shape, shape) {
			return []*Case{c}
		}
	}
	n := product(shape)
	if int64(4*n) <= limit {
		return []*Case{c}
	}
	var out []*Case
	most := int(limit / 16 * 4)
	for start := 0; start < n; start += most {
		piece := *c
		piece.inputs, piece.outputs = cut(c.inputs, start, min(most, n-start)), cut(c.outputs, start, min(most, n-start))
		out = append(out, &piece)
	}
	return out
}

// cut returns n elements of each value from start on.
func cut(values []*Value, start, n int) []*Value {
	out := make([]*Value, len(values))
	for i, v := range values {
		part := *v
		part.Shape = []int{n}
		if len(v.Data) > 1 {
			part.Data = v.Data[start : start+n]
		}
		out[i] = &part
	}
	return out
}

// run builds and runs a case and returns the largest relative error.
func (c *Case) run(ctx context.Context, backend gpu.Backend, t tolerance) (float64, error) {
	j, err := c.build(backend.Info().Target)
	if err != nil {
		return 0, err
	}
	buffers, err := j.execute(ctx, backend)
	defer func() {
		for _, b := range buffers {
			b.Release()
		}
	}()
	if err != nil {
		return math.Inf(1), err
	}
	worst := 0.0
	for _, check := range j.checks {
		e, err := check.compare(buffers[check.buffer], t)
		if worst = max(worst, e); err != nil {
			return worst, err
		}
	}
	return worst, nil
}

// execute runs the program once and returns its external buffers.
func (j *job) execute(ctx context.Context, backend gpu.Backend) (map[string]gpu.Buffer, error) {
	buffers := map[string]gpu.Buffer{}
	for _, spec := range j.program.Buffers {
		if spec.Kind != gpu.External {
			continue
		}
		b, err := backend.NewBuffer(spec.Name, spec.Size)
		if err != nil {
			return buffers, err
		}
		buffers[spec.Name] = b
		if content := j.contents[spec.Name]; len(content) > 0 {
			if err := b.Write(0, content); err != nil {
				return buffers, err
			}
		}
	}
	x, err := backend.Compile(j.program, buffers)
	if err != nil {
		return buffers, err
	}
	defer x.Release()
	if err := x.Setup(ctx); err != nil {
		return buffers, err
	}
	return buffers, x.Run(ctx)
}
