package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"duet/model/report"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// DefaultMaxPixels is the largest picture that is decoded unless a setting says
// otherwise: 100 megapixels, inclusive.
const DefaultMaxPixels = 100_000_000

// An Image is a decoded picture.
type Image struct {
	Pixels      image.Image // opaque, as stored: not yet turned upright
	Orientation int         // EXIF 1 to 8; 1 or 0: upright
	Format      string      // jpeg, png, gif, bmp or webp
	Blended     bool        // had transparency, which now lies on white
}

// Size returns the dimensions of the upright picture in pixels.
func (m *Image) Size() (width, height int) {
	size := m.Pixels.Bounds().Size()
	if m.Orientation >= 5 && m.Orientation <= 8 {
		return size.Y, size.X
	}
	return size.X, size.Y
}

// Header is what the first bytes of a picture say.
type Header struct {
	Format        string
	Width, Height int // as stored
}

// ReadHeader reads a picture's format and dimensions and refuses what is not a
// picture, has no pixels or has more than maxPixels (0: [DefaultMaxPixels]).
func ReadHeader(r io.ReaderAt, size int64, maxPixels int) (Header, error) {
	if maxPixels <= 0 {
		maxPixels = DefaultMaxPixels
	}
	first := make([]byte, min(size, 512))
	if n, err := r.ReadAt(first, 0); n < len(first) {
		return Header{}, fmt.Errorf("reading: %w", err)
	}
	codec := codecOf(first)
	if codec == nil {
		return Header{}, whatInstead(first)
	}
	var config image.Config
	err := guard(func() (err error) {
		config, err = codec.config(io.NewSectionReader(r, 0, size))
		return err
	})
	switch {
	case err != nil:
		return Header{}, fmt.Errorf("not a usable %s: %w", codec.name, err)
	case config.Width < 1 || config.Height < 1:
		return Header{}, fmt.Errorf("a %s of %d x %d pixels has no pixels", codec.name, config.Width, config.Height)
	case config.Width > maxPixels/config.Height:
		return Header{}, report.Because(fmt.Errorf("a %s of %d x %d pixels is larger than the limit of %.3g megapixels",
			codec.name, config.Width, config.Height, float64(maxPixels)/1e6), report.LargePicture)
	}
	return Header{codec.name, config.Width, config.Height}, nil
}

// Decode decodes a JPEG, PNG, GIF (its first frame), BMP or WebP after
// [ReadHeader] has accepted it. The format is told from the content, not from a
// name. Transparency is laid on white; colour profiles are not applied.
//
// It needs the decoded size in memory, once: 1.5 to 4 bytes a pixel, 8 for 16
// bits a channel, 6 to 12 more for progressive JPEG.
func Decode(r io.ReaderAt, size int64, maxPixels int) (*Image, error) {
	header, err := ReadHeader(r, size, maxPixels)
	if err != nil {
		return nil, err
	}
	codec := codecNamed(header.Format)
	m := &Image{Format: header.Format, Orientation: readOrientation(r, size, header.Format)}
	err = guard(func() error {
		pixels, err := codec.decode(bufio.NewReaderSize(io.NewSectionReader(r, 0, size), int(min(size, 32<<10))))
		if err != nil {
			return err
		}
		if b := pixels.Bounds(); b.Dx() > header.Width || b.Dy() > header.Height || b.Empty() {
			return fmt.Errorf("holds %d x %d pixels instead of the %d x %d it announces", b.Dx(), b.Dy(), header.Width, header.Height)
		}
		if err := checkPalette(pixels); err != nil {
			return err
		}
		m.Pixels, m.Blended = onWhite(pixels, header.Width, header.Height)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("not a usable %s: %w", header.Format, err)
	}
	return m, nil
}

// checkPalette refuses indices beyond the palette, which the BMP decoder lets
// through: imaging would index with them, in goroutines that guard cannot
// recover.
func checkPalette(m image.Image) error {
	p, ok := m.(*image.Paletted)
	if !ok || len(p.Palette) >= 256 {
		return nil
	}
	for y := range p.Rect.Dy() {
		for _, i := range p.Pix[y*p.Stride:][:p.Rect.Dx()] {
			if int(i) >= len(p.Palette) {
				return fmt.Errorf("a pixel names colour %d of a palette of %d", i, len(p.Palette))
			}
		}
	}
	return nil
}

// guard turns a decoder's panic into an error.
func guard(decode func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder failed: %v", p)
		}
	}()
	return decode()
}

// A codec reads one format. Formats are told apart here and not by the image
// package's registry, which imaging's import of TIFF would widen.
type codec struct {
	name   string
	match  func(first []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

func prefix(magic ...string) func([]byte) bool {
	return func(first []byte) bool {
		for _, m := range magic {
			if bytes.HasPrefix(first, []byte(m)) {
				return true
			}
		}
		return false
	}
}

func codecs() []codec {
	return []codec{
		{"jpeg", prefix("\xff\xd8\xff"), jpeg.DecodeConfig, jpeg.Decode},
		{"png", prefix("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode},
		{"gif", prefix("GIF87a", "GIF89a"), gif.DecodeConfig, gif.Decode},
		{"bmp", prefix("BM"), bmp.DecodeConfig, bmp.Decode},
		{"webp", func(b []byte) bool { return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" },
			webp.DecodeConfig, webp.Decode},
	}
}

func codecOf(first []byte) *codec {
	for _, c := range codecs() {
		if c.match(first) {
			return &c
		}
	}
	return nil
}

func codecNamed(name string) *codec {
	for _, c := range codecs() {
		if c.name == name {
			return &c
		}
	}
	return nil
}

// whatInstead says what a file is that is not a picture we read.
func whatInstead(first []byte) error {
	const use = "; use JPEG, PNG, GIF, BMP or WebP"
	foreign := func(what string) error {
		return report.Because(errors.New(what+use), report.ForeignPicture)
	}
	text := strings.ToLower(strings.TrimSpace(string(first)))
	box := ""
	if len(first) >= 12 && string(first[4:8]) == "ftyp" {
		box = string(first[8:12])
	}
	switch {
	case len(first) == 0:
		return errors.New("the file is empty")
	case bytes.HasPrefix(first, []byte("II*\x00")), bytes.HasPrefix(first, []byte("MM\x00*")):
		return foreign("TIFF (or a camera's raw format) is not supported")
	case box == "avif", box == "heic", box == "heix", box == "mif1":
		return foreign("HEIC and AVIF are not supported")
	case box != "":
		return errors.New("a film is not a picture" + use)
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return errors.New("an HTML page is not a picture: was it saved instead of the picture?")
	case strings.HasPrefix(text, "<svg"), strings.HasPrefix(text, "<?xml"):
		return foreign("SVG and XML are not supported")
	case strings.HasPrefix(text, "%pdf"):
		return foreign("PDF is not supported")
	case strings.HasPrefix(text, "version https://git-lfs"):
		return errors.New("a Git LFS pointer stands for the picture: fetch it with git lfs pull")
	}
	return errors.New("no picture format is recognised" + use)
}

// onWhite returns an opaque picture of width × height pixels: the given one,
// changed in place where possible, or a copy. A GIF's first frame may cover a
// part of the canvas only.
func onWhite(m image.Image, width, height int) (opaque image.Image, blended bool) {
	if b := m.Bounds(); b.Dx() != width || b.Dy() != height {
		canvas := image.NewRGBA(image.Rect(0, 0, width, height))
		draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(canvas, b, m, b.Min, draw.Over)
		return canvas, true
	}
	if m, ok := m.(interface{ Opaque() bool }); ok && m.Opaque() {
		return m.(image.Image), false
	}
	switch m := m.(type) {
	case *image.Paletted:
		palette := make(color.Palette, len(m.Palette))
		for i, c := range m.Palette {
			r, g, b, a := c.RGBA()
			white := 0xffff - a
			palette[i] = color.RGBA{uint8((r + white) >> 8), uint8((g + white) >> 8), uint8((b + white) >> 8), 0xff}
		}
		m.Palette = palette
	case *image.NRGBA:
		for i := 0; i+3 < len(m.Pix); i += 4 {
			blend(m.Pix[i:i+4:i+4], uint32(m.Pix[i+3]))
		}
	case *image.RGBA: // premultiplied
		for i := 0; i+3 < len(m.Pix); i += 4 {
			p := m.Pix[i : i+4 : i+4]
			white := 0xff - p[3]
			p[0], p[1], p[2], p[3] = p[0]+white, p[1]+white, p[2]+white, 0xff
		}
	default: // 16 bits a channel, and WebP's YCbCr with alpha
		b := m.Bounds()
		out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		for y := range b.Dy() {
			for x := range b.Dx() {
				c := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				p := out.Pix[out.PixOffset(x, y):][:4:4]
				p[0], p[1], p[2] = c.R, c.G, c.B
				blend(p, uint32(c.A))
			}
		}
		return out, true
	}
	return m, true
}

// blend lays one unpremultiplied pixel of the given alpha on white.
func blend(p []uint8, alpha uint32) {
	for c := range 3 {
		p[c] = uint8((uint32(p[c])*alpha + 0xff*(0xff-alpha) + 127) / 255)
	}
	p[3] = 0xff
}
