package data

import (
	"encoding/csv"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"duet/model/shared"
)

func decodeFile(t testing.TB, path string) *Image {
	t.Helper()
	m, err := DecodeFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readPNG(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

// difference is the largest and the mean difference of two pictures in levels.
func difference(t testing.TB, a *image.NRGBA, b image.Image) (most int, mean float64) {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("%v pixels, want %v", a.Bounds().Size(), b.Bounds().Size())
	}
	min := b.Bounds().Min
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p := a.Pix[a.PixOffset(a.Rect.Min.X+x, a.Rect.Min.Y+y):]
			r, g, bl, _ := b.At(min.X+x, min.Y+y).RGBA()
			for c, want := range []uint32{r, g, bl} {
				d := int(p[c]) - int(want>>8)
				most = max(most, d, -d)
				mean += math.Abs(float64(d))
			}
		}
	}
	return most, mean / float64(3*a.Bounds().Dx()*a.Bounds().Dy())
}

// The tolerances are those of the fixtures' README for 8-bit intermediates.
func TestResizeAgreesWithFixtures(t *testing.T) {
	folder := shared.Path(t, "fixtures", "resize")
	f, err := os.Open(filepath.Join(folder, "cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 25 {
		t.Fatalf("%d cases, want 24", len(rows)-1)
	}
	worst, worstMean := 0, 0.0
	for _, row := range rows[1:] {
		t.Run(row[8], func(t *testing.T) {
			p := NewPrep(1)
			p.Filter = row[2]
			var w, h int
			fmt.Sscan(row[3], &p.ResizeShort)
			fmt.Sscan(row[5], &p.Size)
			fmt.Sscanf(row[4], "%dx%d", &w, &h)
			base, err := p.resize(decodeFile(t, filepath.Join(folder, row[0])), p.ResizeShort)
			if err != nil {
				t.Fatal(err)
			}
			if base.Bounds().Dx() != w || base.Bounds().Dy() != h {
				t.Fatalf("resized to %v, want %s", base.Bounds().Size(), row[4])
			}
			got := centreCrop(base, p.Size)
			if corner := fmt.Sprint(got.Rect.Min.X, " ", got.Rect.Min.Y); corner != row[6]+" "+row[7] {
				t.Errorf("crop begins at %s, want %s %s", corner, row[6], row[7])
			}
			most, mean := difference(t, got, readPNG(t, filepath.Join(folder, row[8])))
			worst, worstMean = max(worst, most), max(worstMean, mean)
			if most > 2 || mean >= 0.05 {
				t.Errorf("differs by at most %d (want 2), mean %.4f (want 0.05)", most, mean)
			}
		})
	}
	t.Logf("largest difference %d of 255, largest mean %.4f", worst, worstMean)
}

func TestEXIFOrientations(t *testing.T) {
	folder := shared.Path(t, "fixtures", "resize")
	for n := 1; n <= 8; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := decodeFile(t, filepath.Join(folder, fmt.Sprintf("exif_orientation_%d.jpg", n)))
			if m.Orientation != n {
				t.Errorf("orientation %d, want %d", m.Orientation, n)
			}
			most, mean := difference(t, m.Upright(), readPNG(t, filepath.Join(folder, fmt.Sprintf("exif_expected_%d.png", n))))
			if most > 8 || mean >= 1 {
				t.Errorf("differs by at most %d (want 8), mean %.3f (want 1)", most, mean)
			}
			upright := &Image{Pixels: m.Upright()}
			p := NewPrep(48)
			a, err := p.resize(m, p.Size)
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.resize(upright, p.Size)
			if err != nil {
				t.Fatal(err)
			}
			if most, _ := difference(t, a, b); most > 1 {
				t.Errorf("turning after resizing differs by %d levels, want at most 1", most)
			}
		})
	}
}

func TestPrepTensor(t *testing.T) {
	p := NewPrep(2)
	p.Mean, p.Std = [3]float32{0.5, 0.25, 0}, [3]float32{0.5, 0.25, 1}
	m := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	copy(m.Pix, []uint8{255, 0, 51, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255})
	got := make([]float32, p.Len())
	if err := p.Tensor(&Image{Pixels: m}, got); err != nil {
		t.Fatal(err)
	}
	want := []float32{1, -1, 0.2, 0, -1, 3, 0, 0, -1, -1, 1, 0, 1, 3, 1, 0}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Errorf("float %d of [H W 4] is %v, want %v", i, got[i], want[i])
		}
	}
	if err := p.Tensor(&Image{Pixels: m}, got[1:]); err == nil {
		t.Error("a tensor of the wrong length is accepted")
	}
}

func TestPrepValidate(t *testing.T) {
	for name, change := range map[string]func(*Prep){
		"size":         func(p *Prep) { p.Size = 0 },
		"huge size":    func(p *Prep) { p.Size, p.ResizeShort = 1<<20, 1<<20 },
		"resize_short": func(p *Prep) { p.ResizeShort = p.Size - 1 },
		"filter":       func(p *Prep) { p.Filter = "lanczos" },
		"zero std":     func(p *Prep) { p.Std[1] = 0 },
		"NaN std":      func(p *Prep) { p.Std[1] = float32(math.NaN()) },
		"infinite mean": func(p *Prep) {
			p.Mean[2] = float32(math.Inf(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPrep(64)
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			change(&p)
			if err := p.Validate(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestShortSide(t *testing.T) {
	for _, c := range []struct{ w, h, short, wantW, wantH int }{
		{320, 180, 256, 455, 256}, {201, 335, 144, 144, 240}, {96, 72, 256, 341, 256}, {5, 5, 3, 3, 3},
		{1_000_000, 1, 100, 100_000_000, 100},
	} {
		if w, h := ShortSide(c.w, c.h, c.short); w != c.wantW || h != c.wantH {
			t.Errorf("%d x %d to %d: %d x %d, want %d x %d", c.w, c.h, c.short, w, h, c.wantW, c.wantH)
		}
	}
}

// A strip one pixel wide must not become a strip of millions of pixels.
func TestPrepStrips(t *testing.T) {
	for _, size := range []image.Point{{1, 1_000_000}, {1_000_000, 1}} {
		p := NewPrep(224)
		base, err := p.resize(&Image{Pixels: image.NewGray(image.Rectangle{Max: size})}, 224)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(base.Pix); n > 4*224*224*maxAspect {
			t.Errorf("%v becomes %d bytes", size, n)
		}
	}
}
