package app

import (
	"strings"
	"testing"
	"testing/fstest"

	"duet/model/checkpoint"
	"duet/model/data"
)

func TestPreparation(t *testing.T) {
	usual := data.NewPrep(224)
	usual.ResizeShort = 256
	with := func(size, short int, filter string) data.Prep {
		p := usual
		p.Size, p.ResizeShort, p.Filter = size, short, filter
		return p
	}
	half := with(288, 288, "bicubic")
	half.Mean, half.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.25, 0.5}
	tests := []struct {
		name, config, processor string
		want                    data.Prep
		err                     string
	}{
		{"nothing said", `{}`, "", usual, ""},
		{"timm", `{"architecture":"resnet18","pretrained_cfg":{"input_size":[3,224,224],"interpolation":"bicubic","crop_pct":0.95,"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225],"pool_size":[7,7]}}`, "", with(224, 235, "bicubic"), ""},
		{"timm, whole pictures", `{"pretrained_cfg":{"input_size":[3,288,288],"interpolation":"bicubic","crop_pct":1.0,"mean":[0.5,0.5,0.5],"std":[0.5,0.25,0.5]}}`, "", half, ""},
		{"timm, in short", `{"pretrained_cfg":{"input_size":[3,160,160]}}`, "", with(160, 182, "bilinear"), ""},
		{"transformers", `{"model_type":"resnet"}`, `{"crop_pct":0.875,"size":224,"resample":3,"image_mean":[0.485,0.456,0.406],"image_std":[0.229,0.224,0.225]}`, with(224, 256, "bicubic"), ""},
		{"transformers, later", `{"model_type":"resnet"}`, `{"size":{"shortest_edge":112},"resample":2}`, with(112, 128, "bilinear"), ""},
		{"another kind of network", `{}`, `{"size":{"height":224,"width":224}}`, usual, ""},
		{"no size", `{"pretrained_cfg":{"input_size":[224]}}`, "", usual, "pretrained_cfg.input_size is [224]"},
		{"no square", `{"pretrained_cfg":{"input_size":[3,224,9]}}`, "", usual, "the side of a square"},
		{"a huge size", `{"pretrained_cfg":{"input_size":[3,1000000,1000000]}}`, "", usual, "config.json: data: image preparation: size 1000000"},
		{"an unknown filter", `{"pretrained_cfg":{"input_size":[3,224,224],"interpolation":"lanczos"}}`, "", usual, `filter "lanczos"`},
		{"a share of nothing", `{}`, `{"size":224,"crop_pct":0}`, usual, "preprocessor_config.json: crop_pct is 0"},
		{"a deviation of nothing", `{}`, `{"size":224,"image_std":[0,0,0]}`, usual, "a std must be positive"},
		{"no JSON", `{}`, `size`, usual, "preprocessor_config.json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{"config.json": {Data: []byte(test.config)}}
			if test.processor != "" {
				files["preprocessor_config.json"] = &fstest.MapFile{Data: []byte(test.processor)}
			}
			m, err := checkpoint.OpenModelFS(files, "tower")
			if err != nil {
				t.Fatal(err)
			}
			got, err := preparation(m, usual)
			switch {
			case test.err == "" && (err != nil || got != test.want):
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v; want one with %q", err, test.err)
			}
		})
	}
}
