package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
)

func decodeBytes(b []byte, maxPixels int) (*Image, error) {
	return Decode(bytes.NewReader(b), int64(len(b)), maxPixels)
}

func bmpOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := bmp.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func gifOf(m *image.Paletted, width, height int) []byte {
	var b bytes.Buffer
	g := &gif.GIF{Image: []*image.Paletted{m}, Delay: []int{0}, Config: image.Config{Width: width, Height: height, ColorModel: m.Palette}}
	if err := gif.EncodeAll(&b, g); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tinyWebP is a lossless WebP of one white pixel, written bit by bit: signature,
// width − 1 and height − 1 in 14 bits each, no alpha, version 0; no transform,
// no colour cache, no meta codes; five simple prefix codes of one symbol each.
func tinyWebP() []byte {
	var bits []byte
	put := func(value, n int) {
		for i := range n {
			bits = append(bits, byte(value>>i&1))
		}
	}
	put(0x2f, 8)
	put(0, 14)
	put(0, 14)
	put(0, 1)
	put(0, 3)
	put(0, 1)
	put(0, 1)
	put(0, 1)
	for _, symbol := range []int{255, 255, 255, 255, 0} { // green, red, blue, alpha, distance
		put(1, 1) // simple
		put(0, 1) // one symbol
		put(1, 1) // of 8 bits
		put(symbol, 8)
	}
	body := make([]byte, (len(bits)+7)/8)
	for i, bit := range bits {
		body[i/8] |= bit << (i % 8)
	}
	return riff("VP8L", body)
}

func riff(kind string, body []byte, more ...byte) []byte {
	chunk := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	chunk = append(chunk, body...)
	if len(body)%2 == 1 {
		chunk = append(chunk, 0)
	}
	chunk = append(chunk, more...)
	out := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(4+len(chunk)))...)
	return append(append(out, "WEBP"...), chunk...)
}

// exifTIFF is a TIFF header with one entry, the orientation.
func exifTIFF(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("II*\x00")
	if order.String() == "BigEndian" {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, orientation)
	b = order.AppendUint16(b, 0)
	return order.AppendUint32(b, 0)
}

func jpegWithEXIF(m image.Image, exif []byte) []byte {
	plain := jpegOf(m)
	segment := append([]byte("\xff\xe1"), binary.BigEndian.AppendUint16(nil, uint16(2+6+len(exif)))...)
	segment = append(append(segment, "Exif\x00\x00"...), exif...)
	return append(append(append([]byte{}, plain[:2]...), segment...), plain[2:]...)
}

func pngWithEXIF(m image.Image, exif []byte) []byte {
	plain := pngOf(m)
	const header = 8 + 8 + 13 + 4
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(append(chunk, "eXIf"...), exif...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(append([]byte{}, plain[:header]...), chunk...), plain[header:]...)
}

func TestDecodeFormats(t *testing.T) {
	paletted := image.NewPaletted(image.Rect(0, 0, 12, 10), color.Palette{color.White, color.RGBA{200, 0, 0, 255}})
	paletted.Pix[0] = 1
	for _, c := range []struct {
		name, format string
		bytes        []byte
		w, h         int
	}{
		{"jpeg", "jpeg", jpegOf(drawn(1, 12, 10)), 12, 10},
		{"grey jpeg", "jpeg", jpegOf(image.NewGray(image.Rect(0, 0, 12, 10))), 12, 10},
		{"png", "png", pngOf(drawn(1, 12, 10)), 12, 10},
		{"16-bit png", "png", pngOf(image.NewNRGBA64(image.Rect(0, 0, 12, 10))), 12, 10},
		{"gif", "gif", gifOf(paletted, 12, 10), 12, 10},
		{"bmp", "bmp", bmpOf(drawn(1, 12, 10)), 12, 10},
		{"webp", "webp", tinyWebP(), 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := decodeBytes(c.bytes, 0)
			if err != nil {
				t.Fatal(err)
			}
			if w, h := m.Size(); m.Format != c.format || w != c.w || h != c.h {
				t.Errorf("%s of %d x %d, want %s of %d x %d", m.Format, w, h, c.format, c.w, c.h)
			}
			p := NewPrep(8)
			if err := p.Tensor(m, make([]float32, p.Len())); err != nil {
				t.Error(err)
			}
			if c.format == "png" && c.name == "png" {
				if most, _ := difference(t, m.Upright(), drawn(1, 12, 10)); most != 0 {
					t.Errorf("a PNG's pixels differ by %d", most)
				}
			}
		})
	}
}

func TestTransparencyLiesOnWhite(t *testing.T) {
	nrgba := image.NewNRGBA(image.Rect(0, 0, 3, 1))
	copy(nrgba.Pix, []uint8{10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 51}) // opaque, clear, one fifth
	nrgba64 := image.NewNRGBA64(nrgba.Rect)
	rgba := image.NewRGBA(nrgba.Rect)
	paletted := image.NewPaletted(nrgba.Rect, color.Palette{})
	for x := range 3 {
		nrgba64.Set(x, 0, nrgba.At(x, 0))
		rgba.Set(x, 0, nrgba.At(x, 0))
		paletted.Palette = append(paletted.Palette, nrgba.At(x, 0))
		paletted.Pix[x] = uint8(x)
	}
	want := [][3]int{{10, 20, 30}, {255, 255, 255}, {204, 224, 244}}
	for name, m := range map[string]image.Image{"NRGBA": nrgba, "NRGBA64": nrgba64, "RGBA": rgba, "paletted": paletted} {
		t.Run(name, func(t *testing.T) {
			opaque, blended := onWhite(m, 3, 1)
			if !blended {
				t.Error("not reported as blended")
			}
			got := toNRGBA(opaque)
			for x, w := range want {
				p := got.Pix[4*x:]
				for c := range 3 {
					if d := int(p[c]) - w[c]; d < -1 || d > 1 || p[3] != 255 {
						t.Errorf("pixel %d is %v, want %v", x, p[:4], w)
					}
				}
			}
		})
	}
	if _, blended := onWhite(drawn(1, 3, 1), 3, 1); blended {
		t.Error("an opaque picture is reported as blended")
	}
}

// The first frame of a GIF may cover a part of the canvas.
func TestGIFFrameOnCanvas(t *testing.T) {
	frame := image.NewPaletted(image.Rect(2, 1, 5, 3), color.Palette{color.RGBA{0, 0, 200, 255}})
	m, err := decodeBytes(gifOf(frame, 8, 4), 0)
	if err != nil {
		t.Fatal(err)
	}
	up := m.Upright()
	if up.Bounds().Size() != image.Pt(8, 4) || up.NRGBAAt(0, 0) != (color.NRGBA{255, 255, 255, 255}) || up.NRGBAAt(2, 1).B != 200 {
		t.Errorf("%v, corner %v, frame %v", up.Bounds(), up.NRGBAAt(0, 0), up.NRGBAAt(2, 1))
	}
}

func TestOrientationOfFormats(t *testing.T) {
	m := drawn(3, 6, 4)
	webp := riff("VP8L", tinyWebP()[20:], riff("EXIF", exifTIFF(binary.LittleEndian, 3))[12:]...)
	for _, c := range []struct {
		name  string
		bytes []byte
		want  int
	}{
		{"jpeg little endian", jpegWithEXIF(m, exifTIFF(binary.LittleEndian, 6)), 6},
		{"jpeg big endian", jpegWithEXIF(m, exifTIFF(binary.BigEndian, 8)), 8},
		{"jpeg without", jpegOf(m), 1},
		{"jpeg unknown value", jpegWithEXIF(m, exifTIFF(binary.BigEndian, 99)), 1},
		{"jpeg cut directory", jpegWithEXIF(m, exifTIFF(binary.BigEndian, 6)[:12]), 1},
		{"jpeg directory beyond the end", jpegWithEXIF(m, []byte("II*\x00\xff\xff\xff\xff")), 1},
		{"png", pngWithEXIF(m, exifTIFF(binary.BigEndian, 5)), 5},
		{"webp", webp, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeBytes(c.bytes, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got.Orientation != c.want {
				t.Errorf("orientation %d, want %d", got.Orientation, c.want)
			}
			if w, h := got.Size(); c.want >= 5 && (w != 4 || h != 6) {
				t.Errorf("upright %d x %d, want 4 x 6", w, h)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	// A BMP of a palette of two colours, of which a pixel names the 78th.
	full := bmpOf(image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.White, color.Black}))
	const head, two = 54, 2 * 4
	outside := append(append([]byte{}, full[:head+two]...), full[binary.LittleEndian.Uint32(full[10:]):]...)
	binary.LittleEndian.PutUint32(outside[10:], head+two)
	binary.LittleEndian.PutUint32(outside[46:], 2) // colours used
	outside[head+two] = 77
	for _, c := range []struct {
		name, want string
		bytes      []byte
		max        int
	}{
		{"empty", "empty", nil, 0},
		{"text", "no picture format", []byte("hello"), 0},
		{"page", "HTML", []byte("<!DOCTYPE html><title>404</title>"), 0},
		{"tiff", "TIFF", []byte("II*\x00\x08\x00\x00\x00"), 0},
		{"heic", "HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00"), 0},
		{"film", "film", []byte("\x00\x00\x00\x18ftypisom\x00\x00"), 0},
		{"svg", "SVG", []byte("<svg xmlns='x'/>"), 0},
		{"pdf", "PDF", []byte("%PDF-1.7"), 0},
		{"pointer", "git lfs pull", []byte("version https://git-lfs.github.com/spec/v1"), 0},
		{"too large", "larger than the limit", pngOf(drawn(1, 20, 20)), 399},
		{"cut jpeg", "not a usable jpeg", jpegOf(drawn(1, 90, 90))[:900], 0},
		{"cut png", "not a usable png", pngOf(drawn(1, 90, 90))[:200], 0},
		{"palette index", "palette", outside, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decodeBytes(c.bytes, c.max)
			if err == nil {
				t.Fatal("accepted")
			}
			mustContain(t, err.Error(), c.want)
		})
	}
	if _, err := decodeBytes(pngOf(drawn(1, 20, 20)), 400); err != nil {
		t.Errorf("the limit itself is refused: %v", err)
	}
}

func TestGuardRecovers(t *testing.T) {
	err := guard(func() error { panic("index out of range") })
	if err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}
