//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"duet/app"
	"duet/model/data"
)

// classifyCommand answers for pictures and words.
type classifyCommand struct {
	Images []string `arg:"" name:"image" help:"Pictures: JPEG, PNG, GIF, BMP or WebP."`
	modelFlag
	backendFlag
	Caption   string `placeholder:"TEXT" help:"Words that go with the pictures."`
	Inputs    string `enum:"both,image,text" default:"both" help:"What the model sees: both, image or text."`
	Top       int    `placeholder:"K" default:"5" help:"How many classes to list."`
	MaxPixels int    `placeholder:"N" help:"Refuse pictures with more pixels; by default 100 million."`
	JSON      bool   `name:"json" help:"One JSON object a line; also the default where the output is not a terminal."`
}

func (c classifyCommand) Run(ctx context.Context, s streams) error {
	m, done, err := c.modelFlag.load(ctx, c.backendFlag)
	if err != nil {
		return err
	}
	defer done()
	classifier := app.NewClassifier(m)
	defer classifier.Release()
	failed := 0
	encoder := json.NewEncoder(s.out)
	for _, name := range c.Images {
		answer, err := c.one(ctx, classifier, name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed++
			fmt.Fprintf(s.err, "%s: %v\n", name, err)
			continue
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d pictures could not be read", failed, len(c.Images))
	}
	return nil
}

func (c classifyCommand) one(ctx context.Context, classifier *app.Classifier, name string) (app.Answer, error) {
	picture, err := data.DecodeFile(name, c.MaxPixels)
	if err != nil {
		return app.Answer{}, err
	}
	caption := c.Caption
	switch c.Inputs {
	case "image":
		caption = ""
	case "text":
		picture = nil
	}
	return classifier.Classify(ctx, name, picture, caption, c.Top)
}
