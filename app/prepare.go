package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"duet/model/checkpoint"
	"duet/model/data"
)

// maxPreparation bounds the files that say how pictures are prepared.
const maxPreparation = 1 << 20

// preparation reads how pictures are prepared for an image tower from the files
// beside its weights: timm's pretrained_cfg in config.json, or transformers'
// preprocessor_config.json. What they do not say stays as prep has it. In both,
// the short side becomes the picture's side divided by crop_pct before the crop.
func preparation(files *checkpoint.Model, prep data.Prep) (data.Prep, error) {
	var timm struct {
		Config *timmConfig `json:"pretrained_cfg"`
	}
	if err := checkpoint.ReadJSON(files, "config.json", maxPreparation, &timm); err != nil {
		return prep, err
	}
	if timm.Config != nil {
		// Its own values for what is not there; decoded again over them.
		timm.Config = &timmConfig{Filter: prep.Filter, Share: usualShare, Mean: prep.Mean, Std: prep.Std}
		if err := checkpoint.ReadJSON(files, "config.json", maxPreparation, &timm); err != nil {
			return prep, err
		}
		c := timm.Config
		if len(c.Input) != 3 || c.Input[1] != c.Input[2] {
			return prep, fmt.Errorf("config.json: pretrained_cfg.input_size is %v; want three numbers, the last two the side of a square", c.Input)
		}
		return cropped("config.json", data.Prep{Size: c.Input[2], Filter: c.Filter, Mean: c.Mean, Std: c.Std}, c.Share)
	}
	const name = "preprocessor_config.json"
	p := processorConfig{Share: usualShare, Mean: prep.Mean, Std: prep.Std}
	err := checkpoint.ReadJSON(files, name, maxPreparation, &p)
	if errors.Is(err, fs.ErrNotExist) {
		return prep, nil
	}
	if err != nil {
		return prep, err
	}
	var size struct {
		Shortest int `json:"shortest_edge"`
	}
	if json.Unmarshal(p.Size, &size.Shortest) != nil && json.Unmarshal(p.Size, &size) != nil || size.Shortest == 0 {
		return prep, nil // for another kind of network
	}
	filter := prep.Filter
	switch p.Resample {
	case 2:
		filter = "bilinear"
	case 3:
		filter = "bicubic"
	}
	return cropped(name, data.Prep{Size: size.Shortest, Filter: filter, Mean: p.Mean, Std: p.Std}, p.Share)
}

// usualShare is what both libraries take where nothing is said: 224 of 256.
const usualShare = 0.875

type timmConfig struct {
	Input  []int      `json:"input_size"` // channels, height, width
	Filter string     `json:"interpolation"`
	Share  float64    `json:"crop_pct"`
	Mean   [3]float32 `json:"mean"`
	Std    [3]float32 `json:"std"`
}

type processorConfig struct {
	Size     json.RawMessage `json:"size"` // a number, or {"shortest_edge": number}
	Share    float64         `json:"crop_pct"`
	Resample int             `json:"resample"` // PIL's number of a filter
	Mean     [3]float32      `json:"image_mean"`
	Std      [3]float32      `json:"image_std"`
}

// cropped completes a preparation by the share of the short side that is kept.
func cropped(name string, p data.Prep, share float64) (data.Prep, error) {
	if !(share > 0.1 && share <= 1) {
		return p, fmt.Errorf("%s: crop_pct is %g; want 0.1 to 1", name, share)
	}
	p.ResizeShort = int(float64(p.Size) / share)
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
