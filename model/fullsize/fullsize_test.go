package fullsize

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"duet/model/checkpoint"
	"duet/model/config"
)

// TestSizes compares names and counts with what is published of the two models.
func TestSizes(t *testing.T) {
	count := func(tensors []tensor, leftOut func(string) bool) (values int) {
		seen := map[string]bool{}
		for _, x := range tensors {
			if seen[x.name] {
				t.Errorf("%s is there twice", x.name)
			}
			seen[x.name] = true
			if leftOut(x.name) {
				continue
			}
			n := 1
			for _, d := range x.shape {
				n *= d
			}
			values += n
		}
		return values
	}
	statistic := func(name string) bool {
		base := filepath.Ext(name)
		return base == ".running_mean" || base == ".running_var"
	}
	resnet := resNet18()
	if n := count(resnet, statistic); n != 11_689_512 {
		t.Errorf("the ResNet-18 has %d parameters, want 11,689,512", n)
	}
	if n := len(resnet) + len(counters(resnet)); n != 122 {
		t.Errorf("the ResNet-18 has %d tensors, want 122", n)
	}
	encoder := func(name string) bool { return len(name) < 8 || name[:8] != "roberta." }
	if n := count(robertaBase(), encoder); n != 124_055_040 {
		t.Errorf("the RoBERTa's encoder has %d parameters, want 124,055,040 (without its pooler)", n)
	}
}

// TestWrite reads back what a test gets, at the full size.
func TestWrite(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 544 MB")
	}
	vision, text := Towers(t, 7)
	for _, x := range []struct{ path, name string }{
		{vision, "layer4.1.conv2.weight"}, {filepath.Join(text, "model.safetensors"), "roberta.embeddings.word_embeddings.weight"},
	} {
		f, err := checkpoint.OpenFile(x.path)
		if err != nil {
			t.Fatal(err)
		}
		values, err := f.Float32(x.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		sum, squares := 0.0, 0.0
		for _, v := range values {
			sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		}
		mean, std := sum/float64(len(values)), math.Sqrt(squares/float64(len(values)))
		t.Logf("%s: mean %.2g, deviation %.3g, begins %v", x.name, mean, std, values[:3])
		if math.Abs(mean) > std/100 || std < 0.01 || std > 0.2 {
			t.Errorf("%s has mean %g and deviation %g", x.name, mean, std)
		}
		if x.name != "layer4.1.conv2.weight" {
			for i, v := range values[768 : 2*768] {
				if v != 0 {
					t.Fatalf("the padding row has %g at %d", v, i)
				}
			}
		}
	}
	if _, err := config.ReadText(os.DirFS(text), "config.json"); err != nil {
		t.Error(err)
	}
}

// TestFormula pins values, which goldens made elsewhere depend on.
func TestFormula(t *testing.T) {
	var got [3]float64
	state := uint64(0)
	for i := range got {
		state += 0x9e3779b97f4a7c15
		got[i] = fraction(state)
	}
	// splitmix64 from 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f.
	want := [3]float64{float64(0xe220a8) / (1 << 24), float64(0x6e789e) / (1 << 24), float64(0x06c45d) / (1 << 24)}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
