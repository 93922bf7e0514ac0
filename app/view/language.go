//go:build !js

package view

import "os"

// systemLanguage is the language of the user's session.
func systemLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "en"
}

// hasCamera tells whether there is a dialog that takes pictures.
func hasCamera() bool { return false }

// hasPaths tells that places on disk can be typed.
const hasPaths = true

// There is no page around a window, and no browser.
func dressPage(dress) {}
func firstFrame()     {}
func browser() string { return "" }
