//go:build !js

package view

import (
	"cmp"
	"os"
)

// environmentLanguage is the language that the environment names; English where
// it names none.
func environmentLanguage() string {
	return cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"), "en")
}

// hasCamera tells whether there is a dialog that takes pictures.
func hasCamera() bool { return false }

// hasPaths tells that places on disk can be typed.
const hasPaths = true

// There is no page around a window, and no browser.
func dressPage(dress) {}
func firstFrame()     {}
func browser() string { return "" }
