//go:build !js

package app

import (
	"duet/assets"
	"duet/model/checkpoint"
)

// openDefault opens the default model, which the program carries.
func openDefault() (*checkpoint.Model, error) {
	return checkpoint.OpenModelFS(assets.DefaultModel(), defaultName)
}
