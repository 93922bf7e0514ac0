package assets

import "math"

// rgb is a colour with components in 0 … 255, not premultiplied, in sRGB.
type rgb struct{ r, g, b float64 }

func (c rgb) mix(d rgb, t float64) rgb {
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

func (c rgb) shift(by float64) rgb { return rgb{c.r + by, c.g + by, c.b + by} }

// distance is a weighted Euclidean distance in sRGB, 255 from black to white: enough to tell when a shape would
// drown in its ground.
func (c rgb) distance(d rgb) float64 {
	dr, dg, db := c.r-d.r, c.g-d.g, c.b-d.b
	return math.Sqrt((2*dr*dr + 4*dg*dg + 3*db*db) / 9)
}

// colour is one of the colours that the words name. Orange is left out on purpose: beside photographs of groceries
// the same word is a fruit.
type colour int

const (
	red colour = iota
	pink
	yellow
	green
	blue
	purple
	black
	gray
	white
	colours // how many there are
)

var colourNames = [colours]string{"red", "pink", "yellow", "green", "blue", "purple", "black", "gray", "white"}

func (c colour) String() string { return colourNames[c] }

func (c colour) rgb() rgb {
	return [colours]rgb{
		red: {217, 38, 44}, pink: {245, 132, 182}, yellow: {249, 203, 38},
		green: {46, 158, 78}, blue: {40, 104, 222}, purple: {128, 62, 186},
		black: {33, 34, 40}, gray: {139, 143, 150}, white: {251, 251, 248},
	}[c]
}

// family sorts the colours for the task "rule".
func (c colour) family() string {
	switch c {
	case red, pink, yellow:
		return "warm"
	case green, blue, purple:
		return "cool"
	}
	return "neutral"
}

func colourWords() []string { return colourNames[:] }

// groundTones are muted, so that a shape's colour never is the ground's: pale papers, middle tones, deep tones.
var groundTones = []rgb{
	{246, 238, 222}, {222, 236, 246}, {221, 241, 229}, {250, 228, 222}, {233, 227, 246}, {240, 240, 214}, {228, 232, 236},
	{196, 174, 150}, {150, 182, 178}, {190, 158, 166}, {154, 168, 206}, {176, 188, 140}, {206, 190, 200}, {128, 156, 150},
	{36, 46, 84}, {26, 66, 68}, {66, 36, 66}, {72, 52, 44}, {44, 58, 72}, {84, 44, 52}, {40, 62, 44},
}

// chooseTone returns a ground tone that stands off from every given colour.
func chooseTone(r *rng, against []colour) rgb {
	const enough = 76
	clear := make([]rgb, 0, len(groundTones))
	best, bestMin := groundTones[0], -1.0
	for _, tone := range groundTones {
		nearest := math.Inf(1)
		for _, c := range against {
			nearest = min(nearest, tone.distance(c.rgb()))
		}
		if nearest >= enough {
			clear = append(clear, tone)
		}
		if nearest > bestMin {
			best, bestMin = tone, nearest
		}
	}
	if len(clear) == 0 {
		return best
	}
	return pick(r, clear)
}
