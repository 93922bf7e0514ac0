package gpu

import (
	"fmt"
	"strings"

	"duet/shaders"
)

// A Program is a flat list of dispatches over named buffers. It needs no device:
// it is built once, printed, planned, then compiled by a [Backend] and replayed.
type Program struct {
	Name     string
	Buffers  []BufferSpec
	Setup    []Dispatch // run once whenever the externals they read have changed
	Dispatch []Dispatch // run at every replay
}

// BufferKind says who provides a buffer and how long its content lives.
type BufferKind uint8

// The kinds of buffers.
const (
	Temp       BufferKind = iota // content lives from its first write to its last read of one replay; memory shared by the plan
	External                     // provided when the program is compiled
	Persistent                   // written by Setup, read by later dispatches; keeps its own memory
)

// A BufferSpec describes a buffer of a program.
type BufferSpec struct {
	Name  string
	Kind  BufferKind
	Size  int64 // bytes, a multiple of 16
	Words int   // 4-byte words of data; what follows up to Size is padding
}

// A View is a range of a program's buffer, as one argument of a dispatch.
type View struct {
	Buffer int   // index into Program.Buffers
	Offset int64 // bytes, a multiple of 256 unless zero
	Size   int64 // bytes, a multiple of 16
}

// A Dispatch is one launch of a kernel with its arguments, in binding order.
type Dispatch struct {
	shaders.Launch
	Label string
	Args  []View
}

// Bytes rounds a count of 4-byte words up to a whole number of vec4s, in bytes.
func Bytes(words int) int64 { return int64(words+3) / 4 * 16 }

func (p *Program) add(kind BufferKind, name string, words int) View {
	size := max(Bytes(words), 16)
	p.Buffers = append(p.Buffers, BufferSpec{Name: name, Kind: kind, Size: size, Words: words})
	return View{Buffer: len(p.Buffers) - 1, Size: size}
}

// Temp declares a buffer of the given number of 4-byte words that lives within one replay.
func (p *Program) Temp(name string, words int) View { return p.add(Temp, name, words) }

// External declares a buffer that the caller provides at compilation.
func (p *Program) External(name string, words int) View { return p.add(External, name, words) }

// Persistent declares a buffer that Setup fills and replays read.
func (p *Program) Persistent(name string, words int) View { return p.add(Persistent, name, words) }

// Add appends a launch; the arguments follow the kernel's storage bindings.
func (p *Program) Add(label string, l shaders.Launch, args ...View) {
	p.Dispatch = append(p.Dispatch, p.check(label, l, args))
}

// AddSetup appends a launch to the set-up list.
func (p *Program) AddSetup(label string, l shaders.Launch, args ...View) {
	p.Setup = append(p.Setup, p.check(label, l, args))
}

// check panics on a mismatch between kernel and arguments: that is a mistake
// in the code that builds the program.
func (p *Program) check(label string, l shaders.Launch, args []View) Dispatch {
	storage := l.Kernel.Storage()
	if len(storage) != len(args) {
		panic(fmt.Sprintf("gpu: %s: kernel %s takes %d buffers, got %d", label, l.Kernel.Name, len(storage), len(args)))
	}
	for i, a := range args {
		if a.Size <= 0 || a.Offset < 0 || a.Offset+a.Size > p.Buffers[a.Buffer].Size || a.Offset%256 != 0 || a.Size%16 != 0 {
			panic(fmt.Sprintf("gpu: %s: argument %s of kernel %s: bytes %d to %d of %s (%d bytes) are no valid view",
				label, storage[i].Name, l.Kernel.Name, a.Offset, a.Offset+a.Size, p.Buffers[a.Buffer].Name, p.Buffers[a.Buffer].Size))
		}
		for j := range i {
			if args[j].Buffer == a.Buffer && (storage[i].Access == shaders.ReadWrite || storage[j].Access == shaders.ReadWrite) {
				panic(fmt.Sprintf("gpu: %s: kernel %s reads and writes buffer %s in one dispatch", label, l.Kernel.Name, p.Buffers[a.Buffer].Name))
			}
		}
	}
	return Dispatch{Launch: l, Label: label, Args: args}
}

// Bytes is what the dispatch may read and write: the sizes of its arguments.
func (d Dispatch) Bytes() int64 {
	var n int64
	for _, a := range d.Args {
		n += a.Size
	}
	return n
}

// String prints the program: buffers, then one line per dispatch.
func (p *Program) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "program %s: %d buffers, %d set-up dispatches, %d dispatches\n", p.Name, len(p.Buffers), len(p.Setup), len(p.Dispatch))
	list := func(title string, list []Dispatch) {
		for i, d := range list {
			fmt.Fprintf(&s, "%s %3d %-28s %-24s %v", title, i, d.Label, d.Kernel.Name, d.Groups)
			for j, b := range d.Kernel.Storage() {
				mark := ""
				if b.Access == shaders.ReadWrite {
					mark = "→"
				}
				fmt.Fprintf(&s, " %s%s=%s", mark, b.Name, p.view(d.Args[j]))
			}
			s.WriteByte('\n')
		}
	}
	list("setup", p.Setup)
	list("run", p.Dispatch)
	return s.String()
}

func (p *Program) view(v View) string {
	b := p.Buffers[v.Buffer]
	if v.Offset == 0 && v.Size == b.Size {
		return b.Name
	}
	return fmt.Sprintf("%s[%d:%d]", b.Name, v.Offset, v.Offset+v.Size)
}
