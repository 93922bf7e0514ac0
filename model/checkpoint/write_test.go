package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	oracle "github.com/nlpodyssey/safetensors"
)

// TestGoldenBytes holds the writer to bytes worked out by hand from the
// specification and the reference implementation's order.
func TestGoldenBytes(t *testing.T) {
	tensors := []Tensor{
		{"z", U8, []int{3}, Data("", []byte{7, 8, 9}).Write},
		Float32Tensor("b", []int{1, 2}, []float32{1, -2}),
		Float32Tensor("a\"é\n\x01/<", nil, []float32{0.5}),
		Int64Tensor("n", []int{1}, []int64{-1}),
		Float32Tensor("empty", []int{0, 3}, nil),
	}
	header := `{"__metadata__":{"format":"pt","which":"tést"},` +
		`"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"a\"é\n\u0001/<":{"dtype":"F32","shape":[],"data_offsets":[8,12]},` +
		`"b":{"dtype":"F32","shape":[1,2],"data_offsets":[12,20]},` +
		`"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[20,20]},` +
		`"z":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := raw(header, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7, 8, 9)
	for range 5 {
		var out bytes.Buffer
		if err := WriteSafetensors(&out, tensors, map[string]string{"which": "tést", "format": "pt"}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("got  %q\nwant %q", out.Bytes(), want)
		}
		rand.Shuffle(len(tensors), func(i, j int) { tensors[i], tensors[j] = tensors[j], tensors[i] })
	}
	f, err := openBytes(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"n", "a\"é\n\x01/<", "b", "empty", "z"}) {
		t.Errorf("names %q", got)
	}
	if f.Metadata()["which"] != "tést" || len(f.Metadata()) != 2 {
		t.Errorf("metadata %v", f.Metadata())
	}
}

// TestEmptyFile has the bytes of the reference implementation's own test.
func TestEmptyFile(t *testing.T) {
	var out bytes.Buffer
	if err := WriteSafetensors(&out, nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := raw("{}      "); !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got %q, want %q", out.Bytes(), want)
	}
}

// TestWriterAgainstOracle writes random tensors of all types that the oracle
// knows, compares the bytes with its own, and lets it read ours.
func TestWriterAgainstOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		theirs := map[string]oracle.TensorView{}
		var ours []Tensor
		for i := range rng.IntN(12) {
			d := Dtype(rng.IntN(len(dtypes)))
			theirType, err := oracle.ParseDType(d.String())
			if err != nil {
				continue
			}
			shape, wide := []int{}, []uint64{}
			n := 1
			for range 1 + rng.IntN(3) { // the oracle takes no scalars
				side := rng.IntN(5)
				shape, wide, n = append(shape, side), append(wide, uint64(side)), n*side
			}
			data := make([]byte, n*d.Bits()/8)
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			name := string(rune('a'+rng.IntN(26))) + "." + string(rune('a'+i))
			view, err := oracle.NewTensorView(theirType, wide, data)
			if err != nil {
				t.Fatal(err)
			}
			theirs[name] = view
			ours = append(ours, Tensor{name, d, shape, Data("", data).Write})
		}
		compareWrites(t, theirs, ours)
	}
}

// compareWrites compares the data, which the oracle orders as we do (its header
// is in another order), and what the oracle reads of ours.
func compareWrites(t *testing.T, theirs map[string]oracle.TensorView, ours []Tensor) {
	metadata := map[string]string{"format": "pt"}
	want, err := oracle.Serialize(theirs, metadata)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteSafetensors(&out, ours, metadata); err != nil {
		t.Fatal(err)
	}
	got := out.Bytes()
	data := binary.LittleEndian.Uint64(want)
	if len(got) != len(want) || !bytes.Equal(got[8+data:], want[8+data:]) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	read, err := oracle.Deserialize(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range read.Tensors() {
		if want := theirs[tensor.Name]; !reflect.DeepEqual(tensor.TensorView, want) {
			t.Fatalf("the oracle reads %s as %v, want %v", tensor.Name, tensor.TensorView, want)
		}
	}
	if read.Len() != len(theirs) {
		t.Fatalf("the oracle reads %d tensors, want %d", read.Len(), len(theirs))
	}
}

func TestWriteErrors(t *testing.T) {
	x := func(name string, d Dtype, shape []int, data string) Tensor {
		return Tensor{name, d, shape, Data("", []byte(data)).Write}
	}
	var huge []Tensor
	for i := range 9 {
		huge = append(huge, x(string(rune('a'+i)), U8, []int{1 << 60}, ""))
	}
	tests := []struct {
		name     string
		tensors  []Tensor
		metadata map[string]string
		err      string
	}{
		{"name twice", []Tensor{x("a", U8, nil, "1"), x("a", I8, nil, "1")}, nil, `tensor "a": the name appears twice`},
		{"reserved name", []Tensor{x("__metadata__", U8, nil, "1")}, nil, "the name is taken by the metadata"},
		{"name is not UTF-8", []Tensor{x("\xff", U8, nil, "1")}, nil, "the name is not UTF-8"},
		{"metadata is not UTF-8", nil, map[string]string{"a": "\xff"}, `metadata "a": not UTF-8`},
		{"unknown type", []Tensor{x("a", 99, nil, "1")}, nil, "element type 99 is unknown"},
		{"negative", []Tensor{x("a", U8, []int{-1}, "1")}, nil, "negative dimension"},
		{"overflow", []Tensor{x("a", F64, []int{1 << 40, 1 << 40}, "1")}, nil, "overflows"},
		{"sum overflows", huge, nil, "the file's size overflows"},
		{"too many dimensions", []Tensor{x("a", U8, make([]int, 65), "")}, nil, "more than 64 dimensions"},
		{"half a byte", []Tensor{x("a", F4, []int{3}, "1")}, nil, "does not fill whole bytes"},
		{"no data", []Tensor{{"a", U8, nil, nil}}, nil, "it has no data"},
		{"too few bytes", []Tensor{x("a", F32, []int{2}, "1234567")}, nil, `writing tensor "a": 1 of 8 bytes are missing`},
		{"too many bytes", []Tensor{x("a", F32, []int{2}, "123456789")}, nil, `writing tensor "a": 1 bytes too many`},
		{"data fails", []Tensor{{"a", U8, nil, func(io.Writer) error { return errDisk }}}, nil, `writing tensor "a": the disk is broken`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantError(t, WriteSafetensors(io.Discard, test.tensors, test.metadata), test.err)
		})
	}
	long := make([]Tensor, 0, 2)
	for i := range 2 {
		long = append(long, x(string(bytes.Repeat([]byte{'a' + byte(i)}, maxHeader/2)), U8, nil, "1"))
	}
	wantError(t, WriteSafetensors(io.Discard, long, nil), "the header would have")
	full := writerFunc(func([]byte) (int, error) { return 0, errDisk })
	if err := WriteSafetensors(full, nil, nil); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestWriterStreams writes 256 MB of tensors that are made when they are
// asked for.
func TestWriterStreams(t *testing.T) {
	const n, count = 1 << 22, 16
	values := make([]float32, n)
	var tensors []Tensor
	for i := range count {
		tensors = append(tensors, Tensor{string(rune('a' + i)), F32, []int{n}, func(w io.Writer) error {
			values[0] = float32(i)
			return WriteFloat32(w, values)
		}})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var size, at int64
	var firsts []float32
	err := WriteSafetensors(writerFunc(func(p []byte) (int, error) {
		if size > 0 {
			if at%(4*n) == 0 {
				var first float32
				binary.Decode(p, binary.LittleEndian, &first)
				firsts = append(firsts, first)
			}
			at += int64(len(p))
		}
		size += int64(len(p))
		return len(p), nil
	}), tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if at != 4*n*count || len(firsts) != count || !slices.IsSorted(firsts) {
		t.Errorf("%d bytes, first values %v", at, firsts)
	}
	if kb := (after.TotalAlloc - before.TotalAlloc) >> 10; kb > 256 {
		t.Errorf("allocated %d kB beside the values", kb)
	}
}
