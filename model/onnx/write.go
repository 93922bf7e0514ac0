package onnx

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"duet/model"
	"duet/model/checkpoint"
)

// Options are what a file says beside the model itself.
type Options struct {
	Size     int               // side of the pictures in pixels
	Version  string            // of the program
	Metadata map[string]string // metadata_props, for whoever prepares inputs
}

// Producer is the producer_name of every file.
const Producer = "duet"

// maxFile is where protobuf ends, and with it ONNX in one file.
const maxFile = math.MaxInt32

// Write writes the model as ONNX. tensors are its parameters by name, all F32;
// each is asked for its data once, when its turn comes. The same model gives
// the same bytes.
func Write(w io.Writer, m *model.VLM, tensors []checkpoint.Tensor, o Options) error {
	b := newBuilder()
	b.vlm(m)
	weights, err := b.initializers(m, tensors)
	if err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	head, size := b.head(m, o, weights)
	if size > maxFile {
		return fmt.Errorf("onnx: the file would have %d bytes, and ONNX in one file ends at %d; safetensors has no such bound", size, maxFile)
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	for _, x := range weights {
		if err := x.write(w); err != nil {
			return fmt.Errorf("onnx: writing tensor %s: %w", x.tensor.Name, err)
		}
	}
	return nil
}

// An initializer is a parameter as a field of the graph: head, then size bytes
// of data.
type initializer struct {
	head   []byte
	size   int64
	tensor checkpoint.Tensor
}

// initializers are the parameters in the model's order. All of them must be
// used in the graph and given as tensors.
func (b *builder) initializers(m *model.VLM, tensors []checkpoint.Tensor) ([]initializer, error) {
	given := map[string]checkpoint.Tensor{}
	for _, t := range tensors {
		given[t.Name] = t
	}
	var out []initializer
	for _, p := range m.Params.All() {
		t, ok := given[p.Name]
		switch {
		case !b.used[p.Name]:
			return nil, fmt.Errorf("the model has %s, which this package does not know how to write", p.Name)
		case !ok:
			return nil, fmt.Errorf("the tensor %s is missing", p.Name)
		case t.Dtype != checkpoint.F32 || !slices.Equal(t.Shape, p.Shape):
			return nil, fmt.Errorf("the tensor %s is %s of shape %v, want F32 of %v", p.Name, t.Dtype, t.Shape, p.Shape)
		}
		size := 4 * int64(p.Len())
		inner := tensorHead(p.Name, p.Shape, size)
		head := putLength(nil, graphInitializer, int64(len(inner))+size)
		out = append(out, initializer{append(head, inner...), size, t})
	}
	return out, nil
}

func (x initializer) write(w io.Writer) error {
	if _, err := w.Write(x.head); err != nil {
		return err
	}
	counted := &counter{w: w}
	if err := x.tensor.Write(counted); err != nil {
		return err
	}
	if counted.n != x.size {
		return fmt.Errorf("%d bytes were given, want %d", counted.n, x.size)
	}
	return nil
}

// A counter counts what it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// head is the file up to the initializers, which end both the graph and the
// file; size is that of the whole file.
func (b *builder) head(m *model.VLM, o Options, weights []initializer) (head []byte, size int64) {
	head = putInt(nil, modelIRVersion, irVersion)
	head = putText(head, modelProducer, Producer)
	if o.Version != "" {
		head = putText(head, modelVersion, o.Version)
	}
	head = putMessage(head, modelOpset, putInt(nil, 2, opset))
	for _, key := range slices.Sorted(maps.Keys(o.Metadata)) {
		head = putMessage(head, modelMetadata, putText(putText(nil, 1, key), 2, o.Metadata[key]))
	}
	graph := b.graph(m, o.Size)
	length := int64(len(graph))
	for _, x := range weights {
		length += int64(len(x.head)) + x.size
	}
	head = append(putLength(head, modelGraph, length), graph...)
	return head, int64(len(head)) + length - int64(len(graph))
}

// graph is the GraphProto without its initializers.
func (b *builder) graph(m *model.VLM, size int) []byte {
	var g []byte
	for _, n := range b.nodes {
		g = putMessage(g, graphNode, n)
	}
	g = putText(g, graphName, "duet")
	g = putText(g, graphDoc, "A vision-language classifier; softmax over the logits is left to the caller.")
	batch := dim{name: "batch"}
	if m.Visual != nil {
		g = putMessage(g, graphInput, valueInfo(pixelValues, elementFloat, batch, dim{size: 3}, dim{size: size}, dim{size: size}))
	}
	if m.Text != nil {
		for _, name := range []value{inputIDs, attentionMask} {
			g = putMessage(g, graphInput, valueInfo(name, elementInt64, batch, dim{name: "tokens"}))
		}
	}
	return putMessage(g, graphOutput, valueInfo(logits, elementFloat, batch, dim{size: m.Shape.Classes}))
}

// Written reports whether what r begins with is a file that [Write] wrote.
func Written(r io.Reader) (bool, error) {
	want := putText(putInt(nil, modelIRVersion, irVersion), modelProducer, Producer)
	got := make([]byte, len(want))
	_, err := io.ReadFull(r, got)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("onnx: %w", err)
	}
	return err == nil && slices.Equal(got, want), nil
}
