// Package ui is the app without its drawing: what it shows, as plain data, and
// what changes it. The window and the tab share it.
//
//	message ──► State.Update ──► effects ──► Engine, files ──► message …
//
// A [Message] says what the user did or what the engine answered.
// [State.Update] changes the state and returns effects: work to be done
// elsewhere, whose outcome comes back as another message. It starts nothing
// itself, so a test can play any order of events. [Loop] is what runs it: it
// owns the state, does the effects in goroutines and tells the window to draw.
// Views (package view) draw a state and send messages; they decide nothing.
//
// To add something to the app: its data in state.go, its messages in messages.go
// and what they do in update.go with a test, its effect there and in loop.go, and
// at last its view and its words (package view).
package ui
