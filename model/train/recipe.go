package train

import (
	"fmt"
	"math"
	"strings"

	"duet/model"
)

// A Recipe is how a model is trained. It is plain data and stands in the
// model's config.json.
type Recipe struct {
	LearningRate   float64  `json:"learning_rate"`
	TowerRate      float64  `json:"tower_rate"`                // factor on the learning rate of the two towers; 1 means the same for all
	Beta1          float64  `json:"beta1"`                     // Adam
	Beta2          float64  `json:"beta2"`                     // Adam
	Eps            float64  `json:"eps"`                       // Adam
	WeightDecay    float64  `json:"weight_decay"`              // decoupled (AdamW); biases and norms are exempt
	ClipNorm       float64  `json:"clip_norm"`                 // of the gradient over all parameters; 0: none
	Warmup         int      `json:"warmup_steps"`              // steps of linear warm-up, at most a fifth of all
	Schedule       string   `json:"schedule"`                  // "cosine" to zero at the end, or "constant"
	Batch          int      `json:"batch_size"`                // pictures
	PerPicture     int      `json:"per_picture,omitempty"`     // examples of one picture, such as questions, that its batch takes together; 0 and 1: each on its own
	Epochs         int      `json:"epochs"`                    //
	MaxSteps       int      `json:"max_steps,omitempty"`       // 0: as many as the epochs have
	LabelSmoothing float64  `json:"label_smoothing,omitempty"` //
	Dropout        float64  `json:"dropout,omitempty"`         //
	BatchNorm      string   `json:"batch_norm"`                // "batch" statistics or "frozen"
	Tune           string   `json:"tune,omitempty"`            // how much of the model is trained: all, last, lora or head, see [model.VLM.Frozen]
	Freeze         []string `json:"freeze,omitempty"`          // further parts of the model that are not trained, such as visual
	Seed           uint64   `json:"seed"`                      //
}

// Validate reports the first setting that makes no sense.
func (r Recipe) Validate() error {
	switch {
	case !(r.LearningRate > 0) || r.LearningRate > 10:
		return fmt.Errorf("train: learning rate %g; give a positive one, for example 0.0005", r.LearningRate)
	case r.TowerRate < 0 || r.WeightDecay < 0 || r.ClipNorm < 0 || r.Warmup < 0 || r.MaxSteps < 0:
		return fmt.Errorf("train: rates, decay, clipping, warm-up and steps cannot be negative")
	case r.Beta1 < 0 || r.Beta1 >= 1 || r.Beta2 < 0 || r.Beta2 >= 1 || !(r.Eps > 0):
		return fmt.Errorf("train: Adam needs betas in [0, 1) and a positive eps, not %g, %g, %g", r.Beta1, r.Beta2, r.Eps)
	case r.Batch < 1 || r.Batch > 4096:
		return fmt.Errorf("train: batch size %d; give 1 to 4096", r.Batch)
	case r.PerPicture < 0 || r.PerPicture > 64:
		return fmt.Errorf("train: %d examples a picture; give 1 to 64", r.PerPicture)
	case r.Epochs < 1 && r.MaxSteps < 1:
		return fmt.Errorf("train: neither epochs nor steps to train for")
	case r.LabelSmoothing < 0 || r.LabelSmoothing >= 1 || r.Dropout < 0 || r.Dropout >= 1:
		return fmt.Errorf("train: label smoothing %g and dropout %g must lie in [0, 1)", r.LabelSmoothing, r.Dropout)
	case r.Schedule != "cosine" && r.Schedule != "constant":
		return fmt.Errorf("train: schedule %q; give cosine or constant", r.Schedule)
	case r.BatchNorm != "batch" && r.BatchNorm != "frozen":
		return fmt.Errorf("train: batch-norm %q; give batch or frozen", r.BatchNorm)
	}
	return nil
}

// perPicture is how many examples share a picture in a batch: one where the
// model sees one side only, for then there is nothing to share.
func (r Recipe) perPicture(m *model.VLM) int {
	if m.Visual == nil || m.Text == nil || r.Tune == model.TuneHead {
		return 1
	}
	return max(1, r.PerPicture)
}

// Rate returns the learning rate of step (from 0) of total: linear warm-up,
// then half a cosine to zero at the end, or constant. Warm-up takes at most a
// fifth of the steps, so that a training on few pictures does not end within it.
func (r Recipe) Rate(step, total int) float64 {
	warmup := min(r.Warmup, total/5)
	if step < warmup {
		return r.LearningRate * float64(step+1) / float64(warmup)
	}
	if r.Schedule == "constant" || total <= warmup {
		return r.LearningRate
	}
	t := float64(step-warmup) / float64(total-warmup)
	return r.LearningRate * 0.5 * (1 + math.Cos(math.Pi*min(t, 1)))
}

// String prints the recipe on one line, for reports.
func (r Recipe) String() string {
	parts := []string{fmt.Sprintf("Adam %g (β %g, %g)", r.LearningRate, r.Beta1, r.Beta2)}
	if r.WeightDecay > 0 {
		parts = append(parts, fmt.Sprintf("decay %g", r.WeightDecay))
	}
	if r.ClipNorm > 0 {
		parts = append(parts, fmt.Sprintf("clip %g", r.ClipNorm))
	}
	parts = append(parts, fmt.Sprintf("batch %d", r.Batch), r.Schedule)
	if r.PerPicture > 1 && r.Tune != model.TuneHead {
		parts = append(parts, fmt.Sprintf("up to %d examples a picture", r.PerPicture))
	}
	if r.Tune != "" && r.Tune != model.TuneAll {
		parts = append(parts, "trained: "+r.Tune)
	}
	if r.Warmup > 0 {
		parts = append(parts, fmt.Sprintf("warm-up %d", r.Warmup))
	}
	return strings.Join(parts, ", ")
}
