//go:build !js

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ format, part, name string }{
		{"onnx", "all", "model.onnx"}, {"safetensors", "visual", "visual.safetensors"}, {"hf", "text", "text.zip"}, {"hf", "all", "folder"},
	} {
		out := filepath.Join(dir, test.name)
		printed, _ := command(t, 0, "export", "--format", test.format, "--part", test.part, "--out", out, "--json")
		var x struct {
			Out, Format, Part string
			Parameters, Bytes int64
		}
		if err := json.Unmarshal([]byte(printed), &x); err != nil {
			t.Fatalf("%v: %s", err, printed)
		}
		if x.Out != out || x.Format != test.format || x.Part != test.part || x.Parameters < 1000 || x.Bytes < 4*x.Parameters {
			t.Errorf("printed %s", printed)
		}
	}
	// What is exported whole is a model again.
	printed, _ := command(t, 0, "export", "--model", filepath.Join(dir, "folder"), "--format", "onnx", "--out", filepath.Join(dir, "again.onnx"))
	if !strings.Contains(printed, "onnx of ") {
		t.Errorf("printed %q", printed)
	}
	first, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(dir, "again.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(again) {
		t.Error("the folder's ONNX differs from the model's")
	}
	if _, errs := command(t, 1, "export", "--format", "onnx", "--part", "text", "--out", filepath.Join(dir, "x")); !strings.Contains(errs, "whole model") {
		t.Errorf("said %q", errs)
	}
}
