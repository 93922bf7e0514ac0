//go:build !js

// Command tab is the app's face in a browser tab; it is built with GOOS=js.
package main

func main() { panic("cmd/tab is for the browser: make wasm builds it") }
