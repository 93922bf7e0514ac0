//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"duet/app"
	"duet/model"
)

// initCommand joins two pretrained towers into a model.
type initCommand struct {
	Vision    string `placeholder:"PATH|NAME" help:"Image tower: a ResNet of basic blocks (ResNet-18, ResNet-34) as torchvision, timm or Hugging Face's libraries save it: a .pth or .safetensors, or a folder of one with its config.json; or the name of a fetched one, such as torchvision/resnet18."`
	Text      string `placeholder:"PATH|NAME" help:"Text tower: a RoBERTa's folder as Hugging Face's libraries write it: config.json, weights and tokenizer; or the name of a fetched one, such as FacebookAI/roberta-base."`
	Classes   string `required:"" placeholder:"A,B,…|FILE" help:"The classes, separated by commas, or a file with one a line."`
	Fusion    string `placeholder:"NAME" help:"concat, concat_gelu, concat_product, gated, hadamard or cross_attention; by default concat."`
	Dim       int    `placeholder:"N" help:"Width of the fused vector; by default 512."`
	ImageSize int    `placeholder:"N" help:"Side of the pictures that the model sees, in pixels; by default what the image tower is for, mostly 224."`
	Seed      uint64 `default:"1" placeholder:"N" help:"Seed of what is initialised at random; by default ${default}."`
	Out       string `required:"" placeholder:"MODEL" help:"Where the model goes: a folder, or a .zip."`
	replaceFlag
	JSON bool `name:"json" help:"One JSON object instead of lines."`
}

func (c initCommand) Run(ctx context.Context, s streams) error {
	classes, err := classList(c.Classes)
	if err != nil {
		return err
	}
	r, err := app.Init(ctx, app.InitOptions{
		Vision: c.Vision, Text: c.Text, Classes: classes, Fusion: model.FusionKind(c.Fusion), Dim: c.Dim, ImageSize: c.ImageSize, Seed: c.Seed, Out: c.Out, Replace: c.Replace,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(r)
	}
	for _, line := range r.Lines() {
		fmt.Fprintln(s.out, line)
	}
	return nil
}

// classList reads classes from a file of that name, if there is one, or from
// the list itself.
func classList(list string) ([]string, error) {
	separator := ","
	if info, err := os.Stat(list); err == nil && info.Mode().IsRegular() {
		data, err := os.ReadFile(list)
		if err != nil {
			return nil, fmt.Errorf("reading the classes: %w", err)
		}
		list, separator = strings.TrimPrefix(string(data), "\ufeff"), "\n"
	}
	var classes []string
	seen := map[string]bool{}
	for class := range strings.SplitSeq(list, separator) {
		class = strings.TrimSpace(class)
		if class == "" {
			continue
		}
		if seen[class] {
			return nil, fmt.Errorf("the class %q is named twice", class)
		}
		seen[class] = true
		classes = append(classes, class)
	}
	return classes, nil
}
