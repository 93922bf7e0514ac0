//go:build !js

package main

import (
	"fmt"

	"duet/app"
)

// mergeCommand adds a LoRA to the weights that it stands beside.
type mergeCommand struct {
	Model   string `placeholder:"MODEL" help:"The model with a LoRA; or with --adapter the one that the training started from; by default the embedded model."`
	Adapter string `placeholder:"FILE" help:"adapter.safetensors of a model that was trained with --tune lora."`
	Out     string `required:"" placeholder:"MODEL" help:"Where the merged model goes: a folder, or a .zip."`
	replaceFlag
}

func (c mergeCommand) Run(s streams) error {
	files, err := app.OpenFiles(c.Model)
	if err != nil {
		return err
	}
	defer files.Close()
	if err := app.Merge(files, c.Adapter, c.Out, c.Replace); err != nil {
		return err
	}
	fmt.Fprintln(s.out, c.Out)
	return nil
}
