// Package onnxtest runs ONNX files in ONNX Runtime, for tests; see wasm/ort.mjs.
package onnxtest

import (
	"encoding/binary"
	"math"
	"testing"

	"duet/model"
	"duet/wasm/node"
)

// A Tensor is an input or output of a model.
type Tensor struct {
	Type string `json:"type,omitempty"` // float32 or int64; of inputs
	Dims []int  `json:"dims"`
	Data []byte `json:"data"` // little endian
}

// Feeds are a model's inputs, or its outputs, by name.
type Feeds map[string]Tensor

// A Model is a file and what it is to be run with.
type Model struct {
	Path string  `json:"path"`
	Runs []Feeds `json:"runs"`
}

// A Result is what became of a [Model].
type Result struct {
	Inputs []string `json:"inputs"` // names
	Runs   []Feeds  `json:"runs"`   // outputs
}

// Run runs the models, on the CPU. Where ONNX Runtime is not installed the test
// is skipped, or fails in CI.
func Run(t testing.TB, models ...Model) []Result {
	t.Helper()
	var results []Result
	node.Test(t, "ort.mjs", "onnxruntime-node", models, &results)
	return results
}

// Floats is a float32 tensor.
func Floats(values []float32, dims ...int) Tensor {
	return Tensor{Type: "float32", Dims: dims, Data: model.Bytes(values)}
}

// Values are the values of a float32 tensor.
func (t Tensor) Values() []float32 {
	out := make([]float32, len(t.Data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return out
}

// AddPictures adds pixel_values of n pictures that the engine takes as
// [n size size 4].
func (f Feeds) AddPictures(pictures []float32, n, size int) {
	out := make([]float32, 0, n*3*size*size)
	for i := range n {
		for c := range 3 {
			for p := range size * size {
				out = append(out, pictures[(i*size*size+p)*4+c])
			}
		}
	}
	f["pixel_values"] = Floats(out, n, 3, size, size)
}

// AddTexts adds input_ids and attention_mask of texts, filled up with pad to
// tokens.
func (f Feeds) AddTexts(texts [][]int32, tokens int, pad int32) {
	ids, mask := make([]byte, 0, len(texts)*tokens*8), make([]byte, 0, len(texts)*tokens*8)
	put := func(to []byte, v int32) []byte {
		return append(to, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), 0, 0, 0, 0)
	}
	for _, text := range texts {
		for i := range tokens {
			id, real := pad, int32(0)
			if i < len(text) {
				id, real = text[i], 1
			}
			ids, mask = put(ids, id), put(mask, real)
		}
	}
	f["input_ids"] = Tensor{Type: "int64", Dims: []int{len(texts), tokens}, Data: ids}
	f["attention_mask"] = Tensor{Type: "int64", Dims: []int{len(texts), tokens}, Data: mask}
}
