package data

import (
	"fmt"
	"image"
	"math"

	"github.com/disintegration/imaging"
)

// Channels is the number of floats a pixel takes in a tensor: red, green, blue
// and a zero, so that a pixel is one vec4 on the GPU.
const Channels = 4

// Prep says how a picture becomes a tensor. It is part of a model and stored in
// its config.json.
//
// The short side is resized to ResizeShort, the long side to
// floor(ResizeShort·long/short), antialiased, one axis after the other with 8
// bits in between; then the centre Size × Size is cut out, its corner rounded
// halves to even; then v becomes (v/255 − mean)/std.
type Prep struct {
	Size        int        `json:"size"`         // side of the tensor, in pixels
	ResizeShort int        `json:"resize_short"` // short side before the crop, at least Size
	Mean        [3]float32 `json:"mean"`         // red, green, blue
	Std         [3]float32 `json:"std"`
	Filter      string     `json:"filter"` // bilinear or bicubic
}

// The largest sides a Prep may ask for.
const (
	maxPrepSize  = 2048
	maxPrepShort = 4096
)

// NewPrep is the preparation for a model of size × size pixels: the short side
// becomes size, so that the crop takes from the long side only, and channels
// are normalised as torchvision's ImageNet models expect.
func NewPrep(size int) Prep {
	return Prep{
		Size: size, ResizeShort: size, Filter: "bilinear",
		Mean: [3]float32{0.485, 0.456, 0.406},
		Std:  [3]float32{0.229, 0.224, 0.225},
	}
}

// Validate refuses a preparation that cannot be carried out, naming the field.
func (p *Prep) Validate() error {
	switch {
	case p.Size < 1 || p.Size > maxPrepSize:
		return fmt.Errorf("data: image preparation: size %d: choose 1 to %d", p.Size, maxPrepSize)
	case p.ResizeShort < p.Size || p.ResizeShort > maxPrepShort:
		return fmt.Errorf("data: image preparation: resize_short %d: choose size (%d) to %d", p.ResizeShort, p.Size, maxPrepShort)
	case p.Filter != "bilinear" && p.Filter != "bicubic":
		return fmt.Errorf("data: image preparation: filter %q: choose bilinear or bicubic", p.Filter)
	}
	for c := range 3 {
		if !(p.Std[c] > 1e-6) || p.Std[c] > 1e6 || !(math.Abs(float64(p.Mean[c])) <= 1e6) {
			return fmt.Errorf("data: image preparation: mean %v, std %v: a std must be positive and both finite", p.Mean, p.Std)
		}
	}
	return nil
}

// Len is the length of a picture's tensor: Size·Size·4.
func (p *Prep) Len() int { return p.Size * p.Size * Channels }

// Tensor prepares a picture as for evaluation and writes [Size Size 4] to dst.
func (p *Prep) Tensor(m *Image, dst []float32) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if len(dst) != p.Len() {
		return fmt.Errorf("data: preparing a picture: room for %d floats, %d needed", len(dst), p.Len())
	}
	base, err := p.resize(m, p.ResizeShort)
	if err != nil {
		return err
	}
	newNormalizer(p).write(centreCrop(base, p.Size), dst)
	return nil
}

// maxAspect is the ratio of sides beyond which the middle of the long side is
// cut out before resizing: a strip of one pixel's width would become millions
// of pixels long, only for the crop to drop them.
const maxAspect = 32

// resize returns the picture upright and opaque, its short side resized to
// short; it may share m's pixels. imaging meets fixtures/resize to 2 levels and
// a mean of 0.033, so its two 8-bit passes are used as they are.
func (p *Prep) resize(m *Image, short int) (base *image.NRGBA, err error) {
	err = guard(func() error {
		pixels := limitAspect(m.Pixels, maxAspect)
		b := pixels.Bounds()
		w, h := ShortSide(b.Dx(), b.Dy(), short)
		if w == b.Dx() && h == b.Dy() {
			base = toNRGBA(pixels)
		} else {
			base = imaging.Resize(pixels, w, h, p.filter())
		}
		// Turning comes last, when there is little left to turn.
		base = turnUpright(base, m.Orientation)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("data: resizing a %s: %w", m.Format, err)
	}
	return base, nil
}

func (p *Prep) filter() imaging.ResampleFilter {
	if p.Filter == "bicubic" {
		return imaging.CatmullRom // a = −0.5
	}
	return imaging.Linear
}

// ShortSide returns the size of a w × h picture whose short side becomes short.
func ShortSide(w, h, short int) (int, int) {
	if w <= h {
		return short, max(short, int(int64(short)*int64(h)/int64(w)))
	}
	return max(short, int(int64(short)*int64(w)/int64(h))), short
}

func limitAspect(m image.Image, limit int) image.Image {
	b := m.Bounds()
	w, h := min(b.Dx(), limit*b.Dy()), min(b.Dy(), limit*b.Dx())
	if w == b.Dx() && h == b.Dy() {
		return m
	}
	x, y := b.Min.X+(b.Dx()-w)/2, b.Min.Y+(b.Dy()-h)/2
	return imaging.Crop(m, image.Rect(x, y, x+w, y+h))
}

// turnUpright applies an EXIF orientation.
func turnUpright(m *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(m)
	case 3:
		return imaging.Rotate180(m)
	case 4:
		return imaging.FlipV(m)
	case 5:
		return imaging.Transpose(m)
	case 6:
		return imaging.Rotate270(m)
	case 7:
		return imaging.Transverse(m)
	case 8:
		return imaging.Rotate90(m)
	}
	return m
}

// Upright returns the whole picture, turned, at its own size: 4 bytes a pixel.
func (m *Image) Upright() *image.NRGBA { return turnUpright(toNRGBA(m.Pixels), m.Orientation) }

func toNRGBA(m image.Image) *image.NRGBA {
	if m, ok := m.(*image.NRGBA); ok {
		return m
	}
	return imaging.Clone(m)
}

// centreCrop cuts the middle size × size out of m, which is at least as large.
// The result shares m's pixels.
func centreCrop(m *image.NRGBA, size int) *image.NRGBA {
	b := m.Bounds()
	x := b.Min.X + int(math.RoundToEven(float64(b.Dx()-size)/2))
	y := b.Min.Y + int(math.RoundToEven(float64(b.Dy()-size)/2))
	return m.SubImage(image.Rect(x, y, x+size, y+size)).(*image.NRGBA)
}

// normalizer holds (v/255 − mean)/std for each channel and each 8-bit value.
type normalizer [3][256]float32

func newNormalizer(p *Prep) *normalizer {
	var n normalizer
	for c := range n {
		for v := range n[c] {
			n[c][v] = float32((float64(v)/255 - float64(p.Mean[c])) / float64(p.Std[c]))
		}
	}
	return &n
}

// write writes m [H W] to dst [H W 4].
func (n *normalizer) write(m *image.NRGBA, dst []float32) {
	b := m.Bounds()
	for y := range b.Dy() {
		row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):][:4*b.Dx()]
		out := dst[4*b.Dx()*y:][:len(row)]
		for i := 0; i+3 < len(row); i += 4 {
			out[i] = n[0][row[i]]
			out[i+1] = n[1][row[i+1]]
			out[i+2] = n[2][row[i+2]]
			out[i+3] = 0
		}
	}
}
