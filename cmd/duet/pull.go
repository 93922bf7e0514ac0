//go:build !js

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"duet/assets/known"
	"duet/model/hub"
	"duet/model/report"
)

// pullCommand fetches a published model.
type pullCommand struct {
	Name string `arg:"" optional:"" placeholder:"OWNER/NAME[@REVISION]" help:"Repository on the hub, or one of torchvision's models; without it, what is known is listed."`
	JSON bool   `name:"json" help:"JSON lines instead of a bar and lines."`
}

// pullEvent is a line of duet pull --json.
type pullEvent struct {
	Event string `json:"event"` // progress, done
	File  string `json:"file,omitempty"`
	Bytes int64  `json:"bytes"` // that are here
	Of    int64  `json:"of"`
	*hub.Pulled
}

func (c pullCommand) Run(ctx context.Context, s streams) error {
	h := hub.FromEnv()
	if c.Name == "" {
		return c.list(h, s)
	}
	encoder := json.NewEncoder(s.out)
	bar := newBar(s.err)
	defer bar.clear()
	pulled, err := h.Pull(ctx, c.Name, func(p hub.Progress) {
		if c.JSON {
			encoder.Encode(pullEvent{Event: "progress", File: p.File, Bytes: p.Done, Of: p.Total})
			return
		}
		bar.set(float64(p.Done)/float64(max(1, p.Total)), fmt.Sprintf("%s, %s of %s", p.File, report.Size(p.Done), report.Size(p.Total)))
	})
	bar.clear()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped; what has arrived is kept, duet pull %s goes on", c.Name)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return encoder.Encode(pullEvent{Event: "done", Bytes: pulled.Bytes, Of: pulled.Bytes, Pulled: &pulled})
	}
	fetched := "was here already"
	if pulled.New > 0 {
		fetched = fmt.Sprintf("%s fetched, hashes compared", report.Size(pulled.New))
	}
	fmt.Fprintf(s.out, "%s: %s, %s; it is in %s\n", pulled.Name, report.Size(pulled.Bytes), fetched, pulled.Path)
	if m, _ := known.Find(pulled.Name); m.Lacks != known.LacksNothing {
		fmt.Fprintf(s.err, "Duet does not run it yet: %s.\n", lacks[m.Lacks])
	}
	return nil
}

// lacks says why Duet does not run a model.
var lacks = map[known.Lack]string{
	known.LacksTokenizer:    "its tokenizer is a SentencePiece one, which is not read",
	known.LacksArchitecture: "its layers are neither a ResNet's nor a RoBERTa's",
}

// knownLine is a line of duet pull --json without a name.
type knownLine struct {
	known.Model
	Supported bool   `json:"supported"`
	Path      string `json:"path,omitempty"` // where it is here
}

// list lists the known models.
func (c pullCommand) list(h *hub.Hub, s streams) error {
	encoder := json.NewEncoder(s.out)
	for _, m := range known.Models() {
		path, ok := h.Find(m.Name)
		if !ok {
			path = ""
		}
		if c.JSON {
			if err := encoder.Encode(knownLine{m, m.Lacks == known.LacksNothing, path}); err != nil {
				return err
			}
			continue
		}
		var facts []string
		if m.Bytes > 0 {
			facts = append(facts, report.Size(m.Bytes))
		}
		if m.Licence != "" {
			facts = append(facts, m.Licence)
		}
		if m.Lacks != known.LacksNothing {
			facts = append(facts, "not supported yet: "+lacks[m.Lacks])
		}
		if ok {
			facts = append(facts, "here")
		}
		fmt.Fprintf(s.out, "%-32s %-7s %s\n", m.Name, m.Kind, strings.Join(facts, ", "))
	}
	return nil
}
