//go:build pins

package main

// Modules whose test pictures are fetched and whose code is not used: this keeps
// them in go.mod. Nothing is ever built with the tag.
import _ "gocv.io/x/gocv"
