package view

import (
	"fmt"
	"log"
	"time"
	"unicode"

	"gioui.org/font"
	"gioui.org/font/opentype"
	"gioui.org/text"
)

// Chinese are fonts for Chinese, as TrueType files, where the app brings its own.
type Chinese struct{ Regular, SemiBold []byte }

// Families of the app's own fonts for Chinese. The weights are families of their
// own, so that a character that the semi-bold one lacks is drawn in the regular.
const (
	chineseRegular  font.Typeface = "Chinese"
	chineseSemiBold font.Typeface = "Chinese SemiBold"
)

// collection returns the Go fonts and these.
func (c Chinese) collection() ([]font.FontFace, error) {
	collection := goFaces()
	for _, f := range []struct {
		typeface font.Typeface
		weight   font.Weight
		content  []byte
	}{{chineseRegular, font.Normal, c.Regular}, {chineseSemiBold, font.SemiBold, c.SemiBold}} {
		time.Sleep(time.Millisecond) // a tab's page has its turn meanwhile
		face, err := opentype.Parse(f.content)
		if err != nil {
			return nil, fmt.Errorf("the font %s: %w", f.typeface, err)
		}
		collection = append(collection, font.FontFace{Font: font.Font{Typeface: f.typeface, Weight: f.weight}, Face: face})
	}
	return collection, nil
}

// boldChinese is what bold text in Chinese is drawn with. Systems have Chinese
// in a regular weight only as often as not, and the shaper then finds nothing for
// a bold one; the app's own fonts have both.
func boldChinese(own bool) font.Font {
	if !own {
		return font.Font{}
	}
	return font.Font{Typeface: "Go, " + chineseSemiBold + ", " + chineseRegular, Weight: bold.Weight}
}

// hasHan tells whether there are Chinese characters in a text.
func hasHan(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}

// later are fonts for Chinese that are fetched when there is something to draw
// with them: a page in English then does not wait for 2 MB.
type later struct {
	fetch   func() (Chinese, error) // nil: there are none, or they were asked for
	missed  bool                    // there was something to draw with them
	arrived chan *text.Shaper       // not nil while they are under way
}

// expected tells that the fonts may still come.
func (l *later) expected() bool { return l.fetch != nil || l.arrived != nil }

// ask fetches the fonts once they are missed; draw tells that they have come, or
// never will.
func (l *later) ask(draw func()) {
	if !l.missed || l.fetch == nil {
		return
	}
	fetch, arrived := l.fetch, make(chan *text.Shaper, 1)
	l.fetch, l.arrived = nil, arrived
	go func() {
		defer draw()
		defer close(arrived)
		c, err := fetch()
		var collection []font.FontFace
		if err == nil {
			collection, err = c.collection()
		}
		if err != nil {
			log.Printf("without Chinese: %v", err)
			return
		}
		arrived <- text.NewShaper(text.WithCollection(collection))
	}()
}

// takeFonts takes on the fonts for Chinese when they have come.
func (v *View) takeFonts() {
	select {
	case shaper := <-v.later.arrived:
		v.later.arrived = nil
		if shaper != nil {
			v.dressIn(shaper)
		}
	default:
	}
}

// dressIn draws text with another shaper, which has the app's own Chinese.
func (v *View) dressIn(shaper *text.Shaper) {
	v.Theme = NewTheme(shaper, v.Theme.Dark)
	v.languages, v.ownChinese = drawable(shaper), true
}

// offered are the languages that can be chosen: those that can be drawn, or will.
func (v *View) offered() []*Texts {
	if v.later.expected() {
		return Languages
	}
	return v.languages
}
