//go:build !js

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"duet/app"
	"duet/model/data"
)

// classifyCommand answers for pictures and words.
type classifyCommand struct {
	Images []string `arg:"" optional:"" name:"image" help:"Pictures: JPEG, PNG, GIF, BMP or WebP; none where only words are looked at."`
	modelFlag
	backendFlag
	weightsFlag
	Caption   string `placeholder:"TEXT" help:"Words that go with the pictures."`
	Inputs    string `enum:"both,image,text" default:"both" help:"What the model sees: both, image or text."`
	Top       int    `placeholder:"K" default:"5" help:"How many classes to list."`
	MaxPixels int    `placeholder:"N" help:"Refuse pictures with more pixels; by default 100 million."`
	JSON      bool   `name:"json" help:"As every command has it; the output is one JSON object a line anyway."`
}

func (c classifyCommand) Run(ctx context.Context, s streams) error {
	switch {
	case c.Inputs == "text" && len(c.Images) > 0:
		return errors.New("with --inputs text no picture is looked at: leave the pictures out")
	case c.Inputs == "text":
		c.Images = []string{""}
	case len(c.Images) == 0:
		return errors.New("name a picture; with --inputs text and --caption the words alone are classified")
	}
	m, done, err := c.modelFlag.load(ctx, c.backendFlag, c.Weights)
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
		var unreadable notAPicture
		if err != nil && !errors.As(err, &unreadable) {
			return err
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

// notAPicture is the error of a picture that cannot be read: the others still can.
type notAPicture struct{ error }

func (c classifyCommand) one(ctx context.Context, classifier *app.Classifier, name string) (app.Answer, error) {
	caption := c.Caption
	if c.Inputs == "image" {
		caption = ""
	}
	var picture *data.Image
	if c.Inputs != "text" {
		var err error
		if picture, err = data.DecodeFile(name, c.MaxPixels); err != nil {
			return app.Answer{}, notAPicture{err}
		}
	}
	return classifier.Classify(ctx, name, picture, caption, c.Top)
}
