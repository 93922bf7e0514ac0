//go:build !js

// Command defaultmodel trains the model that the program ships, on pictures
// that this project draws and on photographs whose licences let the weights be
// shared, measures it on what was held back, and writes its card.
//
//	go run ./cmd/defaultmodel [--data DIR] [--out DIR] [--resume]
package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"

	"duet/app"
	"duet/assets"
	"duet/gpu"
	"duet/model/config"
	"duet/model/data"
	"duet/model/text"
	"duet/model/train"
)

// How much of what an epoch holds, and from which seed.
const (
	seed         = 1
	drawnRows    = 350_000 // five a picture
	photoCopies  = 6       // a photograph comes this often an epoch
	heldBackRows = 2_500   // drawn ones that each validation looks at
)

//go:embed config.json
var files embed.FS

func main() {
	dir := flag.String("data", filepath.Join(besideCheckout(), "data"), "folder with caltech101, grocery_store and text")
	out := flag.String("out", filepath.Join("bin", "default-model"), "where the model goes; make default-model then copies it to assets/default")
	resume := flag.Bool("resume", false, "go on with an interrupted training")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *out, *resume); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// besideCheckout is the folder of the data that lies beside the checkout.
func besideCheckout() string {
	if dir := os.Getenv("DUET_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared")
}

func run(ctx context.Context, dir, out string, resume bool) error {
	backend, err := gpu.Open(ctx, gpu.Options{SelfTest: true})
	if err != nil {
		return err
	}
	defer backend.Close()
	parts, err := open(ctx, dir, out+".drawn")
	if err != nil {
		return err
	}
	if err := parts.train(ctx, backend, out, resume); err != nil {
		return err
	}
	return parts.measure(ctx, backend, out)
}

// parts are the collections that the model is trained on.
type parts struct {
	words                     *words
	caltech, groceries, drawn *data.Collection
	groceriesVal              *data.Collection // grocery_store's own validation part, which no training sees
}

// open reads the photographs, draws the rest into a folder and holds back.
func open(ctx context.Context, dir, drawn string) (*parts, error) {
	p := &parts{}
	var err error
	if p.words, err = readWords(os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if p.caltech, err = data.OpenPath(ctx, filepath.Join(dir, "caltech101"), "", data.Options{}); err != nil {
		return nil, err
	}
	if p.groceries, err = data.OpenPath(ctx, filepath.Join(dir, "grocery_store"), "", data.Options{ClassLevel: 1}); err != nil {
		return nil, err
	}
	// Its own validation part is small, lacks six of the classes and is unlike
	// its training part. It stays out of the training and is measured beside the
	// pictures that are drawn from the training part, as they are of caltech101.
	own := *p.groceries
	own.Examples = p.groceries.Select(data.Validation)
	p.groceriesVal, p.groceries.Examples = &own, p.groceries.Select(data.Train)
	if _, err := assets.WriteCollection(ctx, drawn, assets.DefaultTask, drawnRows, seed, assets.DefaultSize); err != nil {
		return nil, err
	}
	if p.drawn, err = data.OpenPath(ctx, drawn, "", data.Options{}); err != nil {
		return nil, err
	}
	for _, c := range []*data.Collection{p.caltech, p.groceries, p.drawn} {
		if _, err := c.HoldOut(ctx, seed, data.DefaultShare); err != nil {
			return nil, err
		}
		for _, line := range c.Report.Lines() {
			fmt.Fprintln(os.Stderr, line)
		}
	}
	return p, nil
}

// names are the further names of an example's class: the folder it lies in.
func names(e data.Example) []string { return []string{path.Base(path.Dir(e.Source.File))} }

// collection puts the parts together as one epoch sees them.
func (p *parts) collection() *data.Collection {
	all := data.Merge("drawn shapes, caltech101 and grocery_store", p.caltech, p.groceries, p.drawn)
	photos := len(p.caltech.Examples) + len(p.groceries.Examples)
	var examples []data.Example
	for copy := range photoCopies {
		var training []data.Example
		for _, e := range all.Examples[:photos] {
			if e.Split == data.Train {
				e.Copy = copy
				training = append(training, e)
			}
		}
		examples = append(examples, p.words.caption(all, training, names, uint64(copy))...)
	}
	held := 0
	for i, e := range all.Examples {
		switch {
		case i < photos && e.Split == data.Validation:
			examples = append(examples, e)
		case i >= photos && e.Split == data.Train:
			e.Plain = true
			examples = append(examples, e)
		case i >= photos && held < heldBackRows:
			held++
			examples = append(examples, e)
		}
	}
	all.Examples = examples
	return all
}

func (p *parts) train(ctx context.Context, backend gpu.Backend, out string, resume bool) error {
	c, err := config.Read(files, "config.json")
	if err != nil {
		return err
	}
	tokenizer, err := text.Train(ctx, p.words.corpus, c.Text.VocabSize)
	if err != nil {
		return err
	}
	events := json.NewEncoder(os.Stdout)
	m, err := app.Train(ctx, backend, app.TrainOptions{
		Collection: p.collection(), Name: "drawn shapes, caltech101 and grocery_store", Config: c, Tokenizer: tokenizer,
		Out: out, Replace: true, Resume: resume, Cache: 4 << 30,
	}, func(e train.Event) {
		if e.Event != "step" || e.Step%20 == 0 {
			events.Encode(e)
		}
	})
	if errors.Is(err, train.ErrInterrupted) {
		return errors.New("stopped; the same command with --resume goes on")
	}
	if err != nil {
		return err
	}
	m.Release()
	return nil
}
