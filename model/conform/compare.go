package conform

import (
	"fmt"
	"math"
	"unsafe"

	"duet/gpu"
)

// A tolerance bounds the relative error of an element, |got − want| over
// |want| + Floor (or over the tensor's largest magnitude + Floor): Limit of it,
// that is Limit·|want| relative plus Limit·Floor absolute.
type tolerance struct {
	limit, floor float64
	ofLargest    bool
}

func suiteTolerance(suite string) tolerance {
	if suite == Gradients {
		return tolerance{limit: 2e-5, floor: 0.05, ofLargest: true} // 2e-5 of the largest + 1e-6
	}
	return tolerance{limit: 1e-4, floor: 0.1} // 1e-4 relative + 1e-5
}

// A looser is an operator's tolerance as a multiple of its suite's, and the
// cause. No factor may exceed 10.
type looser struct {
	factor float64
	cause  string
}

// exceptions lists the operators whose tolerance is looser.
func exceptions() map[string]looser {
	return map[string]looser{
		"AveragePool": {2, "one case states its results to four decimals"},
	}
}

// compare reads what a check is about and returns the largest relative error,
// and an error where it is above the limit.
func (c check) compare(b gpu.Buffer, t tolerance) (float64, error) {
	n := c.want.Len()
	words := make([]uint32, n)
	if b == nil {
		return 0, fmt.Errorf("no buffer %s", c.buffer)
	}
	if err := b.Read(int64(4*c.offset), unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 4*n)); err != nil {
		return 0, err
	}
	largest := 0.0
	for i := range c.want.Data {
		if m := math.Abs(c.want.Data[i]); !math.IsInf(m, 0) {
			largest = max(largest, m)
		}
	}
	worst, at := 0.0, -1
	for i, word := range words {
		got, want := float64(math.Float32frombits(word)), float64(float32(c.want.at(i)))
		if c.integer {
			got, want = float64(int32(word)), c.want.at(i)
		}
		scale := math.Abs(want)
		if t.ofLargest {
			scale = largest
		}
		if e := relativeError(got, want, scale+t.floor); e > worst || at < 0 {
			worst, at = e, i
		}
	}
	if worst <= t.limit {
		return worst, nil
	}
	got := any(math.Float32frombits(words[at]))
	if c.integer {
		got = int32(words[at])
	}
	return worst, fmt.Errorf("%s[%d] = %v, want %v: an error of %.2g, where %.0g is allowed", c.want.Name, at, got, float32(c.want.at(at)), worst, t.limit)
}

// relativeError is |got − want| / scale; what is not finite must be equal.
func relativeError(got, want, scale float64) float64 {
	switch {
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return 0
	case math.IsInf(want, 0), math.IsNaN(want), math.IsNaN(got), math.IsInf(got, 0):
		return math.Inf(1)
	}
	return math.Abs(got-want) / scale
}
