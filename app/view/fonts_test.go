//go:build !js

package view

import (
	"reflect"
	"testing"

	"gioui.org/font"
	"gioui.org/text"
	"golang.org/x/image/math/fixed"
)

// TestOwnChinese draws every text in Chinese in both weights: the fonts that the
// tab fetches have all characters, and those that people use in captions.
func TestOwnChinese(t *testing.T) {
	newShaper, hasChinese := sameEverywhere(t)
	if !hasChinese {
		t.Skip("without the fonts")
	}
	shaper := newShaper()
	lacks := func(f font.Font, s string) bool {
		shaper.LayoutString(text.Parameters{Font: f, PxPerEm: fixed.I(16), MaxWidth: 1 << 20}, s)
		for g, ok := shaper.NextGlyph(); ok; g, ok = shaper.NextGlyph() {
			if g.ID&0xffff == 0 {
				return true
			}
		}
		return false
	}
	every := []string{"公交车、茶壶；长颈鹿（幼崽）：一辆红色的自行车靠在墙边？", "鼬獾、龃龉、饕餮、蝙蝠", "１２３％！"}
	texts := reflect.ValueOf(chinese)
	for i := range texts.NumField() {
		if f := texts.Field(i); f.Kind() == reflect.String {
			every = append(every, f.String())
		} else {
			for j := range f.Len() {
				every = append(every, f.Index(j).String())
			}
		}
	}
	for _, s := range every {
		for _, f := range []font.Font{{}, boldChinese(true)} {
			if lacks(f, s) {
				t.Errorf("%q has a character that is not in the fonts, weight %v", s, f.Weight)
			}
		}
	}
	if !lacks(font.Font{}, "龘") {
		t.Error("a character outside GB 2312 is drawn: the test cannot fail")
	}
}
