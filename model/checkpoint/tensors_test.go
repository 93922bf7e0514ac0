package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
)

// one is a file of a single tensor "a" of n elements.
func one(t testing.TB, d Dtype, n int, data []byte) *File {
	t.Helper()
	f, err := openBytes(raw(fmt.Sprintf(`{"a":{"dtype":"%s","shape":[%d],"data_offsets":[0,%d]}}`, d, n, len(data)), data...))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHalf compares every binary16 with its definition: (-1)^s 2^(e-15) (1+m/1024),
// and (-1)^s 2^-14 m/1024 for e = 0.
func TestHalf(t *testing.T) {
	var data []byte
	for h := range 1 << 16 {
		data = binary.LittleEndian.AppendUint16(data, uint16(h))
	}
	got, err := one(t, F16, 1<<16, data).Float32("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	for h, x := range got {
		sign, e, m := float64(1-2*(h>>15)), h>>10&31, float64(h&1023)
		want := sign * math.Ldexp(1+m/1024, e-15)
		if e == 0 {
			want = sign * math.Ldexp(m/1024, -14)
		}
		switch {
		case e == 31 && m != 0:
			if !math.IsNaN(float64(x)) {
				t.Fatalf("%#04x is %g, want NaN", h, x)
			}
			continue
		case e == 31:
			want = sign * math.Inf(1)
		}
		if float64(x) != want || math.Signbit(float64(x)) != (h>>15 == 1) {
			t.Fatalf("%#04x is %g, want %g", h, x, want)
		}
	}
}

func TestFloat32(t *testing.T) {
	little := binary.LittleEndian
	f32 := func(xs ...float32) (p []byte) {
		for _, x := range xs {
			p = little.AppendUint32(p, math.Float32bits(x))
		}
		return p
	}
	f64 := func(xs ...float64) (p []byte) {
		for _, x := range xs {
			p = little.AppendUint64(p, math.Float64bits(x))
		}
		return p
	}
	tests := []struct {
		name  string
		dtype Dtype
		data  []byte
		want  []float32
	}{
		{"F32", F32, f32(0, -1.5, math.MaxFloat32), []float32{0, -1.5, math.MaxFloat32}},
		{"F64 rounds", F64, f64(0.1, -2, 1e300, 1e-300), []float32{0.1, -2, float32(math.Inf(1)), 0}},
		{"BF16", BF16, []byte{0x80, 0x3f, 0x49, 0xc0}, []float32{1, -3.140625}},
		{"empty", F32, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := one(t, test.dtype, len(test.want), test.data)
			got, err := f.Float32("a", nil)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
			values := make([]float32, len(test.want))
			toFloat32(test.dtype, values, test.data) // the way of big-endian machines
			if !slices.Equal(values, test.want) {
				t.Errorf("converted %v; want %v", values, test.want)
			}
		})
	}
	for d := range Dtype(len(dtypes)) {
		if !d.Float() {
			_, err := one(t, d, 8, make([]byte, d.Bits())).Float32("a", nil)
			wantError(t, err, fmt.Sprintf(`tensor "a" is %s; only F32`, d))
		}
	}
	_, err := one(t, F32, 0, nil).Float32("b", nil)
	wantError(t, err, `there is no tensor "b"`)
}

func TestFloat32ReusesMemory(t *testing.T) {
	f := one(t, F32, 4, make([]byte, 16))
	buffer := make([]float32, 9)
	buffer[0], buffer[8] = 1, 1
	got, err := f.Float32("a", buffer[:0])
	if err != nil || len(got) != 4 || &got[0] != &buffer[0] || buffer[0] != 0 || buffer[8] != 1 {
		t.Errorf("got %v in %v, %v", got, buffer, err)
	}
	if got, err = f.Float32("a", make([]float32, 1, 3)); err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestInt64(t *testing.T) {
	bits := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0}
	tests := []struct {
		dtype Dtype
		data  []byte
		want  []int64
	}{
		{BOOL, []byte{0, 1}, []int64{0, 1}},
		{U8, bits[:2], []int64{254, 255}},
		{I8, bits[:2], []int64{-2, -1}},
		{U16, bits[:4], []int64{65534, 65535}},
		{I16, bits[:4], []int64{-2, -1}},
		{U32, bits[:8], []int64{1<<32 - 2, 1<<32 - 1}},
		{I32, bits[:8], []int64{-2, -1}},
		{I64, bits, []int64{-2, 1}},
		{U64, bits[8:], []int64{1}},
	}
	for _, test := range tests {
		got, err := one(t, test.dtype, len(test.want), test.data).Int64("a", nil)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, %v; want %v", test.dtype, got, err, test.want)
		}
	}
	_, err := one(t, U64, 2, bits).Int64("a", nil)
	wantError(t, err, "18446744073709551614 does not fit")
	_, err = one(t, F32, 4, bits).Int64("a", nil)
	wantError(t, err, `tensor "a" is F32, not whole numbers`)
}

// TestChunks reads tensors that are longer than a chunk, in every type whose
// size matters.
func TestChunks(t *testing.T) {
	const n = chunkBytes + 3
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i*i%1999 - 999)
	}
	var out bytes.Buffer
	halves := Tensor{"b", BF16, []int{n}, nil}
	floats := make([]float32, n)
	for i, v := range values {
		floats[i] = float32(v)
	}
	halves.Write = func(w io.Writer) error {
		return writeChunks(w, floats, func(p []byte, x float32) []byte {
			return binary.LittleEndian.AppendUint16(p, uint16(math.Float32bits(x)>>16))
		})
	}
	if err := WriteSafetensors(&out, []Tensor{Int64Tensor("a", []int{n}, values), halves}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := openBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Int64("a", nil); err != nil || !slices.Equal(got, values) {
		t.Errorf("int64 values differ (%v)", err)
	}
	got, err := f.Float32("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range got {
		if want := math.Float32frombits(math.Float32bits(floats[i]) >> 16 << 16); x != want {
			t.Fatalf("value %d is %g, want %g", i, x, want)
		}
	}
}

func TestNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	var out bytes.Buffer
	long := make([]float32, chunkBytes)
	long[len(long)-1] = inf
	err := WriteSafetensors(&out, []Tensor{
		Float32Tensor("good", []int{2}, []float32{1, math.MaxFloat32}), Float32Tensor("nan", []int{2}, []float32{1, nan}),
		Float32Tensor("long", []int{len(long)}, long), Int64Tensor("whole", []int{1}, []int64{-1}),
		{"wide", F64, []int{1}, func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, 1e39) }},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := openBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.NonFinite()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := []string{"long", "nan", "wide"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func BenchmarkFloat32(b *testing.B) {
	for _, d := range []Dtype{F32, F16, BF16, F64} {
		b.Run(d.String(), func(b *testing.B) {
			const n = 1 << 20
			f := one(b, d, n, make([]byte, n*d.Bits()/8))
			dst := make([]float32, n)
			b.SetBytes(int64(n * d.Bits() / 8))
			for b.Loop() {
				if _, err := f.Float32("a", dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
