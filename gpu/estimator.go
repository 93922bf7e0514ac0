package gpu

import (
	"math"
	"time"
)

// A Rate is what an adapter is taken to do per second while nothing has been
// measured yet.
type Rate struct {
	Flops  float64 // floating-point operations
	Bytes  float64 // bytes of arguments
	Launch float64 // seconds of a dispatch that does nothing
}

// RateOf returns a cautious rate for a class of adapters: too many submits cost
// little, one that runs too long is killed by the browser's or the driver's watchdog.
func RateOf(c Class) Rate {
	switch c {
	case Discrete:
		return Rate{Flops: 1e12, Bytes: 1e11, Launch: 3e-6}
	case Integrated:
		return Rate{Flops: 1e11, Bytes: 1e10, Launch: 5e-6}
	case Software:
		return Rate{Flops: 2e9, Bytes: 1e9, Launch: 3e-5}
	}
	return Rate{Flops: 2e10, Bytes: 5e9, Launch: 1e-5}
}

// seconds estimates the time of a dispatch at a rate.
func (r Rate) seconds(d *Dispatch) float64 {
	return r.Launch + d.Flops/r.Flops + float64(d.Bytes())/r.Bytes
}

// split appends to ends where a replay is cut into submits: the end of each run
// of costs, in seconds, that stays within limit. A single one above it stands alone.
func split(ends []int, costs []float64, limit float64) []int {
	sum := 0.0
	for i, c := range costs {
		if sum > 0 && sum+c > limit {
			ends = append(ends, i)
			sum = 0
		}
		sum += c
	}
	if len(costs) > 0 {
		ends = append(ends, len(costs))
	}
	return ends
}

// An estimator turns nominal costs into expected seconds by what it has
// measured, kernel by kernel.
type estimator struct {
	rate    Rate
	factors map[string]*float64 // by kernel name: measured over nominal

	// The submits measured since it last learnt: browsers tell the ends of
	// several at once, so that only a longer time is worth something.
	took    time.Duration
	submits []cost
}

// A cost is what a submit should take: the sum of nominal seconds times factors.
type cost struct {
	nominal []float64
	factors []*float64
}

func (c cost) seconds() float64 {
	sum := 0.0
	for i, n := range c.nominal {
		sum += n * *c.factors[i]
	}
	return sum
}

// window is the time after which the estimator learns.
const window = 50 * time.Millisecond

// factor returns the correction of a kernel, shared by all its dispatches.
func (e *estimator) factor(kernel string) *float64 {
	f, ok := e.factors[kernel]
	if !ok {
		f = new(float64)
		*f = 1
		e.factors[kernel] = f
	}
	return f
}

// observe takes in a finished submit: what it took, and how long ago it was
// last seen unfinished, which bounds the error of that.
func (e *estimator) observe(c cost, took, unseen time.Duration) {
	e.took += took
	e.submits = append(e.submits, c)
	if e.took < window {
		return
	}
	if unseen < e.took/8 {
		e.learn()
	}
	e.took, e.submits = 0, e.submits[:0]
}

// learn corrects the kernels of the measured submits. It follows a slow
// measurement at once and a fast one by half: the cost of overrunning the limit
// is higher than that of one more submit.
func (e *estimator) learn() {
	expected := 0.0 // by today's factors: the submits were launched under older ones
	for _, c := range e.submits {
		expected += c.seconds()
	}
	ratio := e.took.Seconds() / max(expected, 1e-9)
	if ratio > 0.8 && ratio < 1.25 {
		return
	}
	if ratio < 1 {
		ratio = math.Sqrt(ratio)
	}
	// A kernel's factor is adjusted once, however often the submits run it.
	done := map[*float64]bool{}
	for _, c := range e.submits {
		for _, f := range c.factors {
			if !done[f] {
				done[f] = true
				*f = min(max(*f*ratio, 1e-6), 1e6)
			}
		}
	}
}
