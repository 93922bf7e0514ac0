package view

import (
	"image"
	"sync"

	"duet/app/ui"

	"gioui.org/f32"
	"gioui.org/op"
	"gioui.org/op/paint"
)

// ThumbSize is how large a picture is wanted.
type ThumbSize uint8

// The sizes, and their longest sides in pixels.
const (
	Small ThumbSize = iota
	Large
)

// Side is the longest side of a size in pixels.
func (s ThumbSize) Side() int { return [...]int{96, 1024}[s] }

// Thumbs holds the pictures that are on the screen, and some that were. It
// decodes them beside the frame, a few at a time.
type Thumbs struct {
	decode func(f ui.File, side int) (image.Image, error)
	draw   func() // tells that one more is there

	mu      sync.Mutex
	list    map[thumbKey]*thumb
	wanted  []thumbKey
	working int
	clock   int
}

type thumbKey struct {
	file ui.File
	size ThumbSize
}

type thumb struct {
	op    paint.ImageOp
	ready bool
	err   error
	used  int
}

// Bounds of what is kept: pictures of 1024 px take 4 MB each, of 96 px 37 kB.
const (
	maxSmall   = 600
	maxLarge   = 6
	maxWorkers = 2
)

// NewThumbs returns an empty store; decode gives a picture whose longest side
// is at most side.
func NewThumbs(decode func(f ui.File, side int) (image.Image, error), draw func()) *Thumbs {
	return &Thumbs{decode: decode, draw: draw, list: map[thumbKey]*thumb{}}
}

// A Thumb is a picture ready to be painted.
type Thumb struct{ op paint.ImageOp }

// Size is its size in pixels.
func (t *Thumb) Size() image.Point { return t.op.Size() }

// Get returns a file's picture, or nil while there is none yet; the error says
// that there will be none.
func (t *Thumbs) Get(f ui.File, size ThumbSize) (*Thumb, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := thumbKey{f, size}
	t.clock++
	x := t.list[key]
	if x == nil {
		x = &thumb{}
		t.list[key] = x
		t.wanted = append(t.wanted, key)
		if len(t.wanted) > 64 { // scrolled past long ago
			delete(t.list, t.wanted[0])
			t.wanted = t.wanted[1:]
		}
		if t.working < maxWorkers {
			t.working++
			go t.work()
		}
	}
	x.used = t.clock
	if !x.ready {
		return nil, x.err
	}
	return &Thumb{x.op}, nil
}

// work decodes what is wanted, the latest first, until there is nothing more.
func (t *Thumbs) work() {
	for {
		t.mu.Lock()
		n := len(t.wanted)
		if n == 0 {
			t.working--
			t.mu.Unlock()
			return
		}
		key := t.wanted[n-1]
		t.wanted = t.wanted[:n-1]
		t.mu.Unlock()
		picture, err := t.decode(key.file, key.size.Side())
		var image paint.ImageOp
		if err == nil {
			image = paint.NewImageOp(picture) // copies it: not while a frame waits
		}
		t.mu.Lock()
		if x := t.list[key]; x != nil {
			x.op, x.ready, x.err = image, err == nil, err
		}
		t.trim(key.size)
		t.mu.Unlock()
		t.draw()
	}
}

// trim forgets those not used for longest.
func (t *Thumbs) trim(size ThumbSize) {
	most := map[ThumbSize]int{Small: maxSmall, Large: maxLarge}[size]
	for {
		n, oldest := 0, thumbKey{}
		for key, x := range t.list {
			if key.size != size || !x.ready {
				continue
			}
			n++
			if old := t.list[oldest]; old == nil || x.used < old.used {
				oldest = key
			}
		}
		if n <= most {
			return
		}
		delete(t.list, oldest)
	}
}

// paint paints a picture at the origin, scaled.
func (v *View) paint(gtx C, t *Thumb, scale float32) {
	defer op.Affine(f32.AffineId().Scale(f32.Point{}, f32.Pt(scale, scale))).Push(gtx.Ops).Pop()
	t.op.Filter = paint.FilterLinear
	t.op.Add(gtx.Ops)
	paint.PaintOp{}.Add(gtx.Ops)
}
