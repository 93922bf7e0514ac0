package data

import (
	"fmt"
	"image"
	"math"

	"github.com/disintegration/imaging"
)

// Augment says how training pictures are changed at random. The zero value
// changes nothing. Every change is a pure function of (seed, epoch, index), so
// it does not depend on how many goroutines prepare pictures or in which order.
type Augment struct {
	// CropArea is the range of the share of the picture's area that a crop
	// takes, such as [0.42, 1]; [0, 0]: the centre crop, as in evaluation.
	CropArea [2]float64 `json:"crop_area"`
	// CropRatio is the range of the crop's width over its height, drawn
	// log-uniformly; [0, 0]: 3/4 to 4/3.
	CropRatio [2]float64 `json:"crop_ratio"`

	Flip     float64 `json:"flip"`     // chance of a horizontal flip
	Rotation float64 `json:"rotation"` // largest angle, degrees to either side

	Brightness float64 `json:"brightness"` // x: a factor from 1−x to 1+x
	Contrast   float64 `json:"contrast"`
	Saturation float64 `json:"saturation"`
	Hue        float64 `json:"hue"` // x: a shift by −x to x of the colour circle, at most 0.5

	Erase      float64    `json:"erase"`       // chance of erasing a rectangle to the mean
	EraseArea  [2]float64 `json:"erase_area"`  // its share of the area; [0, 0]: 0.02 to 0.33
	EraseRatio [2]float64 `json:"erase_ratio"` // its height over its width; [0, 0]: 0.3 to 3.3
}

// DefaultAugment suits photographs of things: crops of 65 to 100 % of the side,
// flips, and slight changes of light and colour. Leave flips out where left and
// right matter, as with text in the picture or captions that say "left", and
// hue where colours are named.
func DefaultAugment() Augment {
	return Augment{
		CropArea: [2]float64{0.4225, 1}, CropRatio: [2]float64{3. / 4, 4. / 3}, Flip: 0.5,
		Brightness: 0.2, Contrast: 0.2, Saturation: 0.2, Hue: 0.02,
	}
}

// Validate refuses what cannot be carried out, naming the field.
func (a *Augment) Validate() error {
	fail := func(field string, value any, want string) error {
		return fmt.Errorf("data: augmentation: %s %v: choose %s", field, value, want)
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"flip", a.Flip}, {"erase", a.Erase}, {"brightness", a.Brightness}, {"contrast", a.Contrast}, {"saturation", a.Saturation}} {
		if !(p.value >= 0 && p.value <= 1) {
			return fail(p.name, p.value, "0 to 1")
		}
	}
	for _, r := range []struct {
		name    string
		value   [2]float64
		highest float64
	}{{"crop_area", a.CropArea, 1}, {"erase_area", a.EraseArea, 1}, {"crop_ratio", a.CropRatio, 100}, {"erase_ratio", a.EraseRatio, 100}} {
		none := r.value == [2]float64{}
		if !none && !(r.value[0] >= 0.001 && r.value[0] <= r.value[1] && r.value[1] <= r.highest) {
			return fail(r.name, r.value, fmt.Sprintf("[low, high] with 0.001 ≤ low ≤ high ≤ %v", r.highest))
		}
	}
	if !(a.Rotation >= 0 && a.Rotation <= 180) {
		return fail("rotation", a.Rotation, "0 to 180 degrees")
	}
	if !(a.Hue >= 0 && a.Hue <= 0.5) {
		return fail("hue", a.Hue, "0 to 0.5")
	}
	return nil
}

func (a *Augment) crops() bool { return a.CropArea != [2]float64{} }

// short returns the short side to which pictures are resized before the random
// changes: large enough that the smallest usual crop is not enlarged, at most
// twice the size.
func (a *Augment) short(p *Prep) int {
	if !a.crops() {
		return p.ResizeShort
	}
	want := math.Ceil(float64(p.Size) / math.Sqrt(a.CropArea[0]))
	return max(p.ResizeShort, int(min(want, float64(2*p.Size))))
}

// apply changes base, a resized picture, and returns size × size pixels that
// are its own, and the rectangle to erase, perhaps empty. mean is the colour
// that fills what a rotation uncovers.
func (a *Augment) apply(base *image.NRGBA, p *Prep, d *draws) (*image.NRGBA, image.Rectangle) {
	// Every change draws its numbers whether or not it is carried out, so that
	// one setting does not change what another draws.
	box := a.cropBox(base.Bounds(), d)
	flip := d.float() < a.Flip
	angle := d.between(-1, 1) * a.Rotation
	colour := a.drawColour(d)
	erase := a.eraseBox(p.Size, d)

	var out *image.NRGBA
	if a.crops() {
		out = imaging.Resize(base.SubImage(box), p.Size, p.Size, p.filter())
	} else {
		out = imaging.Clone(centreCrop(base, p.Size))
	}
	if flip {
		out = imaging.FlipH(out)
	}
	if angle != 0 {
		out = rotate(out, angle, p.meanColour())
	}
	colour.apply(out)
	return out, erase
}

// cropBox draws a crop as torchvision's RandomResizedCrop does: up to ten tries
// at an area and a ratio that fit, else the largest centre crop of a ratio in
// range.
func (a *Augment) cropBox(b image.Rectangle, d *draws) image.Rectangle {
	ratio := orRange(a.CropRatio, 3./4, 4./3)
	area := orRange(a.CropArea, 1, 1)
	if box, ok := drawBox(b, area, ratio, 10, d); ok {
		return box
	}
	w, h := b.Dx(), b.Dy()
	switch r := float64(w) / float64(h); {
	case r < ratio[0]:
		h = min(h, int(math.Round(float64(w)/ratio[0])))
	case r > ratio[1]:
		w = min(w, int(math.Round(float64(h)*ratio[1])))
	}
	corner := image.Pt(b.Min.X+(b.Dx()-w)/2, b.Min.Y+(b.Dy()-h)/2)
	return image.Rectangle{corner, corner.Add(image.Pt(w, h))}
}

func (a *Augment) eraseBox(size int, d *draws) image.Rectangle {
	erase := d.float() < a.Erase
	ratio := orRange(a.EraseRatio, 0.3, 3.3)
	area := orRange(a.EraseArea, 0.02, 0.33)
	box, ok := drawBox(image.Rect(0, 0, size, size), area, [2]float64{1 / ratio[1], 1 / ratio[0]}, 10, d)
	if !erase || !ok {
		return image.Rectangle{}
	}
	return box
}

func orRange(r [2]float64, low, high float64) [2]float64 {
	if r == [2]float64{} {
		return [2]float64{low, high}
	}
	return r
}

// drawBox draws a rectangle inside b by its share of b's area and by its width
// over its height. It takes the same count of numbers however many tries it
// needs.
func drawBox(b image.Rectangle, area, ratio [2]float64, tries int, d *draws) (box image.Rectangle, ok bool) {
	whole := float64(b.Dx()) * float64(b.Dy())
	for range tries {
		part := whole * d.between(area[0], area[1])
		r := math.Exp(d.between(math.Log(ratio[0]), math.Log(ratio[1])))
		x, y := d.float(), d.float()
		w, h := int(math.Round(math.Sqrt(part*r))), int(math.Round(math.Sqrt(part/r)))
		if ok || w < 1 || h < 1 || w > b.Dx() || h > b.Dy() {
			continue
		}
		corner := image.Pt(b.Min.X+int(x*float64(b.Dx()-w+1)), b.Min.Y+int(y*float64(b.Dy()-h+1)))
		box, ok = image.Rectangle{corner, corner.Add(image.Pt(w, h))}, true
	}
	return box, ok
}

// meanColour is the colour that becomes zero in the tensor, nearly.
func (p *Prep) meanColour() [3]uint8 {
	var c [3]uint8
	for i := range c {
		c[i] = clamp8(float64(p.Mean[i]) * 255)
	}
	return c
}

func clamp8(v float64) uint8 {
	return uint8(min(max(v+0.5, 0), 255))
}

// rotate turns m counter-clockwise about its centre, sampling bilinearly.
func rotate(m *image.NRGBA, degrees float64, fill [3]uint8) *image.NRGBA {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	cx, cy := float64(w-1)/2, float64(h-1)/2
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	at := func(x, y, c int) float64 {
		if x < 0 || y < 0 || x >= w || y >= h {
			return float64(fill[c])
		}
		return float64(m.Pix[y*m.Stride+4*x+c])
	}
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-cx, float64(y)-cy
			sx, sy := cx+cos*dx-sin*dy, cy+sin*dx+cos*dy
			x0, y0 := int(math.Floor(sx)), int(math.Floor(sy))
			fx, fy := sx-float64(x0), sy-float64(y0)
			p := out.Pix[y*out.Stride+4*x:][:4:4]
			for c := range 3 {
				top := at(x0, y0, c)*(1-fx) + at(x0+1, y0, c)*fx
				bottom := at(x0, y0+1, c)*(1-fx) + at(x0+1, y0+1, c)*fx
				p[c] = clamp8(top*(1-fy) + bottom*fy)
			}
			p[3] = 0xff
		}
	}
	return out
}

// colour is a drawn change of colours.
type colour struct {
	brightness, contrast, saturation float64 // factors
	hue                              float64 // shift in turns
}

func (a *Augment) drawColour(d *draws) colour {
	factor := func(x float64) float64 { return 1 + d.between(-1, 1)*x }
	return colour{factor(a.Brightness), factor(a.Contrast), factor(a.Saturation), d.between(-1, 1) * a.Hue}
}

// apply changes m in place: brightness, contrast (about the mean grey),
// saturation (about each pixel's grey), then hue, as torchvision's ColorJitter
// in this order. Grey is 0.299 R + 0.587 G + 0.114 B.
func (c colour) apply(m *image.NRGBA) {
	if c == (colour{1, 1, 1, 0}) {
		return
	}
	grey := func(r, g, b float64) float64 { return 0.299*r + 0.587*g + 0.114*b }
	mean := 0.0
	for i := 0; i+3 < len(m.Pix); i += 4 {
		mean += grey(float64(m.Pix[i]), float64(m.Pix[i+1]), float64(m.Pix[i+2]))
	}
	mean = mean / float64(len(m.Pix)/4) * c.brightness
	for i := 0; i+3 < len(m.Pix); i += 4 {
		p := m.Pix[i : i+4 : i+4]
		var v [3]float64
		for k := range v {
			v[k] = mean + (float64(p[k])*c.brightness-mean)*c.contrast
		}
		g := grey(v[0], v[1], v[2])
		for k := range v {
			v[k] = min(max(g+(v[k]-g)*c.saturation, 0), 255)
		}
		if c.hue != 0 {
			v = turnHue(v, c.hue)
		}
		p[0], p[1], p[2] = clamp8(v[0]), clamp8(v[1]), clamp8(v[2])
	}
}

// turnHue moves a colour along the hexagon of hues (HSV), by a part of a turn.
func turnHue(v [3]float64, turn float64) [3]float64 {
	r, g, b := v[0], v[1], v[2]
	high, low := max(r, g, b), min(r, g, b)
	chroma := high - low
	if chroma == 0 {
		return v
	}
	var h float64 // 0 to 6
	switch high {
	case r:
		h = (g - b) / chroma
	case g:
		h = 2 + (b-r)/chroma
	default:
		h = 4 + (r-g)/chroma
	}
	h = math.Mod(h+6*turn+12, 6)
	x := low + chroma*(1-math.Abs(math.Mod(h, 2)-1))
	switch int(h) {
	case 0:
		return [3]float64{high, x, low}
	case 1:
		return [3]float64{x, high, low}
	case 2:
		return [3]float64{low, high, x}
	case 3:
		return [3]float64{low, x, high}
	case 4:
		return [3]float64{x, low, high}
	}
	return [3]float64{high, low, x}
}

// eraseTensor sets a rectangle of a tensor [size size 4] to zero, the mean.
func eraseTensor(dst []float32, size int, box image.Rectangle) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		clear(dst[Channels*(y*size+box.Min.X) : Channels*(y*size+box.Max.X)])
	}
}
