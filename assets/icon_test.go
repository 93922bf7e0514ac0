package assets

import (
	"image/color"
	"testing"
)

func TestIcon(t *testing.T) {
	for _, size := range []int{16, 24, 32, 48, 180, 192, 512} {
		icon := Icon(size)
		if b := icon.Bounds(); b.Dx() != size || b.Dy() != size {
			t.Fatalf("size %d gives %v", size, b)
		}
		at := func(x, y float64) color.NRGBA {
			return icon.At(int(x*float64(size)), int(y*float64(size))).(color.NRGBA)
		}
		if a := at(0, 0).A; a > 40 {
			t.Errorf("size %d: the corner has alpha %d", size, a)
		}
		if tile := at(0.92, 0.4); tile.A != 255 || tile.B < tile.R+40 {
			t.Errorf("size %d: the tile is %v, not an opaque blue", size, tile)
		}
		if sky := at(0.5, 0.25); sky.B < 200 {
			t.Errorf("size %d: the sky is %v", size, sky)
		}
		if bubble := at(0.7, 0.86); bubble.R < 200 || bubble.B > 150 {
			t.Errorf("size %d: the bubble is %v", size, bubble)
		}
	}
	for _, size := range []int{-3, 0, 1} {
		if b := Icon(size).Bounds(); b.Dx() != 1 {
			t.Errorf("size %d gives %v", size, b)
		}
	}
}

// TestMaskableIcon holds the shapes to what is left of an icon that is cut to a
// circle, and the ground to the edges.
func TestMaskableIcon(t *testing.T) {
	const size = 200
	icon := MaskableIcon(size)
	for y := range size {
		for x := range size {
			c := icon.At(x, y).(color.NRGBA)
			if c.A != 255 {
				t.Fatalf("(%d, %d) has alpha %d", x, y, c.A)
			}
			dx, dy := float64(x-size/2), float64(y-size/2)
			if outside := dx*dx+dy*dy > (0.4*size+1)*(0.4*size+1); outside && c.R > c.B {
				t.Fatalf("(%d, %d) is %v: the bubble reaches out of the circle", x, y, c)
			} else if outside && c.G > 100 {
				t.Fatalf("(%d, %d) is %v: the card reaches out of the circle", x, y, c)
			}
		}
	}
}
