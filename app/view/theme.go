package view

import (
	"image/color"

	"gioui.org/font"
	"gioui.org/text"
	"gioui.org/unit"
)

// A Palette are the colours of a theme.
type Palette struct {
	Ground  color.NRGBA // behind everything
	Surface color.NRGBA // of cards and fields
	Raised  color.NRGBA // of what is hovered or chosen
	Line    color.NRGBA // around fields and between rows
	Ink     color.NRGBA // text
	Muted   color.NRGBA // less important text
	Accent  color.NRGBA // buttons, bars, focus, links
	OnFill  color.NRGBA // text on Accent, Good, Bad
	Good    color.NRGBA
	Warn    color.NRGBA // text: not sure
	Bad     color.NRGBA
}

func rgb(c uint32) color.NRGBA {
	return color.NRGBA{R: uint8(c >> 16), G: uint8(c >> 8), B: uint8(c), A: 255}
}

// The palettes. Text stands 4.5:1 or more against every ground it is drawn on; a
// test computes it.
var (
	light = Palette{
		Ground: rgb(0xf4f5f7), Surface: rgb(0xffffff), Raised: rgb(0xe6ebf5), Line: rgb(0xc9ced8), Ink: rgb(0x1b1f27), Muted: rgb(0x545c6b),
		Accent: rgb(0x2a56c6), OnFill: rgb(0xffffff), Good: rgb(0x1d6b3c), Warn: rgb(0x7a4d00), Bad: rgb(0xa8231c),
	}
	dark = Palette{
		Ground: rgb(0x14171c), Surface: rgb(0x1e222a), Raised: rgb(0x2b3340), Line: rgb(0x434c5a), Ink: rgb(0xeceef2), Muted: rgb(0xa9b1bf),
		Accent: rgb(0x8fb0ff), OnFill: rgb(0x10131a), Good: rgb(0x7fd6a0), Warn: rgb(0xf0c674), Bad: rgb(0xff9b92),
	}
)

// Sizes of text and of distances between things.
const (
	sizeSmall unit.Sp = 13
	sizeBody  unit.Sp = 15
	sizeLarge unit.Sp = 20
	sizeTitle unit.Sp = 26

	gapSmall unit.Dp = 6
	gap      unit.Dp = 12
	gapLarge unit.Dp = 24
	corner   unit.Dp = 8
	touch    unit.Dp = 38 // least height of what is clicked
	narrow   unit.Dp = 720
)

// A Theme is how everything looks.
type Theme struct {
	Palette
	Dark   bool
	Shaper *text.Shaper
}

// NewTheme returns the light or the dark theme over a shaper.
func NewTheme(shaper *text.Shaper, isDark bool) *Theme {
	t := &Theme{Palette: light, Dark: isDark, Shaper: shaper}
	if isDark {
		t.Palette = dark
	}
	return t
}

var bold = font.Font{Weight: font.SemiBold}
