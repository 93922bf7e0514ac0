package gpu

import (
	"fmt"
	"testing"
	"time"
)

// TestEstimator replays lists of dispatches on a pretended device whose kernels
// take another time than their nominal one, and checks that every submit comes
// to stay within the limit, without more of them than that takes.
func TestEstimator(t *testing.T) {
	const limit = 100 * time.Millisecond
	for _, c := range []struct {
		name    string
		kernels []float64 // seconds a dispatch takes, by kernel; nominally 1 ms
	}{
		{"as estimated", []float64{1e-3}},
		{"slower", []float64{30e-3}},
		{"far slower", []float64{90e-3}},
		{"faster", []float64{0.1e-3}},
		{"some slower, some faster", []float64{20e-3, 2e-3, 0.1e-3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			const dispatches = 120
			e := &estimator{rate: RateOf(Software), factors: map[string]*float64{}}
			nominal, took := make([]float64, dispatches), make([]float64, dispatches)
			factors, expected := make([]*float64, dispatches), make([]float64, dispatches)
			total := 0.0
			for i := range dispatches {
				k := i * len(c.kernels) / dispatches
				nominal[i], took[i], factors[i] = 1e-3, c.kernels[k], e.factor(string(rune('a'+k)))
				total += took[i]
			}
			var longest float64
			var submits int
			for range 40 {
				for i := range expected {
					expected[i] = nominal[i] * *factors[i]
				}
				ends := split(nil, expected, limit.Seconds())
				longest, submits = 0, len(ends)
				from := 0
				for _, to := range ends {
					sum := 0.0
					for _, s := range took[from:to] {
						sum += s
					}
					longest = max(longest, sum)
					e.observe(cost{nominal[from:to], factors[from:to]}, time.Duration(sum*1e9), 0)
					from = to
				}
			}
			// An estimate within a quarter of the truth is left alone.
			if longest > 1.25*limit.Seconds() {
				t.Errorf("a submit of %.3g s, limit %v", longest, limit)
			}
			if fewest := total / limit.Seconds(); float64(submits) > 3*fewest+1 {
				t.Errorf("%d submits, %.1f would do", submits, fewest)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	costs := []float64{0.2, 0.2, 0.2, 5, 0.1, 0.9, 0.9}
	for limit, want := range map[float64]string{10: "[7]", 1.05: "[3 4 6 7]", 1e-6: "[1 2 3 4 5 6 7]"} {
		if got := fmt.Sprint(split(nil, costs, limit)); got != want {
			t.Errorf("limit %v: splits %s, want %s", limit, got, want)
		}
	}
}

func TestEstimatorLearns(t *testing.T) {
	e := estimator{rate: RateOf(Software), factors: map[string]*float64{}}
	f := e.factor("k")
	const truth = 40.0 // the kernel is that much slower than assumed
	observe := func(seconds float64, took, unseen time.Duration) {
		e.observe(cost{[]float64{seconds / 2, seconds / 2}, []*float64{f, f}}, took, unseen)
	}
	observe(0.01, 400*time.Millisecond, 0)
	if *f != truth {
		t.Errorf("after a slow measurement the factor is %g, want %g", *f, truth)
	}
	for range 8 { // the ends of three submits are told at once
		observe(0.001, 118*time.Millisecond, 0)
		observe(0.001, time.Millisecond, 0)
		observe(0.001, time.Millisecond, 0)
	}
	if *f < truth/2 || *f > 4*truth {
		t.Errorf("after submits told together the factor is %g, want about %g", *f, truth)
	}
	e = estimator{factors: map[string]*float64{}}
	*f = truth
	for range 8 { // a measurement five times too slow is forgotten
		observe(0.01, 80*time.Millisecond, 0)
	}
	if *f < 7 || *f > 10 {
		t.Errorf("after fast measurements the factor is %g, want about 8", *f)
	}
	before := *f
	observe(0.01, 10*time.Second, 9*time.Second)
	if *f != before {
		t.Errorf("learnt %g from a submit whose end is not known, had %g", *f, before)
	}
}
