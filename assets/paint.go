package assets

import "image"

// paint draws the ground and the figures on it, size pixels square.
func paint(r *rng, figures []figure, size int) *image.NRGBA {
	against := make([]colour, len(figures))
	for i, f := range figures {
		against[i] = f.colour
	}
	ground := drawGround(r, against)
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	pixel := 1 / float64(size)
	for py := range size {
		row := img.Pix[py*img.Stride:]
		for px := range size {
			set(row[4*px:], ground.at((float64(px)+0.5)*pixel, (float64(py)+0.5)*pixel, pixel))
		}
	}
	for i := range figures {
		fill := figures[i].colour.rgb().shift(r.float(-7, 7))
		figures[i].paint(img, fill, pixel)
	}
	return img
}

// paint draws one figure like cut paper: a soft shadow to the lower right, light from the upper left.
func (f *figure) paint(img *image.NRGBA, fill rgb, pixel float64) {
	const (
		offset   = 0.09 // of the shadow, in radii
		softness = 0.3  // its width, in radii
		darkness = 0.34
		relief   = 9.0 // lightness from the middle to the lit edge
	)
	size := img.Rect.Dx()
	extent := f.radius*(reach+offset+softness) + pixel
	x0, x1 := pixels(f.x-extent, f.x+extent, size)
	y0, y1 := pixels(f.y-extent, f.y+extent, size)
	unit := pixel / f.radius // one pixel, in radii
	for py := y0; py < y1; py++ {
		row := img.Pix[py*img.Stride:]
		dy := ((float64(py)+0.5)*pixel - f.y) / f.radius
		for px := x0; px < x1; px++ {
			dx := ((float64(px)+0.5)*pixel - f.x) / f.radius
			inside := 0.0
			if dx*dx+dy*dy < reach*reach {
				inside = cover(f.kind.distance(dx*f.cos+dy*f.sin, dy*f.cos-dx*f.sin), unit)
			}
			at := row[4*px:]
			c := rgb{float64(at[0]), float64(at[1]), float64(at[2])}
			if inside < 1 {
				sx, sy := dx-offset, dy-offset
				d := f.kind.distance(sx*f.cos+sy*f.sin, sy*f.cos-sx*f.sin)
				if d < softness {
					c = c.mix(rgb{8, 10, 24}, darkness*smooth(min((softness-d)/(2*softness), 1)))
				}
			}
			if inside > 0 {
				c = c.mix(fill.shift(-relief*(dx+dy)), inside)
			}
			set(at, c)
		}
	}
}

// pixels returns the half-open range of pixels that meets the interval.
func pixels(lo, hi float64, size int) (int, int) {
	return max(int(lo*float64(size)), 0), min(int(hi*float64(size))+1, size)
}

func set(at []uint8, c rgb) {
	at[0], at[1], at[2], at[3] = level(c.r), level(c.g), level(c.b), 255
}

func level(v float64) uint8 { return uint8(min(max(v+0.5, 0), 255)) }
