package data

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"slices"
	"testing"
)

func everything() Augment {
	return Augment{
		CropArea: [2]float64{0.3, 0.9}, Flip: 0.5, Rotation: 20, Brightness: 0.3, Contrast: 0.3, Saturation: 0.3, Hue: 0.1, Erase: 0.7,
	}
}

func TestAugmentIsAFunctionOfItsKey(t *testing.T) {
	p := NewPrep(32)
	a := everything()
	base := drawn(1, 50, 40)
	before := bytes.Clone(base.Pix)
	seen := map[string]bool{}
	for i := range uint64(20) {
		x, boxX := a.apply(base, &p, newDraws(7, i))
		y, boxY := a.apply(base, &p, newDraws(7, i))
		if !bytes.Equal(x.Pix, y.Pix) || boxX != boxY {
			t.Fatalf("key %d gives two pictures", i)
		}
		if x.Bounds() != image.Rect(0, 0, 32, 32) {
			t.Fatalf("key %d gives %v", i, x.Bounds())
		}
		seen[string(x.Pix)] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 keys give %d pictures", len(seen))
	}
	if !bytes.Equal(base.Pix, before) {
		t.Error("the cached picture has changed")
	}
}

func TestAugmentOffIsTheCentreCrop(t *testing.T) {
	p := NewPrep(32)
	p.ResizeShort = 36
	base, err := p.resize(&Image{Pixels: drawn(2, 90, 60)}, 36)
	if err != nil {
		t.Fatal(err)
	}
	got, box := new(Augment).apply(base, &p, newDraws(1))
	if most, _ := difference(t, got, centreCrop(base, 32)); most != 0 || !box.Empty() {
		t.Errorf("differs by %d, erases %v", most, box)
	}
}

func TestFlip(t *testing.T) {
	p := NewPrep(8)
	m := drawn(3, 8, 8)
	flipped := 0
	a := Augment{Flip: 0.5}
	for i := range uint64(400) {
		got, _ := a.apply(m, &p, newDraws(i))
		switch {
		case bytes.Equal(got.Pix, m.Pix):
		case got.NRGBAAt(0, 3) == m.NRGBAAt(7, 3) && got.NRGBAAt(6, 1) == m.NRGBAAt(1, 1):
			flipped++
		default:
			t.Fatal("neither the picture nor its mirror")
		}
	}
	if flipped < 150 || flipped > 250 {
		t.Errorf("%d of 400 are flipped, want about 200", flipped)
	}
}

func TestCropBoxes(t *testing.T) {
	b := image.Rect(10, 20, 110, 100)
	a := Augment{CropArea: [2]float64{0.25, 0.75}, CropRatio: [2]float64{0.5, 2}}
	var areas []float64
	for i := range uint64(2000) {
		box := a.cropBox(b, newDraws(i))
		if !box.In(b) || box.Empty() {
			t.Fatalf("%v is not in %v", box, b)
		}
		area := float64(box.Dx()*box.Dy()) / float64(b.Dx()*b.Dy())
		ratio := float64(box.Dx()) / float64(box.Dy())
		if area < 0.24 || area > 0.76 || ratio < 0.48 || ratio > 2.1 {
			t.Fatalf("area %.2f, ratio %.2f", area, ratio)
		}
		areas = append(areas, area)
	}
	slices.Sort(areas)
	if median := areas[1000]; median < 0.42 || median > 0.55 {
		t.Errorf("median area %.3f, want about 0.49", median)
	}
	// A picture that no ratio in range fits gets the largest centre crop of the nearest ratio.
	strip := Augment{CropArea: [2]float64{1, 1}, CropRatio: [2]float64{0.5, 2}}
	if got, want := strip.cropBox(image.Rect(0, 0, 100, 10), newDraws(1)), image.Rect(40, 0, 60, 10); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestColour(t *testing.T) {
	at := func(c colour, r, g, b uint8) color.NRGBA {
		m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		m.SetNRGBA(0, 0, color.NRGBA{r, g, b, 255})
		c.apply(m)
		return m.NRGBAAt(0, 0)
	}
	for _, c := range []struct {
		name    string
		change  colour
		r, g, b uint8
		want    color.NRGBA
	}{
		{"brightness", colour{0.5, 1, 1, 0}, 200, 100, 50, color.NRGBA{100, 50, 25, 255}},
		{"bright and clamped", colour{2, 1, 1, 0}, 200, 100, 50, color.NRGBA{255, 200, 100, 255}},
		{"contrast of none", colour{1, 0, 1, 0}, 200, 100, 50, color.NRGBA{124, 124, 124, 255}},
		{"saturation of none", colour{1, 1, 0, 0}, 200, 100, 50, color.NRGBA{124, 124, 124, 255}},
		{"hue by a third", colour{1, 1, 1, 1. / 3}, 200, 100, 50, color.NRGBA{50, 200, 100, 255}},
		{"hue back", colour{1, 1, 1, -1. / 3}, 50, 200, 100, color.NRGBA{200, 100, 50, 255}},
		{"hue by half", colour{1, 1, 1, 0.5}, 255, 0, 0, color.NRGBA{0, 255, 255, 255}},
		{"hue of grey", colour{1, 1, 1, 0.4}, 80, 80, 80, color.NRGBA{80, 80, 80, 255}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := at(c.change, c.r, c.g, c.b); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	for h := range 12 {
		v := [3]float64{200, 30, 90}
		w := turnHue(turnHue(v, float64(h)/12), -float64(h)/12)
		for k := range v {
			if math.Abs(v[k]-w[k]) > 1e-9 {
				t.Errorf("there and back by %d/12: %v becomes %v", h, v, w)
			}
		}
	}
}

func TestRotate(t *testing.T) {
	m := drawn(5, 9, 9)
	quarter := rotate(m, 90, [3]uint8{})
	for y := range 9 {
		for x := range 9 {
			if got, want := quarter.NRGBAAt(x, y), m.NRGBAAt(8-y, x); got != want {
				t.Fatalf("90°: (%d, %d) is %v, want %v", x, y, got, want)
			}
		}
	}
	tilted := rotate(m, 45, [3]uint8{1, 2, 3})
	if tilted.NRGBAAt(0, 0) != (color.NRGBA{1, 2, 3, 255}) || tilted.NRGBAAt(4, 4) != m.NRGBAAt(4, 4) {
		t.Errorf("45°: corner %v, centre %v", tilted.NRGBAAt(0, 0), tilted.NRGBAAt(4, 4))
	}
}

func TestErase(t *testing.T) {
	a := Augment{Erase: 1, EraseArea: [2]float64{0.1, 0.2}}
	for i := range uint64(200) {
		box := a.eraseBox(32, newDraws(i))
		if box.Empty() || !box.In(image.Rect(0, 0, 32, 32)) {
			t.Fatalf("%v", box)
		}
		if area := float64(box.Dx()*box.Dy()) / 1024; area < 0.08 || area > 0.22 {
			t.Errorf("area %.3f, want 0.1 to 0.2", area)
		}
	}
	dst := make([]float32, 4*4*Channels)
	for i := range dst {
		dst[i] = 1
	}
	eraseTensor(dst, 4, image.Rect(1, 2, 3, 4))
	zeros := 0
	for i, v := range dst {
		x, y := i/Channels%4, i/Channels/4
		if inside := x >= 1 && x < 3 && y >= 2; (v == 0) != inside {
			t.Errorf("(%d, %d) is %v", x, y, v)
		}
		if v == 0 {
			zeros++
		}
	}
	if zeros != 4*Channels {
		t.Errorf("%d floats are erased", zeros)
	}
}

func TestAugmentValidate(t *testing.T) {
	off, usual, all := Augment{}, DefaultAugment(), everything()
	for _, a := range []*Augment{&off, &usual, &all} {
		if err := a.Validate(); err != nil {
			t.Error(err)
		}
	}
	for name, a := range map[string]Augment{
		"flip":        {Flip: 1.5},
		"flip NaN":    {Flip: math.NaN()},
		"crop_area":   {CropArea: [2]float64{0.9, 0.5}},
		"crop_ratio":  {CropRatio: [2]float64{0, 1}},
		"erase_area":  {EraseArea: [2]float64{0.1, 2}},
		"erase_ratio": {EraseRatio: [2]float64{math.NaN(), 1}},
		"rotation":    {Rotation: 181},
		"hue":         {Hue: 0.6},
		"saturation":  {Saturation: -0.1},
	} {
		if err := a.Validate(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestDraws(t *testing.T) {
	// The first outputs of SplitMix64 from state 0, from its published code.
	d := draws(0)
	for _, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := d.next(); got != want {
			t.Errorf("%#x, want %#x", got, want)
		}
	}
	counts := make([]int, 7)
	e := newDraws(1, 2, 3)
	for range 70_000 {
		counts[e.intn(7)]++
	}
	for i, n := range counts {
		if n < 9500 || n > 10500 {
			t.Errorf("%d of 70,000 draws are %d", n, i)
		}
	}
	p := newDraws(4).permutation(1000)
	sorted := slices.Sorted(slices.Values(p))
	for i, v := range sorted {
		if i != v {
			t.Fatal("not a permutation")
		}
	}
	if slices.IsSorted(p) || slices.Equal(p, newDraws(5).permutation(1000)) {
		t.Error("not shuffled by its key")
	}
}
