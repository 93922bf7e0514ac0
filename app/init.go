package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/nn"
	"duet/model/report"
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
}

// Init joins pretrained towers into a model with a new fusion and a new head,
// and writes it. It needs no device and holds one tensor's part in memory at a
// time. Shapes are checked before anything is read or written.
func Init(o InitOptions) (*report.Init, error) {
	if err := checkpoint.CanWriteModel(o.Out); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	c, err := config.Named("pretrained")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	j := &joining{model: &Model{Config: c}}
	defer j.close()
	if err := j.open(o); err != nil {
		return nil, err
	}
	return j.write(o)
}

// A joining is a model on its way from two towers to disk.
type joining struct {
	model        *Model
	vision, text *Tower // nil: the model has none
	inVision     *model.Tower
	inText       *model.Tower
}

func (j *joining) close() {
	for _, t := range []*Tower{j.vision, j.text} {
		if t != nil {
			t.Close()
		}
	}
}

// open opens the towers and completes the configuration.
func (j *joining) open(o InitOptions) (err error) {
	c := j.model.Config
	c.Vision, c.Text = nil, nil
	if o.Vision == "" && o.Text == "" {
		return errors.New("app: name a tower at least: --vision, --text or both")
	}
	if o.Vision != "" {
		if j.vision, err = OpenTower(o.Vision); err != nil {
			return err
		}
		if j.inVision, c.Vision, c.Image, err = j.vision.vision(); err != nil {
			return err
		}
	}
	if o.Text != "" {
		if j.text, err = OpenTower(o.Text); err != nil {
			return err
		}
		if j.inText, c.Text, j.model.Tokenizer, c.Cleaning, err = j.text.text(); err != nil {
			return err
		}
		c.MaxTokens = min(c.MaxTokens, c.Text.Positions-c.Text.Pad-1)
	}
	c.Fusion = fusionOf(o.Fusion, c)
	switch {
	case c.Fusion == model.ImageOnly && c.Text != nil:
		return fmt.Errorf("app: fusion %s takes no text tower; leave it out, or name another fusion", c.Fusion)
	case c.Fusion == model.TextOnly && c.Vision != nil:
		return fmt.Errorf("app: fusion %s takes no image tower; leave it out, or name another fusion", c.Fusion)
	}
	c.ProjectionDim = cmp.Or(o.Dim, c.ProjectionDim)
	if n := o.ImageSize; n != 0 {
		c.Image.ResizeShort, c.Image.Size = n*c.Image.ResizeShort/c.Image.Size, n
	}
	c.Recipe.Seed = o.Seed
	c.SetLabels(o.Classes)
	if len(c.Label2ID) < 2 {
		return fmt.Errorf("app: %d different classes; at least two are needed", len(c.Label2ID))
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("app: the joined model: %w", err)
	}
	return nil
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

// write finds the towers' tensors and writes the model.
func (j *joining) write(o InitOptions) (*report.Init, error) {
	m := j.model
	var err error
	if m, err = define(nil, m.Config, o.Out); err != nil {
		return nil, err
	}
	m.Tokenizer = j.model.Tokenizer
	r := new(report.Init)
	c := m.Config
	sources := map[*nn.Param]model.Source{}
	take := func(t *Tower, tower *model.Tower, shape string) (*report.Tower, error) {
		found, told, err := t.take(tower, m.VLM, shape)
		for _, s := range found {
			sources[s.Param] = s
		}
		return told, err
	}
	if m.VLM.Visual != nil {
		shape := fmt.Sprintf("a ResNet of %v blocks, %d to %d channels wide", c.Vision.Blocks, c.Vision.Width, m.VLM.Visual.Out)
		if r.Vision, err = take(j.vision, j.inVision, shape); err != nil {
			return nil, err
		}
	}
	if m.VLM.Text != nil {
		shape := fmt.Sprintf("a RoBERTa of %d layers, %d wide, %d tokens", c.Text.Layers, c.Text.Hidden, c.Text.VocabSize)
		if r.Text, err = take(j.text, j.inText, shape); err != nil {
			return nil, err
		}
	}
	for _, p := range m.VLM.Params.All() {
		if p.New {
			r.Head = append(r.Head, p.Name)
		}
	}
	if r.Description, err = Describe(o.Out, c); err != nil {
		return nil, err
	}
	if err := checkpoint.WriteModel(o.Out, m.entries(initial(m.VLM.Params.All(), sources, o.Seed))); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return r, nil
}

// initial lists parameters for a safetensors file: what a tower has from its
// file, the others with their starting values.
func initial(params []*nn.Param, sources map[*nn.Param]model.Source, seed uint64) []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, p := range params {
		out = append(out, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
			if s, ok := sources[p]; ok {
				return s.Write(w)
			}
			return checkpoint.WriteFloat32(w, p.Initial(seed))
		}})
	}
	return out
}
