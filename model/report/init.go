package report

import (
	"fmt"
	"strings"
)

// An Init says what a model was joined from.
type Init struct {
	Description          // by where it went
	Vision      *Tower   `json:"vision,omitempty"`
	Text        *Tower   `json:"text,omitempty"`
	Head        []string `json:"head"` // the tensors that follow the towers, initialised
}

// A Tower says what became of a pretrained tower's tensors.
type Tower struct {
	Source      string   `json:"source"` // as it was given
	Shape       string   `json:"shape"`  // in words
	Loaded      []string `json:"loaded"`
	Ignored     []string `json:"ignored"`     // in the file, but not of the tower
	Initialised []string `json:"initialised"` // of the tower, but not in the file
	Folded      bool     `json:"folded,omitempty"`
}

// Lines tells the report in words.
func (r *Init) Lines() []string {
	var lines []string
	for _, t := range []*Tower{r.Vision, r.Text} {
		if t == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s; %d tensors loaded", t.Source, t.Shape, len(t.Loaded)))
		if len(t.Ignored) > 0 {
			lines = append(lines, fmt.Sprintf("  ignored, for they are no part of it: %s", strings.Join(t.Ignored, ", ")))
		}
		if len(t.Initialised) > 0 {
			lines = append(lines, fmt.Sprintf("  not in the file and initialised at random: %s", strings.Join(t.Initialised, ", ")))
		}
		if t.Folded {
			lines = append(lines, "  its batch-norms are folded into the convolutions: train it with frozen statistics (batch_norm: frozen)")
		}
	}
	return append(lines,
		fmt.Sprintf("new and initialised at random: %s", strings.Join(r.Head, ", ")),
		fmt.Sprintf("%s: %d parameters, fusion %s, pictures %d px, %d classes", r.Name, r.Parameters, r.Fusion, r.ImageSize, len(r.Classes)))
}
