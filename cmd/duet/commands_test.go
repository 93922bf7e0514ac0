//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu/gputest"
	"duet/model/shared"
)

// command runs a command line and returns what it printed.
func command(t *testing.T, wantStatus int, args ...string) (out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	if status := run(t.Context(), args, streams{&o, &e}); status != wantStatus {
		t.Fatalf("%v: status %d, want %d: %s", args, status, wantStatus, e.String())
	}
	return o.String(), e.String()
}

// TestDemo trains for two seconds, without a terminal: the last line reports
// every measurement, and nothing is left behind.
func TestDemo(t *testing.T) {
	gputest.Open(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	out, _ := command(t, 0, "demo", "--seconds", "2", "--json")
	events := map[string]int{}
	var last map[string]any
	for line := range strings.Lines(out) {
		last = nil
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events[last["event"].(string)]++
	}
	if events["photo"] != 1 || events["before"] != 1 || events["step"] == 0 || events["epoch"] == 0 || events["demo"] != 1 || last["event"] != "demo" {
		t.Errorf("events %v, the last %v", events, last)
	}
	for _, key := range []string{"before", "after", "image_only", "text_only", "held_back", "steps", "seconds"} {
		if v, ok := last[key].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", key, last[key])
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSampleAndCheck(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shapes")
	out, _ := command(t, 0, "sample", "--out", dir, "--n", "90", "--task", "rule", "--size", "32")
	if !strings.Contains(out, "90 rows about 45 pictures") {
		t.Errorf("sample printed %q", out)
	}
	pth := filepath.Join(t.TempDir(), "weights.pth")
	if err := os.WriteFile(pth, []byte("\x80\x02}q\x00."), 0o666); err != nil {
		t.Fatal(err)
	}
	out, errs := command(t, 1, "check", "--json", dir, pth)
	var findings []map[string]any
	for line := range strings.Lines(out) {
		var f map[string]any
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		findings = append(findings, f)
	}
	if len(findings) != 2 || findings[0]["verdict"] != "accept" || findings[0]["kind"] != "collection" ||
		findings[1]["verdict"] != "refuse" || !strings.Contains(findings[1]["reason"].(string), "weights.pth") {
		t.Errorf("findings %v", findings)
	}
	if !strings.Contains(errs, "1 of 2 refused") {
		t.Errorf("said %q", errs)
	}
	if _, errs := command(t, 1, "check", "--kind", "sound", dir); !strings.Contains(errs, "picture, table") && !strings.Contains(errs, "picture table") {
		t.Errorf("an unknown kind says %q", errs)
	}
}

// TestInit makes a model of an image tower alone, with its classes from a file.
func TestInit(t *testing.T) {
	tower := shared.Path(t, "fixtures", "resnet18_torchvision_partial", "resnet18_bnfolded_partial.f32.safetensors")
	dir := t.TempDir()
	classes, out := filepath.Join(dir, "classes.txt"), filepath.Join(dir, "m")
	if err := os.WriteFile(classes, []byte("\ufeffbuses\r\ndogs, cats\n\nteapots\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	text, _ := command(t, 0, "init", "--vision", tower, "--classes", classes, "--out", out)
	for _, want := range []string{
		tower + ": a ResNet of [2 2 2 2] blocks, 64 to 512 channels wide; 96 tensors loaded", "ignored, for they are no part of it: fc.bias, fc.weight",
		"initialised at random: visual.layer4.0.conv1.weight, visual.layer4.0.conv2.weight, visual.layer4.1.conv1.weight, visual.layer4.1.conv2.weight",
		"batch-norms are folded", "classifier.bias", "fusion image, pictures 224 px, 3 classes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("printed %q, want %q", text, want)
		}
	}
	if checked, _ := command(t, 0, "check", out); !strings.Contains(checked, "3 classes, fusion image, not trained yet: ") {
		t.Errorf("checked: %s", checked)
	}
	again, _ := command(t, 0, "init", "--vision", out, "--classes", "a, b", "--dim", "8", "--json", "--out", out+".zip")
	var r struct {
		Name    string
		Classes []string
		Vision  struct{ Loaded, Ignored, Initialised []string }
		Head    []string
	}
	if err := json.Unmarshal([]byte(again), &r); err != nil {
		t.Fatal(err)
	}
	if r.Name != out+".zip" || !slices.Equal(r.Classes, []string{"a", "b"}) || len(r.Vision.Loaded) != 100 || len(r.Vision.Ignored)+len(r.Vision.Initialised) != 0 || len(r.Head) != 6 {
		t.Errorf("told %+v", r)
	}
	for _, test := range []struct{ classes, err string }{{"a,b,a", `the class "a" is named twice`}, {"a", "at least two"}} {
		if _, errs := command(t, 1, "init", "--vision", out, "--classes", test.classes, "--out", filepath.Join(dir, "n")); !strings.Contains(errs, test.err) {
			t.Errorf("%s says %q", test.classes, errs)
		}
	}
}

// TestReplace makes things in places where an earlier command has made one: none
// does so without being told to, and nothing but its like is replaced at all.
func TestReplace(t *testing.T) {
	tower := shared.Path(t, "fixtures", "resnet_cifar10", "resnet20.safetensors")
	letter := filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(letter, []byte("Dear Ada"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		out  string
		args []string
	}{
		{"m", []string{"init", "--vision", tower, "--classes", "a,b"}},
		{"m.zip", []string{"init", "--vision", tower, "--classes", "a,b"}},
		{"m.onnx", []string{"export", "--format", "onnx"}},
		{"m.safetensors", []string{"export", "--format", "safetensors"}},
		{"m", []string{"export", "--format", "hf"}},
		{"shapes", []string{"sample", "--n", "20", "--size", "32"}},
	} {
		out := filepath.Join(t.TempDir(), test.out)
		args := append(test.args, "--out", out)
		command(t, 0, args...)
		if _, errs := command(t, 1, args...); !strings.Contains(errs, out+" is there already") || !strings.Contains(errs, "--replace") {
			t.Errorf("%v again says %q", test.args, errs)
		}
		command(t, 0, append(args, "--replace")...)
		command(t, 1, append(test.args, "--replace", "--out", letter)...)
	}
	// So does a training, before it reads anything.
	model := filepath.Join(t.TempDir(), "m")
	command(t, 0, "init", "--vision", tower, "--classes", "a,b", "--out", model)
	if _, errs := command(t, 1, "train", "--data", filepath.Join(t.TempDir(), "nothing"), "--out", model); !strings.Contains(errs, model+" is there already") {
		t.Errorf("training over a model says %q", errs)
	}
	if _, errs := command(t, 1, "train", "--data", filepath.Join(t.TempDir(), "nothing"), "--out", model, "--resume"); !strings.Contains(errs, "no training to resume: "+model+".state") {
		t.Errorf("going on from nothing says %q", errs)
	}
	if content, err := os.ReadFile(letter); err != nil || string(content) != "Dear Ada" {
		t.Errorf("the letter reads %q, %v", content, err)
	}
}

func TestInfo(t *testing.T) {
	out, _ := command(t, 0, "info", "--json")
	var x struct {
		Adapters []struct {
			Name   string
			Limits map[string]float64
		}
		Version struct{ Go string }
	}
	if err := json.Unmarshal([]byte(out), &x); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(x.Version.Go, "go1.") {
		t.Errorf("version %v", x.Version)
	}
	device := gputest.Open(t)
	if len(x.Adapters) == 0 || x.Adapters[0].Name != device.Info().Name || x.Adapters[0].Limits["maxStorageBufferBindingSize"] < 128<<20 {
		t.Errorf("adapters %v", x.Adapters)
	}
	if text, _ := command(t, 0, "info"); !strings.Contains(text, device.Info().Name) || !strings.Contains(text, " 170 classes") {
		t.Errorf("printed %q", text)
	}
}

func TestCurve(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		width  int
		want   string
	}{
		{"nothing", nil, 10, ""},
		{"level", []float64{2, 2, 2}, 10, "▁▁▁"},
		{"rising", []float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{"means of parts", []float64{0, 2, 10, 12}, 2, "▁█"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := curve(test.values, test.width); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
