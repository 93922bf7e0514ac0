package nn

import (
	"slices"
	"strings"
	"testing"
)

func TestFreeze(t *testing.T) {
	ps := NewParams()
	for _, name := range []string{"visual.conv1.weight", "visual_proj.weight", "text.layer.1.weight", "text.layer.10.weight", "text_proj.bias"} {
		ps.Add(name, Init{}, 2)
	}
	NewBatchNorm(ps, "visual.bn1", 2)
	trained := func(names ...string) []string {
		t.Helper()
		if err := ps.Freeze(names); err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, p := range ps.All() {
			if p.Trainable {
				left = append(left, p.Name)
			}
		}
		return left
	}
	all := []string{"visual.conv1.weight", "visual_proj.weight", "text.layer.1.weight", "text.layer.10.weight", "text_proj.bias", "visual.bn1.weight", "visual.bn1.bias"}
	for _, test := range []struct {
		name   string
		frozen []string
		left   []string
	}{
		{"nothing", nil, all},
		{"a tower, not its projection", []string{"visual"}, []string{"visual_proj.weight", "text.layer.1.weight", "text.layer.10.weight", "text_proj.bias"}},
		{"with a dot", []string{"visual."}, []string{"visual_proj.weight", "text.layer.1.weight", "text.layer.10.weight", "text_proj.bias"}},
		{"layer 1, not 10", []string{"text.layer.1"}, []string{"visual.conv1.weight", "visual_proj.weight", "text.layer.10.weight", "text_proj.bias", "visual.bn1.weight", "visual.bn1.bias"}},
		{"one tensor", []string{"text_proj.bias", "visual"}, []string{"visual_proj.weight", "text.layer.1.weight", "text.layer.10.weight"}},
	} {
		if left := trained(test.frozen...); !slices.Equal(left, test.left) {
			t.Errorf("%s: %v are trained, want %v", test.name, left, test.left)
		}
	}
	for _, name := range []string{"vis", "text.layer", "text.layer.2", ""} {
		err := ps.Freeze([]string{name})
		if name == "text.layer" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "visual_proj") {
			t.Errorf("%q: the error is %v", name, err)
		}
	}
	if n := ps.Len(); n != 5*2+4*2 {
		t.Errorf("%d values", n)
	}
}
