//go:build !js

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"duet/app"
	"duet/assets"
	"duet/gpu/gputest"
	"duet/model/config"
	"duet/model/data"
)

// trainer runs the program's training in processes of their own.
type trainer struct {
	program, config, data string
}

const resumeSteps = 40

func newTrainer(t *testing.T) *trainer {
	t.Helper()
	gputest.Open(t) // says why, where there is no adapter
	dir := t.TempDir()
	x := &trainer{filepath.Join(dir, "duet"), filepath.Join(dir, "config.json"), filepath.Join(dir, "data")}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", x.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := assets.WriteCollection(context.Background(), x.data, "rule", 400, 5, 32); err != nil {
		t.Fatal(err)
	}
	c, err := config.Named("small")
	if err != nil {
		t.Fatal(err)
	}
	c.Vision.Width, c.Vision.Blocks = 4, []int{1, 1}
	c.Text.Hidden, c.Text.Layers, c.Text.Heads, c.Text.Intermediate, c.ProjectionDim = 16, 1, 2, 32, 16
	c.Text.VocabSize = 300
	c.Image.Size, c.Image.ResizeShort = 32, 32
	c.Augment = data.DefaultAugment()
	c.Recipe.Batch, c.Recipe.Warmup, c.Recipe.Dropout, c.Recipe.ClipNorm = 16, 5, 0.1, 1
	if err := os.WriteFile(x.config, c.Marshal(), 0o666); err != nil {
		t.Fatal(err)
	}
	return x
}

// run trains and returns the loss of every step it was told of, as it was
// printed. At step stop, where not 0, the process is sent the signal.
func (x *trainer) run(t *testing.T, out string, resume bool, stop int, signal os.Signal) (losses map[int]string, status int, said string) {
	t.Helper()
	args := []string{"train", "--data", x.data, "--config", x.config, "--init", "none", "--out", out,
		"--max-steps", strconv.Itoa(resumeSteps), "--save-every", "50ms", "--json"}
	if resume {
		args = append(args, "--resume")
	} else if _, err := os.Stat(out); err == nil {
		args = append(args, "--replace") // it was killed between its first model and its first state
	}
	cmd := exec.Command(x.program, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	losses = map[int]string{}
	sent := false
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		var e struct {
			Event string
			Step  int
			Loss  json.Number
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			if !sent { // the last line of a killed process may be cut
				t.Errorf("%v: %s", err, lines.Text())
			}
			continue
		}
		if e.Event == "step" {
			losses[e.Step] = e.Loss.String()
		}
		if stop > 0 && e.Step >= stop && !sent {
			sent = true
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait() // the status says it
	return losses, cmd.ProcessState.ExitCode(), errs.String()
}

// same compares the losses of a part of a training with the undisturbed one's.
func same(t *testing.T, what string, part, whole map[int]string) {
	t.Helper()
	for step, loss := range part {
		if whole[step] != loss {
			t.Fatalf("%s: the loss of step %d is %s, undisturbed %s", what, step, loss, whole[step])
		}
	}
}

// TestResume ends trainings at random steps and resumes them: every loss must
// be that of the undisturbed training to the bit.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some twenty processes")
	}
	x := newTrainer(t)
	whole, status, said := x.run(t, filepath.Join(t.TempDir(), "m"), false, 0, nil)
	if status != 0 || len(whole) != resumeSteps {
		t.Fatalf("status %d after %d steps: %s", status, len(whole), said)
	}
	t.Run("killed", func(t *testing.T) { x.kill(t, whole) })
	t.Run("interrupted", func(t *testing.T) { x.interrupt(t, whole) })
}

// kill ends each of ten trainings once without a warning.
func (x *trainer) kill(t *testing.T, whole map[int]string) {
	const trials = 10
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	resumed := 0
	for range trials {
		out := filepath.Join(t.TempDir(), "m")
		part, status, said := x.run(t, out, false, 1+random.IntN(resumeSteps-1), os.Kill)
		if status != -1 {
			t.Fatalf("status %d: %s", status, said)
		}
		same(t, "killed", part, whole)
		checkWhole(t, out, app.KindModel)
		checkWhole(t, out+".state", app.KindCheckpoint)
		_, err := os.Stat(out + ".state")
		resume := err == nil // else it was killed before it saved anything
		if resume {
			resumed++
		}
		rest, status, said := x.run(t, out, resume, 0, nil)
		if status != 0 {
			t.Fatalf("going on: status %d: %s", status, said)
		}
		same(t, "resumed", rest, whole)
		for step := range whole {
			if part[step] == "" && rest[step] == "" {
				t.Errorf("seed %d: no loss of step %d, neither before the kill nor after", seed, step)
			}
		}
	}
	t.Logf("%d trainings killed, %d of them resumed from a state, the others begun anew", trials, resumed)
	if resumed < trials/2 {
		t.Errorf("seed %d: only %d resumptions", seed, resumed)
	}
}

// checkWhole checks that a file is whole, where there is one.
func checkWhole(t *testing.T, path string, kind data.Kind) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return
	}
	if f := app.Check(t.Context(), path, kind, "", data.Options{}); f.Verdict != data.Accept {
		t.Errorf("after a kill: %s", f.Reason)
	}
}

// interrupt sends Ctrl-C's signal: training saves, says how to go on, and goes
// on without repeating a step.
func (x *trainer) interrupt(t *testing.T, whole map[int]string) {
	out := filepath.Join(t.TempDir(), "m")
	part, status, said := x.run(t, out, false, 20, os.Interrupt)
	if status != 1 || !strings.Contains(said, "--resume") {
		t.Errorf("status %d: %s", status, said)
	}
	same(t, "interrupted", part, whole)
	rest, status, said := x.run(t, out, true, 0, nil)
	if status != 0 {
		t.Fatalf("going on: status %d: %s", status, said)
	}
	same(t, "resumed", rest, whole)
	if len(part)+len(rest) != resumeSteps {
		t.Errorf("%d steps before and %d after, want %d and none twice", len(part), len(rest), resumeSteps)
	}
}
