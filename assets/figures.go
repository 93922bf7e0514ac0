package assets

import "math"

// kind is one of the shapes that the words name.
type kind int

const (
	circle kind = iota
	square
	triangle
	star
	ring
	cross
	heart
	moon
	kinds // how many there are
)

var (
	kindNames   = [kinds]string{"circle", "square", "triangle", "star", "ring", "cross", "heart", "moon"}
	kindPlurals = [kinds]string{"circles", "squares", "triangles", "stars", "rings", "crosses", "hearts", "moons"}
)

func (k kind) String() string { return kindNames[k] }
func (k kind) plural() string { return kindPlurals[k] }

func kindWords() []string { return kindNames[:] }

// reach bounds every kind: outside this distance from its centre nothing of it is seen.
const reach = 1.12

// distance is the signed distance (negative inside) from a point to the outline of the kind at unit size, upright, x
// to the right and y down. Inside it may be nearer to 0 than the truth, which only the outline's antialiasing sees.
// The corners are rounded by subtracting a radius from a smaller core.
func (k kind) distance(x, y float64) float64 {
	switch k {
	case circle:
		return math.Sqrt(x*x+y*y) - 0.9
	case square:
		return boxDistance(x, y, 0.66, 0.66) - 0.12
	case triangle:
		return triangleDistance(x, y) - 0.13
	case star:
		return starDistance(x, y) - 0.09
	case ring:
		return math.Abs(math.Sqrt(x*x+y*y)-0.69) - 0.235
	case cross:
		return min(boxDistance(x, y, 0.24, 0.86), boxDistance(x, y, 0.86, 0.24)) - 0.09
	case heart:
		return heartDistance(x, y)
	default:
		return moonDistance(x, y)
	}
}

func boxDistance(x, y, halfWidth, halfHeight float64) float64 {
	dx, dy := math.Abs(x)-halfWidth, math.Abs(y)-halfHeight
	if dx <= 0 || dy <= 0 {
		return max(dx, dy)
	}
	return math.Sqrt(dx*dx + dy*dy)
}

// segmentDistance is the distance from (x, y) to the segment from (ax, ay) to (bx, by), negative on the side of the
// origin.
func segmentDistance(x, y, ax, ay, bx, by float64) float64 {
	ex, ey := bx-ax, by-ay
	wx, wy := x-ax, y-ay
	t := min(max((wx*ex+wy*ey)/(ex*ex+ey*ey), 0), 1)
	dx, dy := wx-t*ex, wy-t*ey
	d := math.Sqrt(dx*dx + dy*dy)
	if side, origin := ex*wy-ey*wx, ey*ax-ex*ay; side*origin > 0 {
		return -d
	}
	return d
}

// fold reflects (x, y), y up, at the line through the origin at the given angle from the y axis, if it lies beyond it.
func fold(x, y, sin, cos float64) (float64, float64) {
	if beyond := x*cos - y*sin; beyond > 0 {
		return x - 2*beyond*cos, y + 2*beyond*sin
	}
	return x, y
}

const (
	sin36, cos36 = 0.58778525229247312917, 0.80901699437494742410
	sin60, cos60 = 0.86602540378443864676, 0.5
	sin72, cos72 = 0.95105651629515357212, 0.30901699437494742410
)

// triangleDistance folds the plane into the sixth between a tip and the middle of an edge.
func triangleDistance(x, y float64) float64 {
	const tip = 0.92
	x, y = fold(math.Abs(x), -y, sin60, cos60)
	return segmentDistance(math.Abs(x), y, 0, tip, tip/2*sin60, tip/2*cos60)
}

// starDistance folds the plane into the tenth between a tip and the notch beside it.
func starDistance(x, y float64) float64 {
	const tip, notch = 0.98, 0.44
	x, y = fold(math.Abs(x), -y, sin72, cos72)
	x, y = fold(math.Abs(x), y, sin36, cos36)
	return segmentDistance(x, y, 0, tip, notch*sin36, notch*cos36)
}

// heartDistance joins a square standing on its corner with a disc on each upper edge.
func heartDistance(x, y float64) float64 {
	const half, lift, round = 0.5, 0.1, 0.08 // half the square's side
	x, y = math.Abs(x), y+lift-0.06
	u, v := (x+y)*math.Sqrt2/2, (y-x)*math.Sqrt2/2 // axes of the square: right-down, left-down
	body := boxDistance(u, v, half, half) - round
	dx, dy := x-half*math.Sqrt2/2, y+half*math.Sqrt2/2
	return min(body, math.Sqrt(dx*dx+dy*dy)-half-round)
}

// moonDistance cuts one disc out of another. The nearest point of the outline lies on the outer circle's rest, on the
// inner circle's part within the outer one, or is the tip where they meet; each arc counts only in its own sector.
func moonDistance(x, y float64) float64 {
	const (
		outer, inner = 0.9, 0.7 // radii
		apart        = 0.42     // of the centres
		along        = (outer*outer - inner*inner + apart*apart) / (2 * apart)
		turnSin      = -0.35 // the opening points to the upper right
		turnCos      = 0.93674969975975966
		blunt        = 0.06
	)
	x -= 0.1
	x, y = x*turnCos+y*turnSin, math.Abs(y*turnCos-x*turnSin)
	across := math.Sqrt(outer*outer - along*along)
	fromOuter := math.Sqrt(x*x+y*y) - outer
	fromInner := inner - math.Sqrt((x-apart)*(x-apart)+y*y)
	d := math.Sqrt((x-along)*(x-along) + (y-across)*(y-across))
	if y*along >= x*across {
		d = min(d, math.Abs(fromOuter))
	}
	if y*(along-apart) >= (x-apart)*across {
		d = min(d, math.Abs(fromInner))
	}
	if max(fromOuter, fromInner) < 0 {
		d = -d
	}
	return d - blunt
}
