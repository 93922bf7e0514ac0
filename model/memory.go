package model

import (
	"fmt"
	"maps"
	"unsafe"

	"duet/gpu"
	"duet/model/nn"
	"duet/shaders"
)

// Memory is the device memory of a model's parameters: a few arenas, and a
// buffer for each running statistic. Programs for training, validation and
// prediction share it.
type Memory struct {
	Params  *nn.Params
	Arenas  []nn.Arena
	backend gpu.Backend
	buffers map[string]gpu.Buffer
}

// ArenaWords bounds an arena, so that it stays under WebGPU's default limit of
// 128 MiB for a binding on every adapter, also where that offers more: then the
// same weights lie the same way everywhere. RoBERTa-base's table of 154 MB lies
// in three.
const ArenaWords = 16 << 20

// Place lays the parameters out (after any freezing) and allocates them on the
// backend, zeroed.
func Place(backend gpu.Backend, params *nn.Params) (*Memory, error) {
	return PlaceWithin(backend, params, ArenaWords)
}

// PlaceWithin is [Place] with arenas of at most so many words.
func PlaceWithin(backend gpu.Backend, params *nn.Params, arenaWords int) (*Memory, error) {
	m := &Memory{Params: params, backend: backend, buffers: map[string]gpu.Buffer{}}
	m.Arenas = params.Layout(arenaWords)
	for _, a := range m.Arenas {
		if _, err := m.Allocate(a.Name, a.Words); err != nil {
			m.Release()
			return nil, err
		}
	}
	return m, nil
}

// Allocate adds a buffer of words 4-byte words under a name that programs know
// as an external.
func (m *Memory) Allocate(name string, words int) (gpu.Buffer, error) {
	b, err := m.backend.NewBuffer(name, gpu.Bytes(words))
	if err != nil {
		return nil, fmt.Errorf("model: allocating %s: %w", name, err)
	}
	if old := m.buffers[name]; old != nil {
		old.Release()
	}
	m.buffers[name] = b
	return b, nil
}

// Buffer returns the buffer of that name, or nil.
func (m *Memory) Buffer(name string) gpu.Buffer { return m.buffers[name] }

// Externals returns all buffers by name, with those of extra added.
func (m *Memory) Externals(extra map[string]gpu.Buffer) map[string]gpu.Buffer {
	all := maps.Clone(m.buffers)
	maps.Copy(all, extra)
	return all
}

// Set uploads a parameter, given in the checkpoint's layout.
func (m *Memory) Set(p *nn.Param, values []float32) error {
	return m.SetIn(p, nn.Weights, values)
}

// SetIn uploads values to the parameter's place in another arena.
func (m *Memory) SetIn(p *nn.Param, arena string, values []float32) error {
	if len(values) != p.Len() {
		return fmt.Errorf("model: %s has %d values, want %d", p.Name, len(values), p.Len())
	}
	values = p.Store(values)
	for _, place := range p.Places() {
		if err := m.write(p, place, arena, 0, values[:place.Len()]); err != nil {
			return fmt.Errorf("model: writing %s: %w", p.Name, err)
		}
		values = values[place.Len():]
	}
	return nil
}

// write uploads rows of what lies in one place, from the row first on.
func (m *Memory) write(p *nn.Param, place nn.Place, arena string, first int, values []float32) error {
	s := place.In(arena)
	at := int64(s.Offset+p.Format.Words(first*place.Width())) * 4
	if p.Format == shaders.F32 {
		return m.buffers[s.Buffer].Write(at, Bytes(values))
	}
	words, scales := p.Format.Encode(values, place.Width())
	if scales != nil {
		if err := m.buffers[place.Scales.Buffer].Write(int64(place.Scales.Offset+first)*4, Bytes(scales)); err != nil {
			return err
		}
	}
	return m.buffers[s.Buffer].Write(at, Bytes(words))
}

// Get downloads a parameter in the checkpoint's layout; of a packed one what
// the format holds.
func (m *Memory) Get(p *nn.Param) ([]float32, error) { return m.GetFrom(p, nn.Weights) }

// GetFrom downloads what another arena holds at the parameter's place: its
// gradient or a moment of Adam.
func (m *Memory) GetFrom(p *nn.Param, arena string) ([]float32, error) {
	y := make([]float32, p.StoredLen())
	rest := y
	for _, place := range p.Places() {
		if err := m.read(p, place, arena, 0, rest[:place.Len()]); err != nil {
			return nil, fmt.Errorf("model: reading %s: %w", p.Name, err)
		}
		rest = rest[place.Len():]
	}
	return p.Load(y), nil
}

// First downloads the first n values of a parameter, or all where it has fewer,
// in the memory layout.
func (m *Memory) First(p *nn.Param, n int) ([]float32, error) {
	place := p.Places()[0]
	if len(place.Shape) > 1 {
		n = max(1, n/place.Width()) * place.Width()
	}
	values := make([]float32, min(n, place.Len()))
	if err := m.read(p, place, nn.Weights, 0, values); err != nil {
		return nil, fmt.Errorf("model: reading %s: %w", p.Name, err)
	}
	return values, nil
}

// read downloads rows of what lies in one place, from the row first on.
func (m *Memory) read(p *nn.Param, place nn.Place, arena string, first int, values []float32) error {
	s := place.In(arena)
	at := int64(s.Offset+p.Format.Words(first*place.Width())) * 4
	if p.Format == shaders.F32 {
		return m.buffers[s.Buffer].Read(at, Bytes(values))
	}
	words := make([]uint32, p.Format.Words(len(values)))
	if err := m.buffers[s.Buffer].Read(at, Bytes(words)); err != nil {
		return err
	}
	var scales []float32
	if place.Scales != nil {
		scales = make([]float32, len(values)/place.Width())
		if err := m.buffers[place.Scales.Buffer].Read(int64(place.Scales.Offset+first)*4, Bytes(scales)); err != nil {
			return err
		}
	}
	copy(values, p.Format.Decode(words, scales, place.Width()))
	return nil
}

// partValues is how many values of a parameter go to or from the device at once
// while a file is read or written: RoBERTa-base's table is never in memory whole,
// which the tab has little of.
const partValues = 1 << 20

// parts calls f for ranges of rows of a parameter that is no convolution, in order.
func parts(p *nn.Param, f func(place nn.Place, first, values int) error) error {
	for _, place := range p.Places() {
		step := max(1, partValues/place.Width())
		for row := 0; row < place.Shape[0]; row += step {
			if err := f(place, row, min(step, place.Shape[0]-row)*place.Width()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Initialize uploads the starting values of every parameter.
func (m *Memory) Initialize(seed uint64) error { return m.InitializeOnly(seed, m.Params.All()) }

// InitializeOnly uploads the starting values of some parameters.
func (m *Memory) InitializeOnly(seed uint64, params []*nn.Param) error {
	for _, p := range params {
		if len(p.Shape) == 4 {
			if err := m.Set(p, p.Initial(seed)); err != nil {
				return err
			}
			continue
		}
		next := p.Starting(seed)
		err := parts(p, func(place nn.Place, first, n int) error {
			values := make([]float32, n)
			next(values)
			return m.write(p, place, nn.Weights, first, values)
		})
		if err != nil {
			return fmt.Errorf("model: writing %s: %w", p.Name, err)
		}
	}
	return nil
}

// Release frees the buffers.
func (m *Memory) Release() {
	for _, b := range m.buffers {
		b.Release()
	}
	clear(m.buffers)
}

// Bytes views 4-byte values as bytes, without a copy.
func Bytes[T float32 | uint32 | int32](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}
