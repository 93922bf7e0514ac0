// Package view draws the app with Gio, in a window and in a tab's canvas. It
// draws what [ui.State] holds and sends what the user does as messages; it
// decides nothing and keeps only what widgets need: which is pressed, how far a
// list is scrolled, what is typed and not yet sent.
//
// theme.go has colours, sizes and fonts, widgets.go the few parts everything is
// made of, tips.go what explains itself when pointed at, fonts.go the fonts for
// Chinese, one file a screen what it shows, and window.go the window. The words
// are in strings.go, strings_en.go and strings_zh.go.
package view
