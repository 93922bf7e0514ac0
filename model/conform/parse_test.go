package conform

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"duet/gpu"
)

func TestData(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []float64
		err        string
	}{
		{"numbers", "[1, -2.5,3e-2]", []float64{1, -2.5, 0.03}, ""},
		{"none", "[]", nil, ""},
		{"one for all", "89.5", []float64{89.5}, ""},
		{"booleans", "[true,false]", []float64{1, 0}, ""},
		{"special", `["inf","-inf","Infinity","-Infinity"]`, []float64{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}, ""},
		{"too small for a double", "[1e-400]", []float64{0}, ""},
		{"nested", "[[1],[2]]", nil, "nested"},
		{"words", `["many"]`, nil, "not a number"},
		{"null", "[null]", nil, "not a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d data
			err := d.UnmarshalJSON([]byte(c.text))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || !slices.Equal(d, c.want) {
				t.Errorf("%v, %v, want %v", d, err, c.want)
			}
		})
	}
	var d data
	if err := d.UnmarshalJSON([]byte(`["nan"]`)); err != nil || !math.IsNaN(d[0]) {
		t.Errorf("nan is %v, %v", d, err)
	}
}

// runOne runs a case in ONNX's format on the twins.
func runOne(t *testing.T, text string) *Report {
	t.Helper()
	r, err := Run(t.Context(), gpu.NewReference(), fstest.MapFS{"onnx-json/case.json": {Data: []byte(text)}}, Options{Suites: []string{ONNX}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMalformedFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", "{", "unexpected end"},
		{"short data", `{"op":"Relu","inputs":[{"name":"x","dtype":"float32","shape":[3],"data":[1,2]}]}`, "2 numbers for shape [3]"},
		{"negative dimension", `{"op":"Relu","inputs":[{"name":"x","dtype":"float32","shape":[-1],"data":[1]}]}`, "not usable"},
		{"huge", `{"op":"Relu","inputs":[{"name":"x","dtype":"float32","shape":[2000000000,2000000000],"data":1}]}`, "not usable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"onnx-json/bad.json": {Data: []byte(c.text)}}, ONNX)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bad.json") {
				t.Errorf("error %v, want one that names bad.json and has %q", err, c.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, ONNX); err == nil {
		t.Error("a suite that is not there loads")
	}
}

const relu = `{"name":"relu","op":"Relu","opset":{"ai.onnx":14},"inputs":[{"name":"x","dtype":"float32","shape":[2],"data":[-1,2]}],"outputs":[{"name":"y","dtype":"float32","shape":[2],"data":[0,2]}]}`

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name, old, new         string
		passed, failed, beyond int
		reason                 string
	}{
		{"right", "", "", 1, 0, 0, ""},
		{"unknown operator", `"op":"Relu"`, `"op":"Rely"`, 0, 0, 1, "operator Rely"},
		{"unknown attribute", `"opset"`, `"attrs":{"slope":1},"opset"`, 0, 0, 1, "Relu with attribute slope"},
		{"a data type", `"float32","shape":[2],"data":[-1`, `"int32","shape":[2],"data":[-1`, 0, 0, 1, "data type int32"},
		{"another input", `"data":[-1,2]}`, `"data":[-1,2]},{"name":"z","dtype":"float32","shape":[1],"data":[0]}`, 0, 0, 1, "Relu with input 1"},
		{"another output", `"outputs":[`, `"outputs":[{"name":"z","dtype":"float32","shape":[2],"data":[0,2]},`, 0, 0, 1, "Relu with output 1"},
		{"wrong result", `[0,2]`, `[0,2.001]`, 0, 1, 0, "y[1] = 2, want 2.001"},
		{"not finite", `[0,2]`, `[0,"inf"]`, 0, 1, 0, "want +Inf"},
		{"wrong shape", `"shape":[2],"data":[0,2]`, `"shape":[1,2],"data":[0,2]`, 0, 1, 0, "has shape [2], want [1 2]"},
		{"shapes that do not fit", `"op":"Relu"`, `"op":"MatMul"`, 0, 1, 0, "MatMul lacks input 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runOne(t, strings.Replace(relu, c.old, c.new, 1))
			if r.Passed != c.passed || r.Failed != c.failed || r.OutOfScope != c.beyond {
				t.Errorf("%d passed, %d failed, %d out of scope", r.Passed, r.Failed, r.OutOfScope)
			}
			got := ""
			for _, f := range r.Failures {
				got = f.Reason
			}
			for _, x := range r.Exclusions {
				got = x.Reason
			}
			if !strings.Contains(got, c.reason) {
				t.Errorf("the reason is %q, want %q", got, c.reason)
			}
		})
	}
}

func TestReportEndsWithTotals(t *testing.T) {
	r := runOne(t, relu)
	if s := r.Summary(); !strings.HasSuffix(s, "\nvectors: 1 passed, 0 failed, 0 out of scope\n") {
		t.Errorf("the summary is %q", s)
	}
	if s := r.Rows[0].String(); !strings.Contains(s, "Relu") || !strings.Contains(s, "1 passed") {
		t.Errorf("the row is %q", s)
	}
}

func TestExceptionsAreBounded(t *testing.T) {
	for op, x := range exceptions() {
		if x.factor <= 1 || x.factor > 10 || x.cause == "" {
			t.Errorf("%s: factor %v with cause %q", op, x.factor, x.cause)
		}
	}
}

// A tensor that is larger than a binding of the backend runs in pieces.
func TestPieces(t *testing.T) {
	values := func(name string) *Value {
		return &Value{Name: name, DType: "float32", Shape: []int{10, 10}, Data: make(data, 100)}
	}
	c := &Case{Op: "add", operators: make([]operator, 1), inputs: []*Value{values("a"), values("b")}, outputs: []*Value{values("y")}}
	for i := range 100 {
		c.inputs[0].Data[i] = float64(i)
	}
	if n := len(c.pieces(400)); n != 1 {
		t.Errorf("%d pieces of what fits", n)
	}
	pieces, seen := c.pieces(160), 0
	for _, p := range pieces {
		for _, v := range p.inputs[0].Data {
			if v != float64(seen) {
				t.Fatalf("element %d is %v", seen, v)
			}
			seen++
		}
		if n := p.outputs[0].Len(); 4*n > 160 || n != len(p.inputs[1].Data) {
			t.Errorf("a piece of %d elements", n)
		}
	}
	if seen != 100 {
		t.Errorf("the pieces have %d elements, want 100", seen)
	}
	c.Op = "matmul"
	if n := len(c.pieces(160)); n != 1 {
		t.Errorf("%d pieces of an operator that is not element-wise", n)
	}
}
