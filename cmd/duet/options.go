//go:build !js

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"duet/app"
	"duet/gpu"
	"duet/model/config"
	"duet/model/data"
)

// backendFlag chooses what computes.
type backendFlag struct {
	Backend string `enum:"webgpu,reference" default:"webgpu" help:"What computes: webgpu, or reference for the slow CPU twins of the kernels."`
}

func (f backendFlag) open(ctx context.Context) (gpu.Backend, error) {
	if f.Backend == "reference" {
		return gpu.NewReference(), nil
	}
	device, err := gpu.Open(ctx, gpu.Options{SelfTest: true})
	if err != nil {
		return nil, fmt.Errorf("%w (--backend reference computes without one, slowly)", err)
	}
	return device, nil
}

// modelFlag names a model.
type modelFlag struct {
	Model string `placeholder:"MODEL" default:"default" help:"Model folder or zip; by default the embedded one."`
}

// weightsFlag says how the towers' weights lie on the device.
type weightsFlag struct {
	Weights string `enum:"f32,f16,int8" default:"f32" help:"How the towers' weights lie on the device: f32; f16, in half the memory; int8, in a quarter. Arithmetic is float32 with all of them."`
}

// load opens the backend and puts the model on it; close releases both.
func (f modelFlag) load(ctx context.Context, b backendFlag, weights string) (m *app.Model, close func(), err error) {
	files, err := app.OpenFiles(f.Model)
	if err != nil {
		return nil, nil, err
	}
	defer files.Close()
	backend, err := b.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	if m, err = app.LoadPacked(backend, files, weights); err != nil {
		backend.Close()
		return nil, nil, err
	}
	return m, func() { m.Release(); backend.Close() }, nil
}

// replaceFlag lets a command take the place of what an earlier one made.
type replaceFlag struct {
	Replace bool `help:"Put what is made in the place of what an earlier command made at --out."`
}

// dataFlags name a collection and how to read it.
type dataFlags struct {
	Data string `required:"" placeholder:"PATH" help:"Collection: a folder, a table (CSV, TSV, JSONL, perhaps .gz) or a tar shard."`
	readFlags
}

// readFlags say how to read a collection.
type readFlags struct {
	Images      string `placeholder:"DIR" help:"Folder that a table's picture paths are relative to; by default the table's own."`
	ClassLevel  int    `placeholder:"N" help:"Folder level that names the class, counted from 1; by default the deepest."`
	LabelColumn string `placeholder:"NAME" help:"Column of labels; by default label, class, category or answer."`
	TextColumn  string `placeholder:"NAME" help:"Column of captions; by default text, caption, prompt, sentence or question."`
	MaxPixels   int    `placeholder:"N" help:"Leave out pictures with more pixels; by default 100 million."`
}

func (f readFlags) options() data.Options {
	return data.Options{ClassLevel: f.ClassLevel, LabelColumn: f.LabelColumn, TextColumn: f.TextColumn, MaxPixels: f.MaxPixels}
}

func (f dataFlags) open(ctx context.Context) (*data.Collection, error) {
	return data.OpenPath(ctx, f.Data, f.Images, f.options())
}

// configuration returns the named configuration, or that of a file; nil for "".
func configuration(name string) (*config.Config, error) {
	if name == "" {
		return nil, nil
	}
	if !strings.ContainsAny(name, "./\\") {
		return config.Named(name)
	}
	return config.Read(os.DirFS(filepath.Dir(name)), filepath.Base(name))
}
