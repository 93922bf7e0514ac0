package assets

import "math"

// ground is what lies behind the figures: two tones and a pattern of them.
type ground struct {
	pattern  pattern
	a, b     rgb
	sin, cos float64 // direction of the pattern
	scale    float64 // repeats along a side
	phase    float64
	lattice  [(noiseCells + 1) * (noiseCells + 1)]float64
}

type pattern int

const (
	plain pattern = iota
	gradient
	stripes
	dots
	noise
	patterns // how many there are
)

const noiseCells = 7

// drawGround chooses a ground on which all the given colours stand out.
func drawGround(r *rng, against []colour) ground {
	g := ground{pattern: pattern(r.intn(int(patterns))), a: chooseTone(r, against), phase: r.float(0, 1)}
	g.sin, g.cos = math.Sincos(r.float(0, 2*math.Pi))
	step := r.float(9, 16) // towards white on a deep tone, towards black or white on a paler one
	if g.a.g > 120 && (g.a.g > 215 || r.coin()) {
		step = -step
	}
	g.b = g.a.shift(step)
	switch g.pattern {
	case plain:
		g.b = g.a.shift(step / 3)
	case gradient:
		g.b = g.a.shift(step*2.2).mix(rgb{90, 120, 170}, r.float(0, 0.12))
	case stripes:
		g.scale = r.float(3.5, 8)
	case dots:
		g.scale = r.float(4, 8)
	case noise:
		g.b = g.a.shift(step * 1.8)
		for i := range g.lattice {
			g.lattice[i] = r.float(0, 1)
		}
	}
	return g
}

// at returns the colour at (x, y) in units of the side; pixel is the length of one pixel.
func (g *ground) at(x, y, pixel float64) rgb {
	u, v := x*g.cos+y*g.sin, y*g.cos-x*g.sin
	switch g.pattern {
	case stripes:
		wave := math.Abs(2*fraction(u*g.scale+g.phase)-1) - 0.5
		return g.a.mix(g.b, cover(wave/(2*g.scale), pixel))
	case dots:
		u, v = u*g.scale+g.phase, v*g.scale
		row := math.Floor(v)
		if int(row)&1 != 0 {
			u += 0.5
		}
		dx, dy := fraction(u)-0.5, v-row-0.5
		return g.a.mix(g.b, cover((math.Sqrt(dx*dx+dy*dy)-0.27)/g.scale, pixel))
	case noise:
		return g.a.mix(g.b, g.noiseAt(x, y))
	default: // plain has a faint gradient too, as lit paper does
		return g.a.mix(g.b, min(max(0.5+u-(g.cos+g.sin)/2, 0), 1))
	}
}

// noiseAt is value noise: random values at the lattice points, blended smoothly between.
func (g *ground) noiseAt(x, y float64) float64 {
	x, y = x*noiseCells, y*noiseCells
	i, j := min(int(x), noiseCells-1), min(int(y), noiseCells-1)
	tx, ty := smooth(x-float64(i)), smooth(y-float64(j))
	row := g.lattice[j*(noiseCells+1)+i:]
	top := row[0] + (row[1]-row[0])*tx
	bottom := row[noiseCells+1] + (row[noiseCells+2]-row[noiseCells+1])*tx
	return top + (bottom-top)*ty
}

func fraction(x float64) float64 { return x - math.Floor(x) }

// smooth is the cubic that leaves 0 and reaches 1 with slope 0.
func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// cover is the part of a pixel inside an outline at signed distance d.
func cover(d, pixel float64) float64 { return min(max(0.5-d/pixel, 0), 1) }
