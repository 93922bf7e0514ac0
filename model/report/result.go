package report

import (
	"errors"
	"time"
)

// An Answer is what a model says about a picture and its words. Its JSON is
// that of the command line and of the tab.
type Answer struct {
	File      string  `json:"file"`
	Caption   string  `json:"caption"`
	Top       []Score `json:"top"`
	Sure      bool    `json:"sure"`                // the model is trained and the best probability is at least its not_sure_below
	Untrained bool    `json:"untrained,omitempty"` // the model's head is as it was drawn, so that the answer means nothing
	Adapter   string  `json:"adapter"`
}

// A Score is a class and its probability.
type Score struct {
	Label string  `json:"label"`
	P     float32 `json:"p"`
}

// A Description is what a model is, in a few words. Its JSON is that of the
// command line and of the tab.
type Description struct {
	Name       string   `json:"name"`
	Parameters int      `json:"parameters"`
	Fusion     string   `json:"fusion"`
	ImageSize  int      `json:"image_size"`
	Classes    []string `json:"classes"`
	Card       string   `json:"card,omitempty"` // the model card, Markdown, where it is asked for
}

// An Estimate is what a training will take.
type Estimate struct {
	Bytes      int64 // on the device, at most
	Memory     int64 // that the device has for it; 0: not known
	Parameters int   // of the model
	Trained    int   // of these
	Steps      int
	Time       time.Duration // about; 0 where no speed was given
}

// TooLarge tells that the device is known to have less memory than this; it may
// be asked of nil.
func (e *Estimate) TooLarge() bool { return e != nil && e.Memory > 0 && e.Bytes > e.Memory }

// A Result is how a model did on examples.
type Result struct {
	N         int           `json:"n"`
	Top1      float64       `json:"top1"`
	Top5      float64       `json:"top5"`
	MacroF1   float64       `json:"macro_f1"`
	Loss      float64       `json:"loss"`
	Classes   []ClassResult `json:"classes"`
	Confusion [][]int       `json:"confusion"` // [true class][answer]
	Skipped   []Skip        `json:"skipped,omitempty"`
}

// A ClassResult is how a model did on one class.
type ClassResult struct {
	Label     string  `json:"label"`
	N         int     `json:"n"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// An Evaluation is the outcome of [Evaluate].
type Evaluation struct {
	Result
	On     string            `json:"on"` // which examples, in words
	Ablate map[string]Result `json:"ablate,omitempty"`
	Packed *PackedWeights    `json:"packed,omitempty"` // where the weights lie on the device with fewer bits
}

// PackedWeights is what weights of fewer bits cost.
type PackedWeights struct {
	Weights      string `json:"weights"`       // f16 or int8
	Bytes        int    `json:"bytes"`         // of the parameters on the device
	Float32Bytes int    `json:"float32_bytes"` // of the same without
	Float32      Result `json:"float32"`       // the same examples without; no classes
	Same         int    `json:"same"`          // examples with the same answer
}

// Default is the name of the model that the program carries.
const Default = "default"

// ErrInterrupted says that the context of a training ended; its state was saved.
var ErrInterrupted = errors.New("train: interrupted")
