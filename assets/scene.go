package assets

import "math"

// span is a range of numbers; the zero span means "choose freely".
type span struct{ lo, hi float64 }

// figure is one shape of a scene. A design sets kind and colour and may set where and size; arrange sets the rest.
// Lengths are in units of the picture's side, y down.
type figure struct {
	kind   kind
	colour colour

	across, down span // where its centre may lie
	size         span // its radius

	x, y, radius float64
	sin, cos     float64 // of its rotation
}

// sizes are the radii of figures that a design leaves free, by how many share the picture.
var sizes = [4]span{1: {0.24, 0.35}, 2: {0.19, 0.27}, 3: {0.16, 0.22}}

// arrange places the figures so that none touches another or the edge: all are thrown at random, again and again,
// and shrunk a little (all alike, so that a bigger one stays bigger) whenever that fails for long.
func arrange(r *rng, figures []figure) {
	const (
		margin = 0.025
		gap    = 0.03
		lean   = 25 * math.Pi / 180
	)
	scale := 1.0
	for try := 1; ; try++ {
		if try%24 == 0 {
			scale *= 0.95
		}
		fits := true
		for i := range figures {
			f := &figures[i]
			size := f.size
			if size == (span{}) {
				size = sizes[min(len(figures), 3)]
			}
			f.radius = r.float(size.lo, size.hi) * scale
			edge := f.radius + margin
			f.x, f.y = f.across.draw(r, edge), f.down.draw(r, edge)
			for _, g := range figures[:i] {
				dx, dy, apart := f.x-g.x, f.y-g.y, f.radius+g.radius+gap
				fits = fits && dx*dx+dy*dy >= apart*apart
			}
		}
		if fits {
			break
		}
	}
	for i := range figures {
		figures[i].sin, figures[i].cos = math.Sincos(r.float(-lean, lean))
	}
}

// draw chooses a coordinate in the span, the whole side where it is zero, keeping edge away from both ends.
func (s span) draw(r *rng, edge float64) float64 {
	if s == (span{}) {
		s.hi = 1
	}
	lo := min(max(s.lo, edge), 1-edge)
	return r.float(lo, max(lo, min(s.hi, 1-edge)))
}
