package bench

import (
	"context"
	"math"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
)

// TestCases runs every case on the device and, where the twins are quick
// enough, compares the output with theirs.
func TestCases(t *testing.T) {
	slow := map[string]bool{"roberta_base": true}
	twins := map[string]bool{"matmul512": true, "train_head_b32": true}
	for _, c := range For(gputest.Open(t).Info().Class) {
		t.Run(c.Name, func(t *testing.T) {
			if slow[c.Name] && testing.Short() {
				t.Skip("slow")
			}
			b, err := Prepare(context.Background(), gputest.Open(t), c)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Release()
			for _, v := range b.Y {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("output %v", b.Y)
				}
			}
			if b.Work.Flops() <= 0 {
				t.Error("no operations are counted")
			}
			if !twins[c.Name] {
				return
			}
			r, err := Prepare(context.Background(), gpu.NewReference(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			for i := range b.Y {
				if d := math.Abs(float64(b.Y[i] - r.Y[i])); d > 1e-4*max(1, math.Abs(float64(r.Y[i]))) {
					t.Errorf("output %v, the twins' %v", b.Y, r.Y)
				}
			}
		})
	}
}

// TestFor is about what a software adapter is spared; by name it runs there, too.
func TestFor(t *testing.T) {
	if n := len(For(gpu.Discrete)); n != len(Cases()) {
		t.Errorf("a discrete adapter runs %d of %d cases", n, len(Cases()))
	}
	spared := len(Cases())
	for _, c := range For(gpu.Software) {
		if spared--; c.Large {
			t.Errorf("a software adapter runs %s", c.Name)
		}
	}
	if spared == 0 {
		t.Error("a software adapter runs every case")
	}
	if c, err := Find("resnet18_b32"); err != nil || !c.Large {
		t.Errorf("resnet18_b32 is found as %v, %v", c.Name, err)
	}
}
