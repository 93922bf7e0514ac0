//go:build !js

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"duet/app"
	"duet/gpu"
	"duet/model/config"
	"duet/model/report"
)

// infoCommand describes this machine and this build.
type infoCommand struct {
	JSON bool `name:"json" help:"One JSON object instead of lines."`
}

// information is what duet info tells.
type information struct {
	Adapters []adapter       `json:"adapters"` // best first
	Problem  string          `json:"problem,omitempty"`
	Default  app.Description `json:"default_model"`
	Version  versions        `json:"version"`
}

type adapter struct {
	Name    string     `json:"name"`
	Vendor  string     `json:"vendor"`
	Driver  string     `json:"driver"`
	Class   gpu.Class  `json:"class"`
	Kernels string     `json:"kernels"` // CPU or GPU: for which they are written
	Limits  gpu.Limits `json:"limits"`
}

type versions struct {
	Duet     string `json:"duet"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	WebGPU   string `json:"webgpu"` // of the module that binds it
}

func (c infoCommand) Run(ctx context.Context, s streams) error {
	x := information{Adapters: []adapter{}, Version: readVersions()}
	list, err := gpu.Adapters(ctx)
	if err != nil {
		x.Problem = err.Error()
	}
	for _, a := range list {
		x.Adapters = append(x.Adapters, adapter{a.Name, a.Vendor, a.Driver, a.Class, a.Target.String(), a.Limits})
	}
	if x.Default, err = describeDefault(); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(x)
	}
	x.print(s)
	return nil
}

func (x information) print(s streams) {
	fmt.Fprintf(s.out, "duet %s, %s, %s, webgpu %s\n", x.Version.Duet, x.Version.Go, x.Version.Platform, x.Version.WebGPU)
	for i, a := range x.Adapters {
		first := ""
		if i == 0 && os.Getenv(gpu.AdapterVariable) == "" {
			first = " (taken unless " + gpu.AdapterVariable + " names another)"
		}
		fmt.Fprintf(s.out, "adapter: %s, %s%s\n", a.Name, a.Class, first)
		l, buffer := a.Limits, "of any size"
		if l.BufferSize < 1<<50 {
			buffer = report.Size(l.BufferSize)
		}
		fmt.Fprintf(s.out, "  storage binding %s, buffer %s, %d storage buffers a stage, workgroup %d invocations and %s, %d groups a dimension, kernels for %ss\n",
			report.Size(l.StorageBinding), buffer, l.StorageBuffers, l.WorkgroupSize, report.Size(int64(l.WorkgroupBytes)), l.Groups, a.Kernels)
	}
	if len(x.Adapters) == 0 {
		fmt.Fprintf(s.out, "adapter: none (%s); --backend reference computes without one, slowly\n", x.Problem)
	}
	d := x.Default
	fmt.Fprintf(s.out, "default model: %d parameters, fusion %s, pictures %d px, %d classes\n", d.Parameters, d.Fusion, d.ImageSize, len(d.Classes))
}

func describeDefault() (app.Description, error) {
	files, err := app.OpenFiles(app.Default)
	if err != nil {
		return app.Description{}, err
	}
	defer files.Close()
	c, err := config.Read(files, "config.json")
	if err != nil {
		return app.Description{}, fmt.Errorf("the default model: %w", err)
	}
	return app.Describe(app.Default, c)
}

// readVersions reads what make and the Go toolchain wrote into the program.
func readVersions() versions {
	v := versions{Duet: cmp.Or(report.Version(), "(devel)"), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, m := range build.Deps {
		if m.Path == "github.com/cogentcore/webgpu" {
			v.WebGPU = m.Version
		}
	}
	return v
}
