package assets

import (
	"image"
	"math"
)

// Icon draws the program's icon, size × size pixels with an alpha channel: on a rounded tile a picture (hills under a
// sun) and a speech bubble with two lines of words, overlapping. Small sizes leave the lines out. Composition and
// curves are computed in units of the side, so any size is sharp. size is taken as at least 1 and at most MaxSize.
func Icon(size int) image.Image {
	return drawIcon(size, false)
}

// MaskableIcon is the icon for systems that cut it to a shape of their own: the ground reaches the edges, and the two
// shapes keep within the circle, 0.8 of the side wide, that is always left.
func MaskableIcon(size int) image.Image { return drawIcon(size, true) }

func drawIcon(size int, maskable bool) image.Image {
	size = min(max(size, 1), MaxSize)
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	pixel := 1 / float64(size)
	for py := range size {
		for px := range size {
			c, alpha := iconAt((float64(px)+0.5)*pixel, (float64(py)+0.5)*pixel, pixel, maskable)
			at := img.Pix[py*img.Stride+4*px:]
			set(at, c)
			at[3] = level(255 * alpha)
		}
	}
	return img
}

// iconAt returns the icon's colour and alpha at a point, both axes from 0 to 1.
func iconAt(x, y, pixel float64, maskable bool) (rgb, float64) {
	const wordsFrom = 1.0 / 28 // lines need pixels at least as fine as this
	alpha := cover(boxDistance(x-0.5, y-0.5, 0.29, 0.29)-0.21, pixel)
	c := rgb{58, 66, 168}.mix(rgb{28, 24, 82}, smooth(min(max((x+2*y)/3, 0), 1)))

	zoom := 1.12 // of the two shapes, about the middle
	if maskable {
		zoom, alpha = 0.84, 1
	}
	x, y, pixel = (x-0.49)/zoom+0.49, (y-0.49)/zoom+0.49, pixel/zoom
	card := boxDistance(x-0.405, y-0.41, 0.165, 0.165) - 0.09
	c = shade(c, card, 0.05)
	c = c.mix(pictureAt(x, y, pixel), cover(card, pixel))

	bubble := bubbleDistance(x, y)
	c = shade(c, bubble, 0.05)
	// Where the two overlap the picture shines through.
	c = c.mix(rgb{255, 190, 70}.mix(rgb{250, 128, 82}, smooth(min(max((y-0.45)/0.42, 0), 1))), cover(bubble, pixel)*(1-0.16*cover(card, pixel)))
	if pixel <= wordsFrom {
		lines := min(strokeDistance(x, y, 0.56, 0.76, 0.615), strokeDistance(x, y, 0.56, 0.69, 0.705))
		c = c.mix(rgb{255, 250, 238}, cover(lines, pixel))
	}
	return c, alpha
}

// pictureAt is the picture on the card: a sky, a sun and two hills.
func pictureAt(x, y, pixel float64) rgb {
	sky := rgb{176, 226, 250}.mix(rgb{240, 250, 252}, min(max((y-0.15)/0.35, 0), 1))
	sun := discDistance(x, y, 0.325, 0.3, 0.062)
	back := discDistance(x, y, 0.53, 0.66, 0.265)
	front := discDistance(x, y, 0.27, 0.74, 0.28)
	c := sky.mix(rgb{255, 199, 56}, cover(sun, pixel))
	c = c.mix(rgb{66, 186, 152}, cover(back, pixel))
	return c.mix(rgb{30, 148, 128}, cover(front, pixel))
}

// bubbleDistance is a rounded box with a pointed tail at its lower right.
func bubbleDistance(x, y float64) float64 {
	box := boxDistance(x-0.655, y-0.655, 0.1, 0.06) - 0.115
	tail := max(leftOf(x, y, 0.65, 0.745, 0.78, 0.848), leftOf(x, y, 0.78, 0.848, 0.765, 0.7), 0.7-y) - 0.016
	return min(box, tail)
}

func discDistance(x, y, cx, cy, radius float64) float64 {
	return math.Sqrt((x-cx)*(x-cx)+(y-cy)*(y-cy)) - radius
}

// leftOf is the signed distance from the line through a and b: with y down, positive on the left hand of one who walks
// from b to a, so a shape walked from a to b has its inside, the negative side, on that hand.
func leftOf(x, y, ax, ay, bx, by float64) float64 {
	ex, ey := bx-ax, by-ay
	return (ex*(y-ay) - ey*(x-ax)) / math.Sqrt(ex*ex+ey*ey)
}

// strokeDistance is a level line from x0 to x1 at height cy with round ends.
func strokeDistance(x, y, x0, x1, cy float64) float64 {
	return discDistance(x, y, min(max(x, x0), x1), cy, 0.02)
}

// shade darkens what lies under an outline's edge, as a soft shadow of the given width does.
func shade(c rgb, d, width float64) rgb {
	return c.mix(rgb{10, 8, 40}, 0.45*smooth(min(max((width-d)/(2*width), 0), 1)))
}
