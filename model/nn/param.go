package nn

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"duet/model/graph"
	"duet/shaders"
)

// A Param is a tensor of a model that a checkpoint holds: a weight, or a
// running statistic.
type Param struct {
	Name  string // the checkpoint's key
	Shape []int  // as in the checkpoint: Linear [out in], convolution [O I KH KW]
	Init  Init
	State bool // running statistics: never trained by the optimiser
	New   bool // belongs to a layer on top of the towers (learning-rate group)

	Adapter bool // of a [LoRA]

	Trainable bool
	NoDecay   bool // biases and norms: exempt from weight decay where the recipe says so

	// ByRows says that the parameter, a table, may lie in memory in several
	// ranges of rows, where it is too long for one arena.
	ByRows bool

	// Format is how an untrained weight lies in memory, see [Params.Pack].
	Format shaders.Format

	stored []int // shape in memory; convolutions are [O KH KW I'], I' a multiple of four
	places []Place
}

// A Place is where a parameter, or a range of a table's rows, lies in memory.
type Place struct {
	graph.Slot
	Shape  []int       // of what lies there, in the memory layout
	Scales *graph.Slot // of its rows, where the format has any
}

// Len is the number of values that lie there.
func (p Place) Len() int { return product(p.Shape) }

// Width is the number of values of a row.
func (p Place) Width() int { return product(p.Shape[1:]) }

// In returns the same place in another arena of the same layout: [Grads],
// [MomentM] or [MomentV]; in [Weights] it is the place itself.
func (p Place) In(arena string) graph.Slot {
	s := p.Slot
	if arena != Weights {
		s.Buffer = arena + strings.TrimPrefix(s.Buffer, Weights)
	}
	return s
}

// An Init says how a parameter starts.
type Init struct {
	Kind  InitKind
	Bound float32 // Uniform: half-width; Normal: standard deviation; Fill: the value
	Zero  int     // Normal: this row stays zero when ≥ 0 (the padding token)
}

// InitKind names a distribution.
type InitKind uint8

// The initialisations in use.
const (
	Fill InitKind = iota
	Uniform
	Normal
)

// Params are the parameters of a model, in the order of their definition.
type Params struct {
	list   []*Param
	byName map[string]*Param
}

// NewParams returns an empty list.
func NewParams() *Params { return &Params{byName: map[string]*Param{}} }

// Add defines a parameter. Names are unique.
func (ps *Params) Add(name string, init Init, shape ...int) *Param {
	if ps.byName[name] != nil {
		panic("nn: parameter " + name + " is defined twice")
	}
	p := &Param{Name: name, Shape: shape, Init: init, Trainable: true, stored: slices.Clone(shape)}
	if len(shape) == 4 {
		p.stored = []int{shape[0], shape[2], shape[3], roundUp4(shape[1])}
	}
	ps.list = append(ps.list, p)
	ps.byName[name] = p
	return p
}

func roundUp4(n int) int { return (n + 3) / 4 * 4 }

// All returns the parameters in order; callers must not change the slice.
func (ps *Params) All() []*Param { return ps.list }

// Len is the number of values of all parameters and statistics.
func (ps *Params) Len() int {
	n := 0
	for _, p := range ps.list {
		n += p.Len()
	}
	return n
}

// Count returns the number of values of all parameters, and of those that are
// trained; running statistics count as neither.
func (ps *Params) Count() (all, trained int) {
	for _, p := range ps.list {
		if p.State {
			continue
		}
		all += p.Len()
		if p.Trainable {
			trained += p.Len()
		}
	}
	return all, trained
}

// Get returns the parameter named name, or nil.
func (ps *Params) Get(name string) *Param { return ps.byName[name] }

// Len returns the number of elements in the checkpoint's shape.
func (p *Param) Len() int { return product(p.Shape) }

// StoredLen returns the number of elements in memory.
func (p *Param) StoredLen() int { return product(p.stored) }

// Places returns where the parameter lives, in the order of its rows; valid
// after Params.Layout. All but long tables have one place.
func (p *Param) Places() []Place { return p.places }

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Tensor returns the parameter as a tensor of g, in its memory layout. In a
// graph for inference (train false) nothing is trainable.
func (p *Param) Tensor(g *graph.Graph, train bool) graph.Tensor {
	tensors := p.Tensors(g, train)
	if len(tensors) != 1 {
		panic("nn: " + p.Name + " lies in several places")
	}
	return tensors[0]
}

// Tensors is [Param.Tensor] for each of the parameter's places.
func (p *Param) Tensors(g *graph.Graph, train bool) []graph.Tensor {
	tensors := make([]graph.Tensor, len(p.places))
	for i, place := range p.places {
		name := p.Name
		if i > 0 {
			name = fmt.Sprintf("%s/%d", name, i)
		}
		if p.Format != shaders.F32 {
			tensors[i] = g.PackedParam(name, place.Shape, place.Slot, p.Format)
			continue
		}
		tensors[i] = g.Param(name, place.Shape, place.Slot, train && p.Trainable && !p.State)
	}
	return tensors
}

// Scales returns the scales of the rows of each place of a packed parameter;
// none where its format has none.
func (p *Param) Scales(g *graph.Graph) []graph.Tensor {
	var tensors []graph.Tensor
	for i, place := range p.places {
		if place.Scales != nil {
			tensors = append(tensors, g.Param(fmt.Sprintf("%s/%d scales", p.Name, i), place.Shape[:1], *place.Scales, false))
		}
	}
	return tensors
}

// smallest is the number of values from which on packing a weight pays.
const smallest = 4096

// Pack freezes every parameter and lets the weights under one of the names lie
// in a packed format from the next Layout on: those of linear layers,
// convolutions and tables, as far as their rows are multiples of four values. The
// others stay as they are.
func (ps *Params) Pack(format shaders.Format, names ...string) {
	for _, p := range ps.list {
		p.Trainable = false
		matrix := len(p.Shape) == 2 || len(p.Shape) == 4
		if matrix && !p.State && !p.Adapter && slices.ContainsFunc(names, p.under) && p.stored[len(p.stored)-1]%4 == 0 && p.Len() >= smallest {
			p.Format = format
		}
	}
}

// EachIn calls f for what lies in an arena, in the order of its offsets.
func (ps *Params) EachIn(a Arena, f func(*Param, Place)) {
	for _, p := range ps.list {
		for _, place := range p.places {
			if place.Buffer == a.Name {
				f(p, place)
			}
		}
	}
}

// StoreGradients stores d loss / d p for every trained parameter in its place
// in the arenas of gradients; it is zero where the loss does not depend on it.
func (ps *Params) StoreGradients(g *graph.Graph, loss graph.Tensor) {
	var tensors []graph.Tensor
	var places []Place
	for _, p := range ps.list {
		if p.Trainable && !p.State {
			tensors = append(tensors, p.Tensors(g, true)...)
			places = append(places, p.places...)
		}
	}
	for i, d := range g.Gradients(loss, tensors...) {
		if d.Graph() == nil {
			d = g.Constant(0, places[i].Shape...)
		}
		g.Store(d, places[i].In(Grads))
	}
}

// Adapters is the name under which [Params.Freeze] knows the parameters of
// every [LoRA]; they are trained where their layers are not.
const Adapters = "lora"

// Freeze marks the parameters under one of the names, such as visual,
// text.encoder.layer.1 or [Adapters], as not trainable and all others as
// trainable. An unknown name is an error.
func (ps *Params) Freeze(names []string) error {
	for _, name := range names {
		if name != Adapters && !slices.ContainsFunc(ps.list, func(p *Param) bool { return p.under(name) }) {
			return fmt.Errorf("nn: no parameter is named %s; the model's parts are %s", name, strings.Join(ps.parts(), ", "))
		}
	}
	for _, p := range ps.list {
		p.Trainable = !p.State && !slices.ContainsFunc(names, p.under)
	}
	return nil
}

// under tells whether a name is the parameter's or that of a part it belongs to.
func (p *Param) under(name string) bool {
	if p.Adapter {
		return name == Adapters || name == p.Name
	}
	rest, ok := strings.CutPrefix(p.Name, strings.TrimSuffix(name, "."))
	return ok && (rest == "" || rest[0] == '.')
}

// parts lists the first components of the parameters' names.
func (ps *Params) parts() []string {
	var parts []string
	for _, p := range ps.list {
		first, _, _ := strings.Cut(p.Name, ".")
		if !slices.Contains(parts, first) {
			parts = append(parts, first)
		}
	}
	return parts
}

// An Arena is one device buffer of many parameters.
type Arena struct {
	Name  string
	Words int
}

// Arena buffers hold trained weights, their gradients and the two moments of
// Adam at the same offsets.
const (
	Weights = "weights"
	Grads   = "grads"
	MomentM = "adam_m"
	MomentV = "adam_v"
	frozen  = "frozen"
)

// alignment of a parameter in an arena: 64 words are the 256 bytes that WebGPU
// asks of a binding's offset.
const alignment = 64

// Layout places every parameter: trained ones in arenas named weights.0,
// weights.1, … of at most maxWords, the others in frozen.0, …. A table that is
// longer lies in several arenas, a range of rows in each; any other tensor that
// is longer gets an arena of its own. Biases have arenas apart from weights,
// and running statistics each a buffer, since one kernel writes the gradients of
// both, or two statistics, and may not have the same buffer twice.
func (ps *Params) Layout(maxWords int) []Arena {
	l := layout{max: maxWords, open: map[string]int{}, counts: map[string]int{}}
	for _, p := range ps.list {
		p.places = nil
		for _, shape := range p.ranges(maxWords) {
			p.places = append(p.places, l.place(p, shape))
		}
	}
	words := map[string]int{}
	for _, a := range l.arenas {
		words[a.Name] = a.Words
	}
	for _, p := range ps.list {
		for i := range p.places {
			place := &p.places[i]
			place.Words = words[place.Buffer]
			if place.Scales != nil {
				place.Scales.Words = words[place.Scales.Buffer]
			}
		}
	}
	return l.arenas
}

// ranges returns the shapes of the parts that the parameter is kept in.
func (p *Param) ranges(maxWords int) [][]int {
	if !p.ByRows || p.Format.Words(p.StoredLen()) <= maxWords {
		return [][]int{p.stored}
	}
	rows, width := p.stored[0], p.Format.Words(product(p.stored[1:]))
	step := max(1, maxWords/width)
	var shapes [][]int
	for ; rows > 0; rows -= step {
		shapes = append(shapes, append([]int{min(step, rows)}, p.stored[1:]...))
	}
	return shapes
}

// layout is the state of one Layout.
type layout struct {
	max    int
	arenas []Arena
	open   map[string]int // kind of arena → index of the current one
	counts map[string]int
}

func (l *layout) place(p *Param, shape []int) Place {
	words := product(shape)
	if p.State {
		l.arenas = append(l.arenas, Arena{"state." + p.Name, words})
		return Place{Slot: graph.Slot{Buffer: "state." + p.Name}, Shape: shape}
	}
	place := Place{Slot: l.take(p, p.Format.Words(words)), Shape: shape}
	if p.Format == shaders.I8 {
		scales := l.take(p, shape[0])
		place.Scales = &scales
	}
	return place
}

// take reserves memory for words of a parameter.
func (l *layout) take(p *Param, words int) graph.Slot {
	kind := Weights
	if !p.Trainable {
		kind = frozen
	}
	lane := kind
	if strings.HasSuffix(p.Name, ".bias") {
		lane += " bias"
	}
	size := (words + alignment - 1) / alignment * alignment
	i, ok := l.open[lane]
	if !ok || l.arenas[i].Words+size > l.max {
		i = len(l.arenas)
		l.open[lane] = i
		l.arenas = append(l.arenas, Arena{Name: fmt.Sprintf("%s.%d", kind, l.counts[kind])})
		l.counts[kind]++
	}
	a := &l.arenas[i]
	a.Words += size
	return graph.Slot{Buffer: a.Name, Offset: a.Words - size}
}

// Initial returns the parameter's starting values in the checkpoint's layout.
// Every parameter has a random stream of its own, so that adding one leaves
// the others as they were.
func (p *Param) Initial(seed uint64) []float32 {
	x := make([]float32, p.Len())
	p.Starting(seed)(x)
	return x
}

// Starting returns a function that fills what it is given with the next of the
// parameter's starting values, for one that is too long to be in memory whole.
func (p *Param) Starting(seed uint64) func(x []float32) {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	zeroFrom, zeroTo := 0, 0
	if p.Init.Kind == Normal && p.Init.Zero >= 0 && len(p.Shape) == 2 && p.Init.Zero < p.Shape[0] {
		zeroFrom = p.Init.Zero * p.Shape[1]
		zeroTo = zeroFrom + p.Shape[1]
	}
	at := 0
	return func(x []float32) {
		for i := range x {
			switch p.Init.Kind {
			case Fill:
				x[i] = p.Init.Bound
			case Uniform:
				x[i] = (2*rng.Float32() - 1) * p.Init.Bound
			case Normal:
				x[i] = float32(rng.NormFloat64()) * p.Init.Bound
			}
			if at >= zeroFrom && at < zeroTo {
				x[i] = 0
			}
			at++
		}
	}
}

// Store converts values from the checkpoint's layout to the memory layout:
// convolutions from [O I KH KW] to [O KH KW I'], missing channels zero.
func (p *Param) Store(x []float32) []float32 {
	if len(p.Shape) != 4 {
		return x
	}
	y := make([]float32, p.StoredLen())
	p.eachTap(func(checkpoint, stored int) { y[stored] = x[checkpoint] })
	return y
}

// Load converts values from the memory layout to the checkpoint's.
func (p *Param) Load(y []float32) []float32 {
	if len(p.Shape) != 4 {
		return y[:p.Len()]
	}
	x := make([]float32, p.Len())
	p.eachTap(func(checkpoint, stored int) { x[checkpoint] = y[stored] })
	return x
}

func (p *Param) eachTap(f func(checkpoint, stored int)) {
	o, in, kh, kw, padded := p.Shape[0], p.Shape[1], p.Shape[2], p.Shape[3], p.stored[3]
	for a := range o {
		for b := range in {
			for t := range kh * kw {
				f((a*in+b)*kh*kw+t, (a*kh*kw+t)*padded+b)
			}
		}
	}
}

// linearInit is PyTorch's for Linear: uniform within 1/√fan-in, bias too.
func linearInit(fanIn int) Init {
	return Init{Kind: Uniform, Bound: float32(1 / math.Sqrt(float64(fanIn)))}
}

// kaimingFanOut is torchvision's for convolutions: normal with variance 2/fan-out.
func kaimingFanOut(out, kernel int) Init {
	return Init{Kind: Normal, Bound: float32(math.Sqrt(2 / float64(out*kernel*kernel))), Zero: -1}
}
