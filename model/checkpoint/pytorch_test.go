package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"duet/model/shared"
)

// What the tests pickle besides Go's nil, bool, int, float64 and string.
type (
	pyTuple []any
	pyList  []any
	pyDict  []any // key, value, key, value, …
	pyName  string
	pyCall  struct {
		function string
		args     pyTuple
	}
	pyID   pyTuple // a persistent id
	pyWith struct{ value, attributes any }
)

// pickled writes a value as Python's pickle module does in protocol 2.
func pickled(v any) []byte { return append(pickle([]byte{0x80, 2}, v), '.') }

func pickle(b []byte, v any) []byte {
	all := func(b []byte, values []any) []byte {
		b = append(b, '(')
		for _, v := range values {
			b = pickle(b, v)
		}
		return b
	}
	switch v := v.(type) {
	case nil:
		return append(b, 'N')
	case bool:
		if v {
			return append(b, 0x88)
		}
		return append(b, 0x89)
	case int:
		if v == int(int32(v)) {
			return binary.LittleEndian.AppendUint32(append(b, 'J'), uint32(v))
		}
		return binary.LittleEndian.AppendUint64(append(b, 0x8a, 8), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'G'), math.Float64bits(v))
	case string:
		return append(binary.LittleEndian.AppendUint32(append(b, 'X'), uint32(len(v))), v...)
	case pyTuple:
		return append(all(b, v), 't')
	case pyList:
		return append(all(append(b, ']'), v), 'e')
	case pyDict:
		return append(all(append(b, '}'), v), 'u')
	case pyName:
		module, name, _ := strings.Cut(string(v), " ")
		return append(b, "c"+module+"\n"+name+"\n"...)
	case pyCall:
		return append(pickle(pickle(b, pyName(v.function)), v.args), 'R')
	case pyID:
		return append(pickle(b, pyTuple(v)), 'Q')
	case pyWith:
		return append(pickle(pickle(b, v.value), v.attributes), 'b')
	case []byte:
		return append(b, v...)
	}
	panic(fmt.Sprintf("%T", v))
}

// ordered is an OrderedDict of keys and values.
func ordered(items ...any) []byte {
	b := pickle(nil, pyCall{"collections OrderedDict", nil})
	b = append(b, '(')
	for _, v := range items {
		b = pickle(b, v)
	}
	return append(b, 'u')
}

// torchTest is a file as torch.save writes it.
type torchTest struct {
	value    any
	storages []torchBlock
}

type torchBlock struct {
	kind, key string // FloatStorage, "0"
	len       int
	data      []byte
}

// block makes a storage of 4-byte floats 0, 1, 2, ….
func block(key string, n int) torchBlock {
	var data []byte
	for i := range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i)))
	}
	return torchBlock{"FloatStorage", key, n, data}
}

// tensor refers to a part of a storage.
func (s torchBlock) tensor(offset int, size, strides []int) pyCall {
	numbers := func(x []int) (t pyTuple) {
		for _, n := range x {
			t = append(t, n)
		}
		return t
	}
	id := pyID{"storage", pyName("torch " + s.kind), s.key, "cpu", s.len}
	return pyCall{"torch._utils _rebuild_tensor_v2", pyTuple{id, offset, numbers(size), numbers(strides), false, pyCall{"collections OrderedDict", nil}}}
}

func (f torchTest) zip(t testing.TB) []byte {
	entries := []string{"archive/data.pkl", string(pickled(f.value)), "archive/byteorder", "little"}
	for _, s := range f.storages {
		entries = append(entries, "archive/data/"+s.key, string(s.data))
	}
	return makeZip(t, zip.Store, append(entries, "archive/version", "3\n")...)
}

func (f torchTest) legacy() []byte {
	file := append([]byte{}, legacyMagic...)
	file = append(file, pickled(1001)...)
	file = append(file, pickled(pyDict{"protocol_version", 1001, "little_endian", true, "type_sizes", pyDict{"int", 4}})...)
	file = append(file, pickled(f.value)...)
	var keys pyList
	for _, s := range f.storages {
		keys = append(keys, s.key)
	}
	file = append(file, pickled(keys)...)
	for _, s := range f.storages {
		file = append(binary.LittleEndian.AppendUint64(file, uint64(s.len)), s.data...)
	}
	return file
}

// eachContainer opens the file in both containers.
func (f torchTest) eachContainer(t *testing.T, check func(t *testing.T, file *File, err error)) {
	for name, data := range map[string][]byte{"zip": f.zip(t), "legacy": f.legacy()} {
		t.Run(name, func(t *testing.T) {
			file, err := openBytes(data)
			check(t, file, err)
		})
	}
}

// one is a state dict of one tensor "w" over a storage of floats.
func oneTensor(n, offset int, size, strides []int) torchTest {
	s := block("0", n)
	return torchTest{ordered("w", s.tensor(offset, size, strides)), []torchBlock{s}}
}

// torchFiles are whole files for the fuzzer to begin from.
func torchFiles(t testing.TB) (files [][]byte) {
	a, b := block("0", 6), torchBlock{"HalfStorage", "1", 2, []byte{0, 60, 0, 64}}
	for _, value := range []any{
		ordered("w", a.tensor(0, []int{2, 3}, []int{3, 1}), "v", a.tensor(1, []int{2, 2}, []int{1, 3}), "h", b.tensor(0, []int{2}, []int{1})),
		pyDict{"epoch", 3, "state_dict", ordered("module.w", a.tensor(0, []int{6}, []int{1}), "module.h", b.tensor(1, nil, nil))},
	} {
		f := torchTest{value, []torchBlock{a, b}}
		files = append(files, f.zip(t), f.legacy())
	}
	return files
}

// TestTorchTypes reads a tensor of every element type.
func TestTorchTypes(t *testing.T) {
	little := binary.LittleEndian
	two := func(a, b uint64) []byte { return little.AppendUint64(little.AppendUint64(nil, a), b) }
	tests := []struct {
		kind   string
		data   []byte
		dtype  Dtype
		floats []float32
		ints   []int64
	}{
		{"FloatStorage", little.AppendUint32(little.AppendUint32(nil, math.Float32bits(1.5)), math.Float32bits(-2)), F32, []float32{1.5, -2}, nil},
		{"DoubleStorage", two(math.Float64bits(1.5), math.Float64bits(-2)), F64, []float32{1.5, -2}, nil},
		{"HalfStorage", []byte{0, 0x3e, 0, 0xc0}, F16, []float32{1.5, -2}, nil},
		{"BFloat16Storage", []byte{0xc0, 0x3f, 0, 0xc0}, BF16, []float32{1.5, -2}, nil},
		{"LongStorage", two(1<<40, math.MaxUint64), I64, nil, []int64{1 << 40, -1}},
		{"IntStorage", little.AppendUint32(little.AppendUint32(nil, 7), math.MaxUint32), I32, nil, []int64{7, -1}},
		{"ShortStorage", []byte{7, 0, 0xff, 0xff}, I16, nil, []int64{7, -1}},
		{"CharStorage", []byte{7, 0xff}, I8, nil, []int64{7, -1}},
		{"ByteStorage", []byte{7, 0xff}, U8, nil, []int64{7, 255}},
		{"BoolStorage", []byte{1, 0}, BOOL, nil, []int64{1, 0}},
	}
	for _, test := range tests {
		t.Run(test.kind, func(t *testing.T) {
			s := torchBlock{test.kind, "0", 2, test.data}
			f := torchTest{ordered("w", s.tensor(0, []int{2}, []int{1})), []torchBlock{s}}
			f.eachContainer(t, func(t *testing.T, file *File, err error) {
				if err != nil {
					t.Fatal(err)
				}
				info, _ := file.Info("w")
				if info.Dtype != test.dtype || info.Bytes() != int64(len(test.data)) {
					t.Errorf("the tensor is %+v", info)
				}
				if test.floats != nil {
					got, err := file.Float32("w", nil)
					if err != nil || !slices.Equal(got, test.floats) {
						t.Errorf("got %v, %v", got, err)
					}
					return
				}
				got, err := file.Int64("w", nil)
				if err != nil || !slices.Equal(got, test.ints) {
					t.Errorf("got %v, %v", got, err)
				}
			})
		})
	}
}

// TestTorchStrides reads parts of a storage of 0, 1, 2, … and compares them with
// the definition: the element at index is storage[offset + Σ index·stride].
func TestTorchStrides(t *testing.T) {
	tests := []struct {
		name          string
		n, offset     int
		size, strides []int
	}{
		{"whole", 6, 0, []int{2, 3}, []int{3, 1}},
		{"rows from the second on", 12, 3, []int{3, 3}, []int{3, 1}},
		{"transposed", 6, 0, []int{3, 2}, []int{1, 3}},
		{"every second column", 24, 1, []int{3, 4}, []int{8, 2}},
		{"permuted", 120, 0, []int{5, 2, 4, 3}, []int{1, 60, 15, 5}},
		{"scalar", 3, 2, nil, nil},
		{"no elements", 3, 0, []int{0, 4}, []int{4, 1}},
		{"a stride that is never taken", 4, 0, []int{1, 4}, []int{77, 1}},
		{"one column", 20, 3, []int{4, 1}, []int{5, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []float32
			index := make([]int, len(test.size))
			for more := !slices.Contains(test.size, 0); more; {
				at := test.offset
				for d, i := range index {
					at += i * test.strides[d]
				}
				want = append(want, float32(at))
				more = false
				for d := len(index) - 1; d >= 0 && !more; d-- {
					if index[d]++; index[d] < test.size[d] {
						more = true
					} else {
						index[d] = 0
					}
				}
			}
			oneTensor(test.n, test.offset, test.size, test.strides).eachContainer(t, func(t *testing.T, file *File, err error) {
				if err != nil {
					t.Fatal(err)
				}
				got, err := file.Float32("w", nil)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, want %v, %v", got, want, err)
				}
				var copied bytes.Buffer
				if err := file.CopyFloat32(&copied, "w"); err != nil || !bytes.Equal(copied.Bytes(), floatBytes(want)) {
					t.Errorf("copied %v, %v", copied.Bytes(), err)
				}
				if len(want) > 2 {
					part := make([]float32, len(want)-2)
					if err := file.Float32At("w", 1, part); err != nil || !slices.Equal(part, want[1:len(want)-1]) {
						t.Errorf("a part is %v, %v", part, err)
					}
				}
				wantError(t, file.Float32At("w", 1, make([]float32, len(want))), "elements, not")
			})
		})
	}
}

// TestTorchStateDicts finds the state dict in what programs save.
func TestTorchStateDicts(t *testing.T) {
	s := block("0", 4)
	w := s.tensor(0, []int{4}, []int{1})
	parameter := pyCall{"torch._utils _rebuild_parameter", pyTuple{w, true, pyCall{"collections OrderedDict", nil}}}
	older := pyCall{"torch._utils _rebuild_tensor", w.args[:4]}
	view := pyCall{"torch._utils _rebuild_tensor", slices.Clone(w.args[:4])}
	view.args[0] = pyID{"storage", pyName("torch FloatStorage"), "0", "cuda:0", 4, pyTuple{"view", 2, 2}}
	view.args[2] = pyTuple{2}
	tests := []struct {
		name  string
		value any
		want  string // names and their first values
	}{
		{"an OrderedDict", ordered("a", w), "a 0"},
		{"with the modules' versions", pyWith{ordered("a", w), pyDict{"_metadata", ordered("", pyDict{"version", 1})}}, "a 0"},
		{"as Python 2 wrote it", pyCall{"collections OrderedDict", pyTuple{pyList{pyList{"a", w}, pyList{"b", w}}}}, "a 0 b 0"},
		{"a dict", pyDict{"a", w}, "a 0"},
		{"parameters", pyDict{"a", parameter}, "a 0"},
		{"before version 0.4", pyDict{"a", older}, "a 0"},
		{"a view of a storage", pyDict{"a", view}, "a 2"},
		{"other values beside", pyDict{"a", w, "epoch", 3, "note", "x", "rate", 0.5, "list", pyList{w}}, "a 0"},
		{"tied weights", ordered("a", w, "b", w), "a 0 b 0"},
		{"under state_dict", pyDict{"epoch", 3, "state_dict", ordered("a", w), "optimizer", pyDict{"state", pyDict{0, pyDict{"exp_avg", w}}}}, "a 0"},
		{"under model", pyDict{"model", pyDict{"a", w}}, "a 0"},
		{"under model_state_dict", pyDict{"best", 1, "model_state_dict", pyDict{"a", w}}, "a 0"},
		{"of a DataParallel", ordered("module.a", w, "module.b.c", w), "a 0 b.c 0"},
		{"with a part named module", ordered("module.a", w, "b", w), "b 0 module.a 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			torchTest{test.value, []torchBlock{s}}.eachContainer(t, func(t *testing.T, file *File, err error) {
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, name := range file.Names() {
					values, err := file.Float32(name, nil)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprint(name, " ", values[0]))
				}
				slices.Sort(got)
				if text := strings.Join(got, " "); text != test.want {
					t.Errorf("got %s, want %s", text, test.want)
				}
			})
		})
	}
}

// TestTorchRefusals is what no container may accept.
func TestTorchRefusals(t *testing.T) {
	s := block("0", 6)
	w := s.tensor(0, []int{6}, []int{1})
	with := func(i int, v any) pyDict { // w with another argument
		call := pyCall{w.function, slices.Clone(w.args)}
		call.args[i] = v
		return pyDict{"w", call}
	}
	id := func(i int, v any) pyDict {
		other := slices.Clone(w.args[0].(pyID))
		other[i] = v
		return with(0, other)
	}
	bomb := []byte("]q\x00") // each list holds the one before twice
	for i := range byte(200) {
		bomb = append(bomb, ']', '(', 'h', i, 'h', i, 'e', 'q', i+1)
	}
	tests := []struct {
		name  string
		value any
		err   string
	}{
		{"2^200 values", bomb, ""},
		{"20,000 levels", []byte(strings.Repeat("]", 20_000) + strings.Repeat("a", 19_999)), ""},
		{"a call of the system", pyDict{"a", pyCall{"posix system", pyTuple{"echo"}}}, `names "posix.system", which no state dict needs; nothing was executed`},
		{"eval", pyCall{"builtins eval", pyTuple{"1"}}, `"builtins.eval"`},
		{"a name alone", pyDict{"w", w, "a", pyName("os system")}, `"os.system"`},
		{"a whole module", pyCall{"torchvision.models.resnet ResNet", nil}, `"torchvision.models.resnet.ResNet"`},
		{"NumPy", pyDict{"w", w, "best", pyCall{"numpy.core.multiarray scalar", nil}}, `"numpy.core.multiarray.scalar"`},
		{"a name that begins as an allowed one", pyDict{"a", pyName("torch FloatStorageX")}, `"torch.FloatStorageX"`},
		{"a quantised storage", id(1, pyName("torch QInt8Storage")), `"torch.QInt8Storage"`},
		{"a storage is called", pyDict{"w", pyCall{"torch FloatStorage", pyTuple{6}}}, "torch.FloatStorage is called"},
		{"numbers for weights", pyDict{"weight", 5, "bias", "text"}, ""},
		{"a list", pyList{w}, "holds no dict of tensors"},
		{"a tensor", w, "holds no dict of tensors"},
		{"nothing", nil, ""},
		{"a tensor under a number", pyDict{1, w}, "a tensor's key is no string"},
		{"a long name", pyDict{strings.Repeat("w", 5000), w}, "a tensor's name has more than 4096 bytes"},
		{"a name twice", ordered("a", w, "a", w), `the tensor "a" is there twice`},
		{"a name that is taken", ordered(metadataKey, w), "is taken"},
		{"beyond the storage", with(2, pyTuple{7}), "lies outside its storage of 6 elements"},
		{"an offset beyond", with(1, 1), "from 1 on lies outside"},
		{"a negative offset", with(1, -1), "from -1 on lies outside"},
		{"a stride beyond", with(3, pyTuple{2}), "lies outside"},
		{"a stride that overflows", with(3, pyTuple{math.MaxInt64}), "lies outside"},
		{"a negative stride", with(3, pyTuple{-1}), "no whole number from 0 on"},
		{"a negative size", with(2, pyTuple{-6}), "no whole number from 0 on"},
		{"a size of text", with(2, pyTuple{"6"}), "no whole number from 0 on"},
		{"more strides than sizes", with(3, pyTuple{1, 1}), "not of their types"},
		{"elements that share a place", with(3, pyTuple{0}), "share a place"},
		{"a huge tensor of one element", pyDict{"w", s.tensor(0, []int{1 << 40, 1 << 20}, []int{0, 0})}, "overflows"},
		{"a thousand dimensions", pyDict{"w", s.tensor(0, slices.Repeat([]int{1}, 1000), slices.Repeat([]int{1}, 1000))}, "1000 dimensions"},
		{"another number of elements", id(4, 7), ""},
		{"another type", id(1, pyName("torch DoubleStorage")), ""},
		{"two types", ordered("a", w, "b", torchBlock{"IntStorage", "0", 6, nil}.tensor(0, []int{6}, []int{1})), "in one place and 6 of I32 in another"},
		{"an unknown storage", id(2, "1"), ""},
		{"a path for a key", id(2, "../../etc/passwd"), ""},
		{"a huge storage", id(4, math.MaxInt64), "claims 9223372036854775807 elements"},
		{"a negative storage", id(4, -1), "a persistent id is none of a storage"},
		{"an id of something else", id(0, "module"), "a persistent id is none of a storage"},
		{"an empty dict", pyDict{}, ""},
		{"a tensor without arguments", pyDict{"w", pyCall{w.function, nil}}, "a tensor without storage"},
		{"a parameter without a tensor", pyDict{"w", pyCall{"torch._utils _rebuild_parameter", pyTuple{1}}}, "a parameter without a tensor"},
		{"an OrderedDict of no pairs", pyCall{"collections OrderedDict", pyTuple{pyList{1}}}, "an item is no pair"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			torchTest{test.value, []torchBlock{s}}.eachContainer(t, func(t *testing.T, _ *File, err error) {
				if err == nil {
					t.Fatal("it was opened")
				}
				if test.err != "" { // else the containers find it at different places
					wantError(t, err, test.err)
				}
			})
		})
	}
}

// TestPickles refuses programs that are no pickle of plain data.
func TestPickles(t *testing.T) {
	deep := strings.Repeat("]", 20_000) + strings.Repeat("a", 19_999)
	tests := []struct{ name, program, err string }{
		{"nothing", "", "cut short"},
		{"an empty stack", "\x80\x02.", "the stack is empty"},
		{"a call of nothing", "\x80\x02R.", "byte 2: the stack is empty"},
		{"below a mark", "\x80\x02N(0.", "the stack is empty"},
		{"no mark", "\x80\x02t.", "no mark"},
		{"an unknown instruction", "\x80\x02\xff.", "the instruction 0xff"},
		{"an object", "\x80\x02N)\x81.", "the instruction 0x81"},
		{"an instance", "\x80\x02(ios\nsystem\n.", "the instruction 0x69"},
		{"protocol 0", "\x80\x00N.", "protocol 0"},
		{"protocol 6", "\x80\x06N.", "protocol 6"},
		{"a name from the stack", "\x80\x04\x8c\x02os\x8c\x06system\x93.", `"os.system"`},
		{"a name of numbers", "\x80\x04K\x01K\x02\x93.", "a name is no string"},
		{"an endless name", "\x80\x02c" + strings.Repeat("x", 1000), "longer than 256 bytes"},
		{"an empty memo", "\x80\x02h\x05.", "the memo has no value 5"},
		{"a memo of gigabytes", "\x80\x02Nr\xff\xff\xff\xff.", "the memo's index 4294967295"},
		{"a string of gigabytes", "\x80\x02X\xff\xff\xff\xffabc", "more than 16777216 bytes"},
		{"a string beyond the file", "\x80\x02X\x00\x00\x80\x00abc", "cut short"},
		{"a string of exabytes", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "more than 16777216 bytes"},
		{"a string that is not UTF-8", "\x80\x02X\x01\x00\x00\x00\xff.", "UTF-8"},
		{"a dict of one", "\x80\x02}(Nu.", "something else than keys"},
		{"a list of pairs", "\x80\x02](NNu.", "a list is given keys"},
		{"an item of a number", "\x80\x02K\x01Na.", "neither a list nor a dict"},
		{"attributes of a number", "\x80\x02K\x01}b.", "attributes of a value that is no dict"},
		{"ten million instructions", "\x80\x02" + strings.Repeat("N0", 5_000_000), "more than 1048576 instructions"},
		{"a million lists", "\x80\x02" + strings.Repeat("]", 2_000_000), "more than 1048576 instructions"},
		{"17 MB of text", "\x80\x02X\x00\x00\xff\x00" + strings.Repeat("x", 0xff0000) + "X\x00\x00\xff\x00", "more than 16777216 bytes"},
		{"20,000 levels", "\x80\x02" + deep + ".", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			within(t, func() {
				_, _, err := unpickle(strings.NewReader(test.program), func(any) (any, error) { return nil, nil })
				wantError(t, err, test.err)
			})
		})
	}
}

// TestIntegers reads LONG1 in all lengths.
// A list of pairs, made into a dict again and again, takes few bytes of a pickle
// and would take any time.
func TestPickleCopies(t *testing.T) {
	const pairs, calls = 50_000, 50_000
	b := []byte("\x80\x02ccollections\nOrderedDict\nq\x00NN\x86q\x01]q\x02(")
	b = append(b, bytes.Repeat([]byte("h\x01"), pairs)...)
	b = append(b, 'e')
	b = append(b, bytes.Repeat([]byte("h\x00h\x02\x85R0"), calls)...)
	if _, _, err := unpickle(bytes.NewReader(append(b, '.')), nil); err == nil || !strings.Contains(err.Error(), "instructions") {
		t.Errorf("error %v", err)
	}
}

func TestIntegers(t *testing.T) {
	for b, want := range map[string]any{
		"": int64(0), "\x01": int64(1), "\xff": int64(-1), "\x80": int64(-128), "\xff\x00": int64(255), "\x00\x80": int64(-32768),
		"\xff\xff\xff\xff\xff\xff\xff\x7f": int64(math.MaxInt64), "\x00\x00\x00\x00\x00\x00\x00\x80": int64(math.MinInt64),
		"\x00\x00\x00\x00\x00\x00\x00\x00\x01": long("\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
	} {
		if got := integer([]byte(b)); got != want {
			t.Errorf("%x is %v, want %v", b, got, want)
		}
	}
}

// TestTorchContainers is what only one of the containers can get wrong.
func TestTorchContainers(t *testing.T) {
	s := block("0", 6)
	good := torchTest{ordered("w", s.tensor(0, []int{6}, []int{1})), []torchBlock{s}}
	program := string(pickled(good.value))
	legacy := good.legacy()
	cut := func(n int) []byte { return legacy[:len(legacy)-n] }
	replace := func(old, new string) []byte { return bytes.Replace(legacy, []byte(old), []byte(new), 1) }
	bomb := makeZip(t, zip.Deflate, "a/data.pkl", program, "a/data/0", strings.Repeat("\x00", 30<<20))
	tests := []struct {
		name string
		file []byte
		err  string
	}{
		{"zip", good.zip(t), ""},
		{"zip of any name", makeZip(t, zip.Store, "resnet18-5c106cde/data.pkl", program, "resnet18-5c106cde/data/0", string(s.data)), ""},
		{"legacy", legacy, ""},
		{"bytes behind", append(slices.Clone(legacy), 1, 2, 3), ""},
		{"a pickle of no PyTorch", pickled(pyDict{"a", 1}), "does not begin as PyTorch's files do"},
		{"magic number alone", legacyMagic, "cut short"},
		{"version 2", replace(string(pickled(1001)), string(pickled(1002))), "the container's version is 1002"},
		{"big endian", replace("little_endian\x88", "little_endian\x89"), "big endian"},
		{"cut in the storage", cut(1), "the file ends inside the storage"},
		{"cut before the storage", cut(32), "the file ends before the storage"},
		{"cut in the keys", cut(33), "cut short"},
		{"no storage in the list", append(legacy[:len(legacy)-len(pickled(pyList{"0"}))-32:len(legacy)-len(pickled(pyList{"0"}))-32], pickled(pyList{})...), "lacks the storage"},
		{"zip without a pickle", makeZip(t, zip.Store, "a/version", "3"), "holds no data.pkl"},
		{"pickle too deep", makeZip(t, zip.Store, "a/b/data.pkl", program, "a/b/data/0", string(s.data)), "holds no data.pkl"},
		{"two pickles", makeZip(t, zip.Store, "a/data.pkl", program, "b/data.pkl", program), "two checkpoints"},
		{"no storage", makeZip(t, zip.Store, "a/data.pkl", program), "lacks the storage data/0"},
		{"a storage too short", makeZip(t, zip.Store, "a/data.pkl", program, "a/data/0", "abcd"), "has 4 bytes; the pickle says 6 elements of F32"},
		{"a storage too long", makeZip(t, zip.Store, "a/data.pkl", program, "a/data/0", string(s.data)+"x"), "has 25 bytes"},
		{"a big endian zip", makeZip(t, zip.Store, "a/data.pkl", program, "a/byteorder", "big", "a/data/0", string(s.data)), "big endian"},
		{"a name that leads outside", makeZip(t, zip.Store, "../a/data.pkl", program, "../a/data/0", string(s.data)), "not a plain path"},
		{"compressed", makeZip(t, zip.Deflate, "a/data.pkl", program, "a/data/0", string(s.data)), "is compressed, which PyTorch's are not"},
		{"a bomb", bomb, "a zip bomb"},
		{"zip cut short", good.zip(t)[:300], "not a zip archive"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			within(t, func() {
				_, err := openBytes(test.file)
				wantError(t, err, test.err)
			})
		})
	}
}

// TestTorchShare refuses a file whose small storage is claimed again and again.
func TestTorchShare(t *testing.T) {
	s := block("0", 1000)
	var items []any
	for i := range 500 {
		items = append(items, fmt.Sprint(i), []byte{'h', 0})
	}
	value := append(pickle(nil, s.tensor(0, []int{1000}, []int{1})), 'q', 0, '0')
	f := torchTest{append(value, ordered(items...)...), []torchBlock{s}}
	f.eachContainer(t, func(t *testing.T, _ *File, err error) { wantError(t, err, "more than 16 times the file's bytes") })
}

// TestTorchScattered refuses a column of a storage much larger than it.
func TestTorchScattered(t *testing.T) {
	n := 24 << 20
	s := torchBlock{"FloatStorage", "0", n, make([]byte, 4*n)}
	f := torchTest{ordered("w", s.tensor(0, []int{4}, []int{6 << 20})), []torchBlock{s}}
	_, err := openBytes(f.legacy())
	wantError(t, err, `tensor "w": its 16 bytes lie scattered over 75497476`)
}

// A counter counts what is read.
type counter struct {
	io.ReaderAt
	read int64
}

func (c *counter) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.read += int64(n)
	return n, err
}

// TestRanges opens files of 8 MB and reads a part of one tensor: nothing else is
// read, whatever the container.
func TestRanges(t *testing.T) {
	small, large := block("0", 1000), block("1", 2<<20)
	f := torchTest{ordered("small", small.tensor(0, []int{1000}, []int{1}), "large", large.tensor(0, []int{1 << 10, 1 << 11}, []int{1 << 11, 1})), []torchBlock{small, large}}
	var safe bytes.Buffer
	if err := WriteSafetensors(&safe, []Tensor{Float32Tensor("small", []int{1000}, make([]float32, 1000)), {"large", F32, []int{1 << 10, 1 << 11}, Data("", large.data).Write}}, nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"zip": f.zip(t), "legacy": f.legacy(), "safetensors": safe.Bytes()} {
		t.Run(name, func(t *testing.T) {
			r := &counter{ReaderAt: bytes.NewReader(data)}
			file, err := Open(r, int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			opening := r.read
			row := make([]float32, 1<<11)
			if err := file.Float32At("large", 5<<11, row); err != nil || row[0] != 5<<11 || row[2047] != 6<<11-1 {
				t.Errorf("row 5 is %v … %v, %v", row[0], row[2047], err)
			}
			t.Logf("opening read %d bytes, a row of %d bytes %d", opening, 4<<11, r.read-opening)
			if opening > 300<<10 || r.read-opening != 4<<11 {
				t.Errorf("opening read %d bytes, a row of %d bytes %d", opening, 4<<11, r.read-opening)
			}
		})
	}
}

// sameTensors compares two files, but for the tensors in except.
func sameTensors(t *testing.T, a, b *File, except ...string) {
	t.Helper()
	names := func(f *File) []string {
		return slices.Sorted(slices.Values(slices.DeleteFunc(f.Names(), func(s string) bool { return slices.Contains(except, s) })))
	}
	if x, y := names(a), names(b); !slices.Equal(x, y) {
		t.Fatalf("names %v and %v", x, y)
	}
	for _, name := range names(a) {
		x, _ := a.Info(name)
		y, _ := b.Info(name)
		if x.Dtype != y.Dtype || !slices.Equal(x.Shape, y.Shape) {
			t.Errorf("%s is %s %v and %s %v", name, x.Dtype, x.Shape, y.Dtype, y.Shape)
			continue
		}
		read := func(f *File) []byte {
			r, err := f.Reader(name)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		if !bytes.Equal(read(a), read(b)) {
			t.Errorf("%s has other values", name)
		}
	}
	t.Logf("%d tensors are the same", len(names(a)))
}

// TestTorchFixtures compares real files with the same tensors in safetensors.
func TestTorchFixtures(t *testing.T) {
	for _, test := range []struct{ dir, torch, safe string }{
		{"resnet18_width16", "model.pth", "model.safetensors"},
		{"resnet18_width16", "model_legacy.pth", "model.safetensors"},
		{"resnet_cifar10", "original/resnet20-12fca82f.th", "resnet20.safetensors"},
		{"roberta_tiny_synthetic", "pytorch_model.bin", "model.safetensors"},
	} {
		t.Run(test.torch, func(t *testing.T) {
			open := func(name string) *File {
				f, err := OpenFile(shared.Path(t, "fixtures", test.dir, name))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return f
			}
			sameTensors(t, open(test.torch), open(test.safe))
		})
	}
}
