package train

import "testing"

func TestChooseSure(t *testing.T) {
	right, wrong := func(p float32) verdict { return verdict{p, true} }, func(p float32) verdict { return verdict{p, false} }
	for name, test := range map[string]struct {
		answers []verdict
		want    float64
	}{
		"none":                 {nil, NeverSure},
		"none is right":        {[]verdict{wrong(0.9), wrong(0.4)}, NeverSure},
		"none is wrong":        {[]verdict{right(0.9), right(0.4)}, 0},
		"apart":                {[]verdict{right(0.75), wrong(0.5), right(1), wrong(0.25)}, 0.75},
		"between each other":   {[]verdict{wrong(0.125), right(0.25), wrong(0.5), right(0.75), right(1)}, 0.75},
		"the wrong ones surer": {[]verdict{right(0.25), wrong(0.75)}, 0},
	} {
		if got := chooseSure(test.answers); got != test.want {
			t.Errorf("%s: %g, want %g", name, got, test.want)
		}
	}
}
