package gpu

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"duet/shaders"
)

// mix is a kernel for tests: y = 0.5 a + 0.25 b + bias for the given number of
// words; shorter inputs repeat, so their lengths matter. With in = 1 there is no b.
func mix(in, words int, bias float32) shaders.Launch {
	var s strings.Builder
	b := []shaders.Binding{}
	sum := []string{"0.5 * a[i % arrayLength(&a)]", "0.25 * b[i % arrayLength(&b)]"}[:in]
	for i, name := range []string{"a", "b"}[:in] {
		fmt.Fprintf(&s, "@group(0) @binding(%d) var<storage, read> %s: array<f32>;\n", i, name)
		b = append(b, shaders.Binding{Index: i, Name: name, Access: shaders.Read, Type: "array<f32>"})
	}
	fmt.Fprintf(&s, "@group(0) @binding(%d) var<storage, read_write> y: array<f32>;\n", in)
	fmt.Fprintf(&s, "struct Params { n: u32, bias: f32 }\n@group(0) @binding(%d) var<uniform> P: Params;\n", in+1)
	fmt.Fprintf(&s, `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let i = gid.x;
  if (i < P.n) { y[i] = %s + P.bias; }
}`, strings.Join(sum, " + "))
	b = append(b, shaders.Binding{Index: in, Name: "y", Access: shaders.ReadWrite, Type: "array<f32>"},
		shaders.Binding{Index: in + 1, Name: "P", Access: shaders.Uniform, Type: "Params"})
	k := shaders.Kernel{
		Name: fmt.Sprintf("mix%d", in), Source: s.String(), Workgroup: [3]uint32{64, 1, 1}, Bindings: b,
		Reference: func(c shaders.Call) {
			a, b, y := c.Buffers[0].F(), c.Buffers[in-1].F(), c.Buffers[in].F()
			for i := range c.U(0) {
				v := 0.5 * a[i%len(a)]
				if in == 2 {
					v += 0.25 * b[i%len(b)]
				}
				y[i] = v + c.F32(1)
			}
		},
	}
	return shaders.Launch{
		Kernel: k, Groups: [3]uint32{uint32(words+63) / 64, 1, 1},
		Params: []uint32{uint32(words), shaders.Words(floatWords(bias))[0]}, Flops: float64(words * 2 * in),
	}
}

func floatWords(values ...float32) []uint32 {
	w := make(shaders.Words, len(values))
	copy(w.F(), values)
	return w
}

// randomProgram returns a valid program of n dispatches: every dispatch reads
// one or two buffers that are written and writes a new temporary one, a
// persistent one (in set-up), or the external result.
func randomProgram(r *rand.Rand, n int) *Program {
	p := &Program{Name: "random"}
	x := p.External("x", 400)
	y := p.External("y", 400)
	ready := []View{x}
	var persistent []View
	step := func(add func(string, shaders.Launch, ...View), i int, out View) {
		in := 1 + r.IntN(2)
		args := []View{}
		for range in {
			args = append(args, ready[r.IntN(len(ready))])
		}
		add(fmt.Sprintf("step %d", i), mix(in, int(out.Size/4), r.Float32()), append(args, out)...)
	}
	fresh := func(name string, i int) (string, int) { return fmt.Sprintf("%s%d", name, i), 100 + r.IntN(300) }
	for i := range r.IntN(4) {
		v := p.Persistent(fresh("p", i))
		step(p.AddSetup, i, v)
		persistent = append(persistent, v)
	}
	ready = append(ready, persistent...)
	for i := range n {
		if i == n-1 || r.IntN(8) == 0 {
			step(p.Add, i, y)
			continue
		}
		v := p.Temp(fresh("t", i))
		step(p.Add, i, v)
		ready = append(ready, v)
		if len(ready) > 8 { // forget some, so that lifetimes end
			ready = append(ready[:1+r.IntN(2)], ready[len(ready)-4:]...)
		}
	}
	return p
}

func TestPlanRandomPrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		p := randomProgram(r, 1+r.IntN(60))
		plan, err := NewPlan(p)
		if err != nil {
			t.Fatalf("program %d: %v\n%s", n, err, p)
		}
		checkPlan(t, plan)
	}
}

// checkPlan checks the plan against the program by its own count of uses.
func checkPlan(t *testing.T, plan *Plan) {
	t.Helper()
	p := plan.Program
	uses := make([][]int, len(p.Buffers))
	for i := range len(p.Setup) + len(p.Dispatch) {
		slots := map[int]int{}
		for _, a := range p.at(i).Args {
			uses[a.Buffer] = append(uses[a.Buffer], i)
			if s := plan.SlotOf[a.Buffer]; s >= 0 {
				if other, ok := slots[s]; ok && other != a.Buffer {
					t.Errorf("dispatch %s uses slot %d for two buffers", p.place(i), s)
				}
				slots[s] = a.Buffer
			}
		}
	}
	var temps int64
	seen := map[int]bool{}
	for s, slot := range plan.Slots {
		temps += slot.Size
		for i, b := range slot.Buffers {
			if plan.SlotOf[b] != s || seen[b] {
				t.Errorf("buffer %d is not in exactly one slot", b)
			}
			seen[b] = true
			if p.Buffers[b].Size > slot.Size {
				t.Errorf("buffer %s (%d bytes) does not fit slot %d (%d bytes)", p.Buffers[b].Name, p.Buffers[b].Size, s, slot.Size)
			}
			for _, c := range slot.Buffers[:i] {
				if uses[b][0] <= uses[c][len(uses[c])-1] && uses[c][0] <= uses[b][len(uses[b])-1] {
					t.Errorf("slot %d holds %s and %s at once", s, p.Buffers[b].Name, p.Buffers[c].Name)
				}
			}
		}
	}
	for i, b := range p.Buffers {
		if b.Kind == Temp && len(uses[i]) > 0 && !seen[i] {
			t.Errorf("temporary buffer %s has no slot", b.Name)
		}
	}
	if temps != plan.Temps || plan.Temps < plan.Floor {
		t.Errorf("temporary memory %d, sum of slots %d, floor %d", plan.Temps, temps, plan.Floor)
	}
	if t.Failed() {
		t.Fatalf("%s\n%s", p, plan)
	}
}

func TestPlanSharesSlots(t *testing.T) {
	// A chain needs two slots however long it is.
	p := &Program{Name: "chain"}
	v := p.External("x", 1000)
	for i := range 20 {
		next := p.Temp(fmt.Sprintf("t%d", i), 1000)
		p.Add("step", mix(1, 1000, 0), v, next)
		v = next
	}
	p.Add("out", mix(1, 1000, 0), v, p.External("y", 1000))
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Slots) != 2 || plan.Temps != 8000 || plan.Floor != 8000 {
		t.Errorf("%d slots, %d bytes, floor %d; want 2, 8000, 8000", len(plan.Slots), plan.Temps, plan.Floor)
	}
	if plan.Uniforms != 256 || plan.Peak() != 8256 || plan.External != 8000 {
		t.Errorf("uniforms %d, peak %d, external %d; equal parameters share one place", plan.Uniforms, plan.Peak(), plan.External)
	}
	if !strings.Contains(plan.String(), "20 temporary buffers in 2 slots") {
		t.Errorf("plan prints:\n%s", plan)
	}
}

func TestPlanRefusesUnwrittenReads(t *testing.T) {
	half := func(v View, at int64) View { return View{Buffer: v.Buffer, Offset: at, Size: v.Size / 2} }
	tests := []struct {
		name  string
		build func(p *Program, x, y View)
		want  string
	}{
		{"temporary", func(p *Program, x, y View) {
			p.Add("one", mix(1, 128, 0), p.Temp("t", 128), y)
		}, `dispatch 0 "one" (kernel mix1) reads t as a before it is written`},
		{"second half", func(p *Program, x, y View) {
			v := p.Temp("t", 128)
			p.Add("one", mix(1, 64, 0), x, half(v, 0))
			p.Add("two", mix(1, 128, 0), v, y)
		}, `dispatch 1 "two" (kernel mix1) reads t`},
		{"both halves", func(p *Program, x, y View) {
			v := p.Temp("t", 128)
			p.Add("one", mix(1, 64, 0), x, half(v, 256))
			p.Add("two", mix(1, 64, 0), x, half(v, 0))
			p.Add("three", mix(1, 128, 0), v, y)
		}, ""},
		{"written by set-up only", func(p *Program, x, y View) {
			v := p.Temp("t", 128)
			p.AddSetup("one", mix(1, 128, 0), x, v)
			p.Add("two", mix(1, 128, 0), v, y)
		}, `dispatch 0 "two" (kernel mix1) reads t`},
		{"persistent", func(p *Program, x, y View) {
			v := p.Persistent("q", 128)
			p.AddSetup("one", mix(1, 128, 0), x, v)
			p.Add("two", mix(1, 128, 0), v, y)
		}, ""},
		{"persistent without set-up", func(p *Program, x, y View) {
			p.Add("two", mix(1, 128, 0), p.Persistent("q", 128), y)
		}, `dispatch 0 "two" (kernel mix1) reads q`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &Program{Name: "p"}
			test.build(p, p.External("x", 128), p.External("y", 128))
			for _, b := range []Backend{NewReference()} {
				_, err := b.Compile(p, references(t, b, p))
				if test.want == "" && err != nil {
					t.Errorf("refused: %v", err)
				}
				if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("error %v, want it to contain %q", err, test.want)
				}
			}
		})
	}
}

// references returns a zeroed buffer for every external of the program.
func references(t *testing.T, b Backend, p *Program) map[string]Buffer {
	m := map[string]Buffer{}
	for _, s := range p.Buffers {
		if s.Kind == External {
			buffer, err := b.NewBuffer(s.Name, s.Size)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(buffer.Release)
			m[s.Name] = buffer
		}
	}
	return m
}

func TestSizeString(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 154 << 20: "154 MiB", 1536 << 10: "1.50 MiB", 12<<30 + 1<<29: "12.5 GiB"} {
		if got := Size(n).String(); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}
