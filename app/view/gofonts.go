package view

import (
	"fmt"

	"gioui.org/font"
	"gioui.org/font/opentype"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// goFaces are the fonts that the app draws with beside the system's. Gio's own
// collection has ten more, which the tab would load and never draw.
func goFaces() []font.FontFace {
	var list []font.FontFace
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		parsed, err := opentype.ParseCollection(ttf)
		if err != nil {
			panic(fmt.Sprintf("view: a Go font: %v", err)) // it is compiled in
		}
		list = append(list, parsed...)
	}
	return list
}
