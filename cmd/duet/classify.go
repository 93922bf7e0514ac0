//go:build !js

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"duet/app"
	"duet/model/data"
	"duet/model/report"
)

// classifyCommand answers for pictures and words.
type classifyCommand struct {
	Images []string `arg:"" optional:"" name:"image" help:"Pictures (JPEG, PNG, GIF, BMP or WebP) and folders of them; none where only words are looked at."`
	modelFlag
	backendFlag
	weightsFlag
	Caption   string `placeholder:"TEXT" help:"Words that go with every one of the pictures."`
	Inputs    string `enum:"both,image,text" default:"both" help:"What the model sees: both, image or text."`
	Top       int    `placeholder:"K" default:"5" help:"How many classes to list."`
	MaxPixels int    `placeholder:"N" help:"Refuse pictures with more pixels; by default 100 million."`
	JSON      bool   `name:"json" help:"As every command has it; the output is one JSON object a line anyway."`
}

func (c classifyCommand) Run(ctx context.Context, s streams) error {
	switch {
	case c.Inputs == "text" && len(c.Images) > 0:
		return errors.New("with --inputs text no picture is looked at: leave the pictures out")
	case len(c.Images) == 0:
		return errors.New("name a picture or a folder; with --inputs text and --caption the words alone are classified")
	}
	pictures, err := c.pictures(ctx)
	if err != nil {
		return err
	}
	m, done, err := c.modelFlag.load(ctx, c.backendFlag, c.Weights)
	if err != nil {
		return err
	}
	defer done()
	if !m.Trained() {
		fmt.Fprintf(s.err, "%[1]s is not trained yet: what follows its towers is random, and its answers mean nothing; duet train --init %[1]s trains it\n", m.Name)
	}
	classifier := app.NewClassifier(m)
	defer classifier.Release()
	defer pictures.tell(s.err)
	encoder := json.NewEncoder(s.out)
	for _, name := range pictures.names {
		answer, err := c.one(ctx, classifier, name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var unreadable notAPicture
		if err != nil && !errors.As(err, &unreadable) {
			return err
		}
		if err != nil {
			pictures.fail(name, err)
			continue
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	if n := pictures.failed; n > 0 {
		return fmt.Errorf("%d of %s could not be read", n, report.Count(len(pictures.names)+pictures.passed, "picture"))
	}
	return nil
}

// pictureList is what a command line's pictures and folders come to.
type pictureList struct {
	names    []string // "" for none, where only words are looked at
	passed   int      // over in folders, such as pictures of another format
	failed   int      // these and what could not be read
	failures []string // in words
}

// pictures lists the pictures, those of a folder in the order of names.
func (c classifyCommand) pictures(ctx context.Context) (*pictureList, error) {
	l := &pictureList{}
	if c.Inputs == "text" {
		l.names = []string{""}
	}
	for _, name := range c.Images {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			l.names = append(l.names, name) // whoever reads it says what is wrong
			continue
		}
		names, left, err := data.Pictures(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(names)+left.SkippedRows == 0 {
			return nil, fmt.Errorf("%s holds no pictures (JPEG, PNG, GIF, BMP, WebP)", name)
		}
		l.names = append(l.names, names...)
		l.passed += left.SkippedRows
		l.failed += left.SkippedRows
		for _, s := range left.Skipped {
			l.failures = append(l.failures, s.String())
		}
	}
	return l, nil
}

func (l *pictureList) fail(name string, err error) {
	l.failed++
	l.failures = append(l.failures, fmt.Sprintf("%s: %v", name, err))
}

// tell names what could not be read.
func (l *pictureList) tell(w io.Writer) {
	for _, line := range l.failures {
		fmt.Fprintln(w, line)
	}
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
