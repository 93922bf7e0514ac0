package report

import "encoding/json"

// An Event is told while training. Its JSON, that of the command line and of the
// tab, holds what its kind has, zeros included.
type Event struct {
	Event          string  // plan, features, before, step, epoch, done
	Epoch, Epochs  int     // from 1, and how many there will be
	Step, Steps    int     // done, and how many there will be; features: pictures and texts
	Loss           float32 // step: of its batch
	LR             float64 // step
	ExamplesPerSec float64 // step
	TrainLoss      float64 // epoch: mean of its steps
	ValLoss        float64 // before, epoch
	ValTop1        float64 // before, epoch, done: the best
	Seconds        float64 // epoch: that it took, validation included
	Bytes          int64   // plan: of the device's memory that the training takes at most; done: that the device held at most
	Memory         int64   // plan: bytes that the device has for it; 0: not known
	Parameters     int     // plan: of the model
	Trained        int     // plan: of these
	Model          string  // done: where it is
	Stopped        bool    // done: before its end

	Skipped []Skip // features, before, epoch: pictures left out for the first time, since they could not be read
}

// MarshalJSON implements json.Marshaler.
func (e Event) MarshalJSON() ([]byte, error) {
	switch e.Event {
	case "step":
		return json.Marshal(struct {
			Event          string  `json:"event"`
			Epoch          int     `json:"epoch"`
			Epochs         int     `json:"epochs"`
			Step           int     `json:"step"`
			Steps          int     `json:"steps"`
			Loss           float32 `json:"loss"`
			LR             float64 `json:"lr"`
			ExamplesPerSec float64 `json:"examples_per_s"`
		}{e.Event, e.Epoch, e.Epochs, e.Step, e.Steps, e.Loss, e.LR, e.ExamplesPerSec})
	case "plan":
		return json.Marshal(struct {
			Event      string `json:"event"`
			Steps      int    `json:"steps"`
			Bytes      int64  `json:"bytes"`
			Memory     int64  `json:"device_bytes,omitempty"`
			Parameters int    `json:"parameters"`
			Trained    int    `json:"trained"`
		}{e.Event, e.Steps, e.Bytes, e.Memory, e.Parameters, e.Trained})
	case "features":
		return json.Marshal(struct {
			Event   string `json:"event"`
			Done    int    `json:"done"`
			Total   int    `json:"total"`
			Skipped []Skip `json:"skipped,omitempty"`
		}{e.Event, e.Step, e.Steps, e.Skipped})
	case "before":
		return json.Marshal(struct {
			Event   string  `json:"event"`
			ValLoss float64 `json:"val_loss"`
			ValTop1 float64 `json:"val_top1"`
			Skipped []Skip  `json:"skipped,omitempty"`
		}{e.Event, e.ValLoss, e.ValTop1, e.Skipped})
	case "epoch":
		return json.Marshal(struct {
			Event     string  `json:"event"`
			Epoch     int     `json:"epoch"`
			Epochs    int     `json:"epochs"`
			Step      int     `json:"step"`
			Steps     int     `json:"steps"`
			TrainLoss float64 `json:"train_loss"`
			ValLoss   float64 `json:"val_loss"`
			ValTop1   float64 `json:"val_top1"`
			Seconds   float64 `json:"seconds"`
			Skipped   []Skip  `json:"skipped,omitempty"`
		}{e.Event, e.Epoch, e.Epochs, e.Step, e.Steps, e.TrainLoss, e.ValLoss, e.ValTop1, e.Seconds, e.Skipped})
	}
	return json.Marshal(struct {
		Event   string  `json:"event"`
		Step    int     `json:"step"`
		Model   string  `json:"model"`
		ValTop1 float64 `json:"val_top1"`
		Bytes   int64   `json:"bytes,omitempty"`
		Stopped bool    `json:"stopped,omitempty"`
	}{e.Event, e.Step, e.Model, e.ValTop1, e.Bytes, e.Stopped})
}

// UnmarshalJSON implements json.Unmarshaler: it reads what MarshalJSON writes.
func (e *Event) UnmarshalJSON(text []byte) error {
	var x struct {
		Event          string  `json:"event"`
		Epoch          int     `json:"epoch"`
		Epochs         int     `json:"epochs"`
		Step           int     `json:"step"`
		Steps          int     `json:"steps"`
		Done           int     `json:"done"`
		Total          int     `json:"total"`
		Loss           float32 `json:"loss"`
		LR             float64 `json:"lr"`
		ExamplesPerSec float64 `json:"examples_per_s"`
		TrainLoss      float64 `json:"train_loss"`
		ValLoss        float64 `json:"val_loss"`
		ValTop1        float64 `json:"val_top1"`
		Seconds        float64 `json:"seconds"`
		Bytes          int64   `json:"bytes"`
		Memory         int64   `json:"device_bytes"`
		Parameters     int     `json:"parameters"`
		Trained        int     `json:"trained"`
		Model          string  `json:"model"`
		Stopped        bool    `json:"stopped"`
		Skipped        []Skip  `json:"skipped"`
	}
	if err := json.Unmarshal(text, &x); err != nil {
		return err
	}
	*e = Event{Event: x.Event, Epoch: x.Epoch, Epochs: x.Epochs, Step: x.Step + x.Done, Steps: x.Steps + x.Total, Loss: x.Loss, LR: x.LR,
		ExamplesPerSec: x.ExamplesPerSec, TrainLoss: x.TrainLoss, ValLoss: x.ValLoss, ValTop1: x.ValTop1, Seconds: x.Seconds, Bytes: x.Bytes, Memory: x.Memory, Parameters: x.Parameters, Trained: x.Trained, Model: x.Model, Stopped: x.Stopped, Skipped: x.Skipped}
	return nil
}
