//go:build !js

package main

import (
	"context"
	"fmt"

	"duet/app"
	"duet/assets"
)

// sampleCommand draws a sample collection.
type sampleCommand struct {
	Out string `required:"" placeholder:"DIR" help:"Folder to write: a new or empty one, or with --replace an earlier drawn collection."`
	replaceFlag
	N    int    `name:"n" default:"3000" placeholder:"N" help:"Questions and statements to draw; by default ${default}."`
	Seed uint64 `default:"1" placeholder:"N" help:"Seed: the same seed draws the same collection; by default ${default}."`
	Task string `default:"${task}" placeholder:"NAME" help:"What is asked: ${tasks}; by default ${default}."`
	Size int    `default:"${size}" placeholder:"N" help:"Side of the pictures in pixels; by default ${default}."`
}

func (c sampleCommand) Run(ctx context.Context, s streams) error {
	if err := app.Vacant(c.Out, c.Replace); err != nil {
		return err
	}
	sum, err := assets.WriteCollection(ctx, c.Out, c.Task, c.N, c.Seed, c.Size)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %d rows about %d pictures; %d of %d to train on, %d of %d to validate\n", c.Out,
		sum.Rows, sum.Pictures, sum.TrainRows, sum.TrainPictures, sum.ValidationRows, sum.ValidationPictures)
	return nil
}
