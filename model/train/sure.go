package train

import (
	"cmp"
	"slices"
)

// NeverSure is the probability below which answers are not sure of a model that
// nothing was measured of.
const NeverSure = 1

// A verdict is how sure a model was, and whether it was right.
type verdict struct {
	p     float32 // of the answer
	right bool
}

func (a Answer) verdict() verdict {
	best := 0
	for i, p := range a.Probabilities {
		if p > a.Probabilities[best] {
			best = i
		}
	}
	return verdict{a.Probabilities[best], best == a.Label}
}

// chooseSure returns the probability below which answers should be marked as
// not sure: the threshold that best tells right answers from wrong ones, by the
// largest share of right answers at or above it minus that of wrong ones
// (Youden's J). It is 0 where no answer is wrong, and 1 where none is right.
func chooseSure(all []verdict) float64 {
	right, wrong := 0, 0
	for _, v := range all {
		if v.right {
			right++
		} else {
			wrong++
		}
	}
	switch {
	case right == 0:
		return NeverSure
	case wrong == 0:
		return 0
	}
	slices.SortFunc(all, func(a, b verdict) int { return cmp.Compare(a.p, b.p) })
	best, at := 0.0, 0.0
	rightAbove, wrongAbove := right, wrong
	for i, v := range all {
		if i == 0 || v.p > all[i-1].p {
			if j := float64(rightAbove)/float64(right) - float64(wrongAbove)/float64(wrong); j > best {
				best, at = j, float64(v.p)
			}
		}
		if v.right {
			rightAbove--
		} else {
			wrongAbove--
		}
	}
	return at
}
