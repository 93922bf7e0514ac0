package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/nn"
	"duet/model/report"
	"duet/model/text"
	"duet/model/train"
)

// InitOptions say what a model is joined from. Zero values take what the field
// gives by default.
type InitOptions struct {
	Vision, Text string // towers, see [OpenTower]; one may be empty
	Classes      []string
	Fusion       model.FusionKind // concat, or what one tower allows
	Dim          int              // width of the fused vector; 512
	ImageSize    int              // side of the pictures; the image tower's
	Seed         uint64           // of what is initialised at random
	Out          string           // where the model goes: a folder, or a .zip
	Replace      bool             // a model that is there already, see [Vacant]
}

// Init joins pretrained towers into a model with a new fusion and a new head,
// and writes it. It needs no device and holds one tensor's part in memory at a
// time. Shapes are checked before anything is read or written. When the context
// ends, nothing is left behind.
func Init(ctx context.Context, o InitOptions) (*report.Init, error) {
	if err := checkpoint.CanWriteModel(o.Out); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	towers, err := OpenTowers(o.Vision, o.Text)
	if err != nil {
		return nil, err
	}
	defer towers.Close()
	for _, t := range []*Tower{towers.Vision, towers.Text} {
		if t != nil && within(o.Out, t.Path) {
			return nil, fmt.Errorf("app: the model would take the place of its tower %s; give another name than %s", t.Name, o.Out)
		}
	}
	if err := Vacant(o.Out, o.Replace); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	j, err := towers.join(o.Fusion)
	if err != nil {
		return nil, err
	}
	c := j.config
	c.ProjectionDim = cmp.Or(o.Dim, c.ProjectionDim)
	if n := o.ImageSize; n != 0 {
		c.Image.ResizeShort, c.Image.Size = n*c.Image.ResizeShort/c.Image.Size, n
	}
	c.Recipe.Seed, c.NotSureBelow = o.Seed, train.NeverSure
	c.SetLabels(o.Classes)
	if len(c.Label2ID) < 2 {
		return nil, errors.New("app: a model tells classes apart; give at least two (--classes A,B,…)")
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("app: the joined model: %w", err)
	}
	return j.write(ctx, o)
}

// within reports whether a path is another or lies below it, by whatever names.
func within(folder, path string) bool {
	target, err := os.Stat(folder)
	if err != nil {
		return false // not there yet
	}
	path, err = filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	for err == nil {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, target) {
			return true
		}
		if path == filepath.Dir(path) {
			break
		}
		path = filepath.Dir(path)
	}
	return false
}

// Towers are what a model is joined from; one may be nil.
type Towers struct {
	Vision, Text *Tower
}

// OpenTowers opens towers as [OpenTower] does; one name may be empty. The caller
// closes them.
func OpenTowers(vision, text string) (*Towers, error) {
	if vision == "" && text == "" {
		return nil, errors.New("app: name a tower at least: --vision, --text or both")
	}
	t := new(Towers)
	var err error
	if vision != "" {
		t.Vision, err = OpenTower(vision)
	}
	if text != "" && err == nil {
		t.Text, err = OpenTower(text)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close closes the towers' files.
func (t *Towers) Close() {
	for _, tower := range []*Tower{t.Vision, t.Text} {
		if tower != nil {
			tower.Close()
		}
	}
}

// String names the towers.
func (t *Towers) String() string {
	var names []string
	for _, tower := range []*Tower{t.Vision, t.Text} {
		if tower != nil {
			names = append(names, tower.source())
		}
	}
	return strings.Join(names, " and ")
}

// A joining is a model on its way from two towers.
type joining struct {
	config    *config.Config
	tokenizer *text.Tokenizer // nil without a text tower

	towers   *Towers
	inVision *model.Tower
	inText   *model.Tower
}

// join finds the towers in their files and gives the configuration of the model
// that they make, without classes.
func (t *Towers) join(fusion model.FusionKind) (*joining, error) {
	if t.Vision == nil && t.Text == nil {
		return nil, errors.New("app: there is no tower for what the model shall see")
	}
	c, err := config.Named("pretrained")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	j := &joining{config: c, towers: t}
	c.Vision, c.Text = nil, nil
	if t.Vision != nil {
		if j.inVision, c.Vision, c.Image, err = t.Vision.vision(); err != nil {
			return nil, err
		}
	}
	if t.Text != nil {
		if j.inText, c.Text, j.tokenizer, c.Cleaning, err = t.Text.text(); err != nil {
			return nil, err
		}
		c.MaxTokens = min(c.MaxTokens, c.Text.Positions-c.Text.Pad-1)
	}
	c.Fusion = fusionOf(fusion, c)
	switch {
	case c.Fusion == model.ImageOnly && c.Text != nil:
		return nil, fmt.Errorf("app: fusion %s takes no text tower; leave it out, or name another fusion", c.Fusion)
	case c.Fusion == model.TextOnly && c.Vision != nil:
		return nil, fmt.Errorf("app: fusion %s takes no image tower; leave it out, or name another fusion", c.Fusion)
	}
	return j, nil
}

// fusionOf is the fusion that is asked for, or what the towers that there are
// allow.
func fusionOf(asked model.FusionKind, c *config.Config) model.FusionKind {
	switch {
	case c.Vision == nil:
		return cmp.Or(asked, model.TextOnly)
	case c.Text == nil:
		return cmp.Or(asked, model.ImageOnly)
	}
	return cmp.Or(asked, c.Fusion)
}

// sources finds the towers' parameters among a model's, and reports them.
func (j *joining) sources(m *model.VLM) (found []model.Source, vision, text *report.Tower, err error) {
	c := j.config
	if m.Visual != nil {
		shape := fmt.Sprintf("a ResNet of %v blocks, %d to %d channels wide", c.Vision.Blocks, c.Vision.Width, m.Visual.Out)
		if found, vision, err = j.towers.Vision.take(j.inVision, m, shape); err != nil {
			return nil, nil, nil, err
		}
	}
	if m.Text != nil {
		shape := fmt.Sprintf("a RoBERTa of %d layers, %d wide, %d tokens", c.Text.Layers, c.Text.Hidden, c.Text.VocabSize)
		var more []model.Source
		if more, text, err = j.towers.Text.take(j.inText, m, shape); err != nil {
			return nil, nil, nil, err
		}
		found = append(found, more...)
	}
	return found, vision, text, nil
}

// write finds the towers' tensors and writes the model.
func (j *joining) write(ctx context.Context, o InitOptions) (*report.Init, error) {
	m, err := define(nil, j.config, o.Out)
	if err != nil {
		return nil, err
	}
	m.Tokenizer = j.tokenizer
	r := new(report.Init)
	var found []model.Source
	if found, r.Vision, r.Text, err = j.sources(m.VLM); err != nil {
		return nil, err
	}
	sources := map[*nn.Param]model.Source{}
	for _, s := range found {
		sources[s.Param] = s
	}
	for _, p := range m.VLM.Params.All() {
		if p.New {
			r.Head = append(r.Head, p.Name)
		}
	}
	if r.Description, err = Describe(o.Out, m.Config); err != nil {
		return nil, err
	}
	if err := checkpoint.WriteModel(o.Out, m.entries(initial(ctx, m.VLM.Params.All(), sources, o.Seed))); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return r, nil
}

// initial lists parameters for a safetensors file: what a tower has from its
// file, the others with their starting values.
func initial(ctx context.Context, params []*nn.Param, sources map[*nn.Param]model.Source, seed uint64) []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, p := range params {
		out = append(out, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if s, ok := sources[p]; ok {
				return s.Write(w)
			}
			return checkpoint.WriteFloat32(w, p.Initial(seed))
		}})
	}
	return out
}
