//go:build !js

package onnx_test

import (
	"math"
	"testing"
)

// FuzzVerify: whatever the bytes, reading ends, and what is accepted has tensors
// that fit into it. It is for calling by hand: make fuzz, and with it every
// change, leaves out files with such a name, since its time is spent.
//
//	go test -fuzz '^FuzzVerify$' ./model/onnx
func FuzzVerify(f *testing.F) {
	f.Add(file(func(p *parts) {}))
	f.Add(file(func(p *parts) { p.tensor = []any{1, 3, 2, 22, 8, "w", 5, "\x21\x03"} }))
	f.Add(file(func(p *parts) { p.tensor = append(p.tensor, 4, floats(1, 2, float32(math.Inf(1)), 4, 5, 6)) }))
	f.Add(file(func(p *parts) {
		p.node = append(p.node, 4, "If", 5, msg(1, "then_branch", 6, branch("x"), 20, 5), 5, msg(1, "f", 7, floats(1, 2), 8, 3, 20, 7))
		p.graph = append(p.graph, 15, msg(1, msg(1, 1, 2, 1, 8, "s", 9, floats(1)), 2, msg(1, 1, 2, 7, 9, make([]byte, 8)), 3, 6))
		p.model = append(p.model, 25, msg(1, "F", 4, "a", 5, "b", 7, msg(1, "a", 2, "b", 4, "Relu"), 9, msg(2, 17), 10, "own"), 14, msg(1, "k", 2, "v"))
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := verify(data)
		if err == nil && s.Values > 8*int64(len(data)) { // of two bits at least, or of one byte together
			t.Fatalf("%d values in %d bytes", s.Values, len(data))
		}
	})
}
