//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"

	"duet/app"
	"duet/model/report"
)

// exportCommand writes a model in the forms that other programs read.
type exportCommand struct {
	modelFlag
	Format string `required:"" enum:"safetensors,onnx,hf" help:"safetensors: one file of weights. onnx: one file that runs in ONNX Runtime. hf: a folder in the style of Hugging Face, or a zip of one where --out ends in .zip."`
	Part   string `enum:"all,visual,text" default:"all" help:"all, or one tower under its own tensor names: visual (torchvision's) or text (Hugging Face's)."`
	Out    string `required:"" placeholder:"PATH" help:"File to write; a folder or zip for hf."`
	replaceFlag
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (c exportCommand) Run(_ context.Context, s streams) error {
	files, err := app.OpenFiles(c.Model)
	if err != nil {
		return err
	}
	defer files.Close()
	x, err := app.OpenExport(files)
	if err != nil {
		return err
	}
	defer x.Close()
	if err := x.Save(c.Out, c.Format, c.Part, c.Replace); err != nil {
		return err
	}
	bytes, err := sizeOnDisk(c.Out)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			Out        string `json:"out"`
			Format     string `json:"format"`
			Part       string `json:"part"`
			Parameters int    `json:"parameters"`
			Bytes      int64  `json:"bytes"`
		}{c.Out, c.Format, c.Part, x.Parameters(c.Part), bytes})
	}
	fmt.Fprintf(s.out, "%s: %s of %d parameters, %s\n", c.Out, c.Format, x.Parameters(c.Part), report.Size(bytes))
	return nil
}

// sizeOnDisk is the number of bytes of a file, or of the files in a folder.
func sizeOnDisk(name string) (total int64, err error) {
	err = filepath.WalkDir(name, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
