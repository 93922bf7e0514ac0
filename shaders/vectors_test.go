package shaders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/shared"
	"duet/shaders"
)

// A runner executes one launch over its arguments, a []float32, []uint32 or
// []int32 per storage binding; what the kernel writes it finds there.
type runner func(t testing.TB, l shaders.Launch, args ...any)

// onBoth runs a test with the twins and with the device.
func onBoth(t *testing.T, f func(t *testing.T, run runner)) {
	t.Run("twin", func(t *testing.T) { f(t, runTwin) })
	t.Run("device", func(t *testing.T) {
		gputest.Open(t)
		f(t, runDevice)
	})
}

func runTwin(t testing.TB, l shaders.Launch, args ...any) {
	t.Helper()
	if got, want := len(args), len(l.Kernel.Storage()); got != want {
		t.Fatalf("%s takes %d buffers, got %d", l.Kernel.Name, want, got)
	}
	c := shaders.Call{Groups: l.Groups, Params: l.Params}
	for _, a := range args {
		w := toWords(a)
		c.Buffers = append(c.Buffers, append(make(shaders.Words, 0, len(w)+4), w...)[:gpu.Bytes(len(w))/4])
	}
	l.Kernel.Reference(c)
	for i, b := range l.Kernel.Storage() {
		if b.Access == shaders.ReadWrite {
			fromWords(args[i], c.Buffers[i])
		}
	}
}

func runDevice(t testing.TB, l shaders.Launch, args ...any) {
	t.Helper()
	device := gputest.Open(t)
	program := &gpu.Program{Name: l.Kernel.Name}
	externals := map[string]gpu.Buffer{}
	var views []gpu.View
	for i, b := range l.Kernel.Storage() {
		w := toWords(args[i])
		views = append(views, program.External(b.Name, len(w)))
		externals[b.Name] = gputest.Buffer(t, device, b.Name, append(shaders.Words(w).F(), make([]float32, int(gpu.Bytes(len(w))/4)-len(w))...))
	}
	program.Add(l.Kernel.Name, l, views...)
	x, err := device.Compile(program, externals)
	if err != nil {
		t.Fatalf("%s: %v", l.Kernel.Name, err)
	}
	defer x.Release()
	if err := x.Run(context.Background()); err != nil {
		t.Fatalf("%s: %v", l.Kernel.Name, err)
	}
	for i, b := range l.Kernel.Storage() {
		if b.Access == shaders.ReadWrite {
			got := make([]uint32, len(toWords(args[i])))
			if err := externals[b.Name].Read(0, wordBytes(got)); err != nil {
				t.Fatal(err)
			}
			fromWords(args[i], got)
		}
	}
}

func fromWords(a any, w shaders.Words) {
	switch a := a.(type) {
	case []float32:
		copy(a, w.F())
	case []uint32:
		copy(a, w)
	case []int32:
		copy(a, w.I())
	}
}

// A vector is one case of a file of ../shared/vectors/torch-gradients.
type vector struct {
	Name        string
	Attrs       map[string]any
	Inputs      []vectorTensor
	Outputs     []vectorTensor
	OutputGrads []vectorTensor `json:"output_grads"`
	InputGrads  []vectorTensor `json:"input_grads"`
}

type vectorTensor struct {
	Name  string
	Shape []int
	Data  []number
}

// A number may be written as a string ("inf", "-inf", "nan") or as a boolean.
type number float32

func (n *number) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		*n = 1
		return nil
	case "false":
		*n = 0
		return nil
	}
	s := string(text)
	if s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	v, err := strconv.ParseFloat(s, 32)
	*n = number(v)
	return err
}

// f returns the values as they stand.
func (v vectorTensor) f() []float32 {
	out := make([]float32, len(v.Data))
	for i, x := range v.Data {
		out[i] = float32(x)
	}
	return out
}

// nhwc returns the values of an [N C H W] tensor as [N H W C].
func (v vectorTensor) nhwc() []float32 {
	n, c, hw := v.Shape[0], v.Shape[1], 1
	for _, d := range v.Shape[2:] {
		hw *= d
	}
	out := make([]float32, len(v.Data))
	for i := range n {
		for j := range c {
			for k := range hw {
				out[(i*hw+k)*c+j] = float32(v.Data[(i*c+j)*hw+k])
			}
		}
	}
	return out
}

func (v vector) attr(name string) int { return int(v.Attrs[name].(float64)) }

// forVectors runs a test over the cases of a file, with twins and device.
func forVectors(t *testing.T, file string, f func(t *testing.T, run runner, v vector)) {
	data := shared.Read(t, "vectors", "torch-gradients", file+".json")
	var cases []vector
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no cases", file)
	}
	onBoth(t, func(t *testing.T, run runner) {
		for _, v := range cases {
			t.Run(v.Name, func(t *testing.T) { f(t, run, v) })
		}
	})
}

// near fails where got differs from want by more than relative times the
// largest magnitude of want plus absolute.
func near(t testing.TB, what string, got, want []float32, relative, absolute float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, want %d", what, len(got), len(want))
	}
	largest := 0.0
	for _, w := range want {
		if !math.IsInf(float64(w), 0) {
			largest = max(largest, math.Abs(float64(w)))
		}
	}
	worst, at := -1.0, 0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if got[i] == want[i] || got[i] != got[i] && want[i] != want[i] {
			d = 0
		} else if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > relative*largest+absolute {
		t.Errorf("%s[%d] is %g, want %g (largest %g)", what, at, got[at], want[at], largest)
	}
}

// nearVector is near with the tolerance of the gradient files.
func nearVector(t testing.TB, what string, got, want []float32) {
	t.Helper()
	near(t, what, got, want, 2e-5, 1e-6)
}

// gradcheck compares gradients of Σ forward(inputs)·dy with fourth-order finite
// differences summed in float64; a nil gradient is not checked. Tolerance is
// relative to the largest difference quotient of the input.
func gradcheck(t testing.TB, inputs, gradients [][]float32, dy []float32, step float32, tolerance float64, forward func(inputs [][]float32) []float32) {
	t.Helper()
	loss := func() float64 {
		sum := 0.0
		for i, y := range forward(inputs) {
			sum += float64(y) * float64(dy[i])
		}
		return sum
	}
	for k, gradient := range gradients {
		if gradient == nil {
			continue
		}
		want := make([]float32, len(inputs[k]))
		for i, x := range inputs[k] {
			at := func(h float32) float64 {
				inputs[k][i] = x + h
				return loss()
			}
			want[i] = float32((8*(at(step)-at(-step)) - (at(2*step) - at(-2*step))) / (12 * float64(step)))
			inputs[k][i] = x
		}
		near(t, fmt.Sprintf("gradient of input %d", k), gradient, want, tolerance, tolerance*1e-2)
	}
}

func zeros(n int) []float32 { return make([]float32, n) }
