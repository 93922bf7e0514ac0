package checkpoint

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	oracle "github.com/nlpodyssey/safetensors"

	"duet/model/shared"
)

func TestOpen(t *testing.T) {
	sixteen := make([]byte, 16)
	tests := []struct {
		name string
		file []byte
		err  string
	}{
		{"no tensor", raw(`{}`), ""},
		{"no tensor, padded", raw(`{}      `), ""},
		{"metadata only", raw(`{"__metadata__":{"a":"b"}}`), ""},
		{"one tensor", raw(`{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`, sixteen...), ""},
		{"members in another order", raw(`{"a":{"data_offsets":[0,16],"shape":[2,2],"dtype":"F32"}}`, sixteen...), ""},
		{"a member that is not known", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16],"more":[{"x":null}]}}`, sixteen...), ""},
		{"scalar", raw(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1), ""},
		{"not aligned", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, sixteen[:5]...), ""},
		{"names out of order", raw(`{"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, sixteen...), ""},
		{"empty tensor between", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"c":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, sixteen...), ""},
		{"four bits", raw(`{"a":{"dtype":"F4","shape":[32],"data_offsets":[0,16]}}`, sixteen...), ""},
		{"six bits", raw(`{"a":{"dtype":"F6_E2M3","shape":[8],"data_offsets":[0,6]}}`, sixteen[:6]...), ""},
		{"64 dimensions", raw(`{"a":{"dtype":"U8","shape":[1`+strings.Repeat(",1", 63)+`],"data_offsets":[0,1]}}`, 0), ""},

		{"nothing", nil, "the file has 0 bytes"},
		{"seven bytes", make([]byte, 7), "the file has 7 bytes"},
		{"no header", make([]byte, 8), "does not begin with '{'"},
		{"header too large", append([]byte{0, 0, 0, 0, 1, 0, 0, 0}, sixteen...), "claims 4294967296 bytes; at most"},
		{"header beyond the file", append([]byte{17, 0, 0, 0, 0, 0, 0, 0}, sixteen...), "claims 17 bytes, but only 16 follow"},
		{"blank before the object", raw(` {}`), "does not begin with '{'"},
		{"array", raw(`[]`), "does not begin with '{'"},
		{"tab after the object", raw("{}\t"), "only spaces may follow"},
		{"second object", raw(`{}{}`), "only spaces may follow"},
		{"not UTF-8", raw("{\"\xff\":{}}"), "not UTF-8"},
		{"half a character", raw(`{"\ud800":{}}`), "half a character"},
		{"open object", raw(`{"a":{"dtype":"U8"`), `tensor "a": line 1: not JSON: want ',' or '}'`},
		{"name twice", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, sixteen...), `the key "a" appears twice`},
		{"name twice by escape", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"\u0061":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, sixteen...), `the key "a" appears twice`},
		{"member twice", raw(`{"a":{"dtype":"U8","dtype":"U8","shape":[16],"data_offsets":[0,16]}}`, sixteen...), `tensor "a": the key "dtype" appears twice`},
		{"metadata twice", raw(`{"__metadata__":{},"__metadata__":{}}`), "appears twice"},
		{"metadata key twice", raw(`{"__metadata__":{"a":"b","a":"b"}}`), `the key "a" appears twice`},
		{"metadata of numbers", raw(`{"__metadata__":{"a":1}}`), `__metadata__: "a": line 1: not JSON: want a string, found "1"`},
		{"metadata is a list", raw(`{"__metadata__":[]}`), "__metadata__: want an object"},
		{"metadata is null", raw(`{"__metadata__":null}`), "__metadata__: want an object"},
		{"tensor is null", raw(`{"a":null}`), `tensor "a": want an object`},
		{"deep", raw(`{"a":{"more":` + strings.Repeat("[", 5000)), "nested deeper than 64"},
		{"no dtype", raw(`{"a":{"shape":[16],"data_offsets":[0,16]}}`, sixteen...), `tensor "a": dtype is missing`},
		{"no shape", raw(`{"a":{"dtype":"U8","data_offsets":[0,16]}}`, sixteen...), `tensor "a": shape is missing`},
		{"no offsets", raw(`{"a":{"dtype":"U8","shape":[16]}}`, sixteen...), `tensor "a": data_offsets is missing`},
		{"unknown dtype", raw(`{"a":{"dtype":"F77","shape":[16],"data_offsets":[0,16]}}`, sixteen...), `tensor "a": dtype: "F77" is not an element type`},
		{"dtype in lower case", raw(`{"a":{"dtype":"f32","shape":[4],"data_offsets":[0,16]}}`, sixteen...), `"f32" is not an element type`},
		{"dtype is a number", raw(`{"a":{"dtype":5,"shape":[4],"data_offsets":[0,16]}}`, sixteen...), "dtype: line 1: not JSON: want a string"},
		{"shape is a number", raw(`{"a":{"dtype":"U8","shape":16,"data_offsets":[0,16]}}`, sixteen...), "shape: line 1: not JSON: want '['"},
		{"fraction", raw(`{"a":{"dtype":"U8","shape":[1.6e1],"data_offsets":[0,16]}}`, sixteen...), "shape: 1.6e1 is not a whole number"},
		{"negative", raw(`{"a":{"dtype":"U8","shape":[-16],"data_offsets":[0,16]}}`, sixteen...), "shape: -16 is not a whole number"},
		{"beyond 64 bits", raw(`{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,16]}}`, sixteen...), "shape: 99999999999999999999 is not"},
		{"65 dimensions", raw(`{"a":{"dtype":"U8","shape":[1`+strings.Repeat(",1", 64)+`],"data_offsets":[0,1]}}`, 0), "more than 64 dimensions"},
		{"shape overflows", raw(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`), "overflows"},
		{"shape overflows before a zero", raw(`{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`), "overflows"},
		{"bits overflow", raw(`{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}`), "overflows"},
		{"half a byte", raw(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 0), "does not fill whole bytes"},
		{"one offset", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0]}}`, sixteen...), "want two numbers, found 1"},
		{"three offsets", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16,16]}}`, sixteen...), "want two numbers, found 3"},
		{"offsets backwards", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[16,0]}}`, sixteen...), "run backwards"},
		{"offsets do not fit", raw(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}`, sixteen...), `tensor "a": data_offsets [0, 16] give 16 bytes, but F32 of shape [3] needs 12`},
		{"overlap", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[12],"data_offsets":[4,16]}}`, sixteen...), `tensor "b" begins at 4, inside tensor "a"`},
		{"the same bytes twice", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}}`, sixteen...), "inside tensor"},
		{"empty tensor inside", raw(`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`, sixteen...), "inside tensor"},
		{"hole", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, sixteen...), `tensor "b" begins at 8, but the data before it ends at 4`},
		{"hole at the front", raw(`{"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, sixteen...), "no tensor has the bytes between"},
		{"past the end", raw(`{"a":{"dtype":"U8","shape":[17],"data_offsets":[0,17]}}`, sixteen...), "only 16 bytes of data: it is cut short"},
		{"bytes left over", raw(`{"a":{"dtype":"U8","shape":[15],"data_offsets":[0,15]}}`, sixteen...), "the tensors end at 15, but the file has 16"},
		{"no tensor but bytes", raw(`{}`, 1), "the tensors end at 0, but the file has 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := openBytes(test.file)
			wantError(t, err, test.err)
		})
	}
}

// TestOpenReadsTheHeaderOnly claims a size far beyond the data.
func TestOpenReadsTheHeaderOnly(t *testing.T) {
	const tensor = 1 << 40
	file := raw(fmt.Sprintf(`{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, tensor, tensor))
	within(t, func() {
		f, err := Open(bytes.NewReader(file), int64(len(file))+tensor)
		if err != nil {
			t.Fatal(err)
		}
		if info, ok := f.Info("a"); !ok || info.Bytes() != tensor || info.Len() != tensor {
			t.Errorf("got %+v", info)
		}
	})
}

// TestLargeHeader opens the largest header there may be, of tensors as small
// as they can be.
func TestLargeHeader(t *testing.T) {
	if testing.Short() {
		t.Skip("25 MB")
	}
	var header strings.Builder
	header.WriteByte('{')
	n := 0
	for ; header.Len() < maxHeader-100; n++ {
		if n > 0 {
			header.WriteByte(',')
		}
		fmt.Fprintf(&header, `"%x":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]}`, n, n, n+1)
	}
	header.WriteByte('}')
	file := raw(header.String(), make([]byte, n)...)
	within(t, func() {
		f, err := openBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(f.Names()); got != n {
			t.Errorf("%d tensors, want %d", got, n)
		}
	})
}

// TestHostile opens every checkpoint of the fixtures and holds it to the verdict
// beside it.
func TestHostile(t *testing.T) {
	dir := shared.Path(t, "fixtures", "hostile")
	table, err := os.ReadFile(filepath.Join(dir, "hostile.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) < 3 || columns[1] != "safetensors" && columns[1] != "pth" {
			continue
		}
		count++
		t.Run(columns[0], func(t *testing.T) {
			within(t, func() {
				file := filepath.Join(dir, filepath.FromSlash(columns[0]))
				verdict, err := "accept", checkFile(t, file)
				if err != nil {
					verdict = "refuse"
					if !strings.Contains(err.Error(), file) {
						t.Errorf("the error does not name the file: %v", err)
					}
					t.Log(err)
				}
				if !slices.Contains(strings.Split(columns[2], "|"), verdict) {
					t.Errorf("verdict %s, want %s", verdict, columns[2])
				}
			})
		})
	}
	if count < 37 {
		t.Errorf("only %d checkpoints in hostile.tsv", count)
	}
}

// checkFile reads a file whole.
func checkFile(t *testing.T, path string) error {
	f, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, name := range f.Names() {
		if info, _ := f.Info(name); info.Dtype.Float() {
			if _, err := f.Float32(name, nil); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	bad, err := f.NonFinite()
	if strings.Contains(path, "nan_weights") != slices.Equal(bad, []string{"fc.weight"}) {
		t.Errorf("non-finite tensors of %s: %v", path, bad)
	}
	return err
}

// TestSharedFiles reads every safetensors file of the fixtures and compares it
// with what the oracle reads, byte for byte.
func TestSharedFiles(t *testing.T) {
	count := 0
	err := filepath.WalkDir(shared.Path(t, "fixtures"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == "hostile" {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".safetensors" {
			return err
		}
		count++
		return compareWithOracle(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 15 {
		t.Errorf("only %d files", count)
	}
}

func compareWithOracle(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	want, err := oracle.Deserialize(data)
	if err != nil {
		return err
	}
	f, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if got := f.Names(); len(got) != want.Len() || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want.Names()))) {
		return fmt.Errorf("%s: names %v, want %v", path, got, want.Names())
	}
	for _, tensor := range want.Tensors() {
		info, _ := f.Info(tensor.Name)
		if info.Dtype.String() != tensor.TensorView.DType().String() || fmt.Sprint(info.Shape) != fmt.Sprint(tensor.TensorView.Shape()) {
			return fmt.Errorf("%s: %s is %v %v, want %v %v", path, tensor.Name, info.Dtype, info.Shape, tensor.TensorView.DType(), tensor.TensorView.Shape())
		}
		r, err := f.Reader(tensor.Name)
		if err != nil {
			return err
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, tensor.TensorView.Data()) {
			return fmt.Errorf("%s: %s: other bytes than the oracle's (%v)", path, tensor.Name, err)
		}
	}
	return nil
}

// A failingReader fails beyond limit.
type failingReader struct {
	data  []byte
	limit int64
}

var errDisk = errors.New("the disk is broken")

func (r failingReader) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > r.limit {
		return 0, errDisk
	}
	return bytes.NewReader(r.data).ReadAt(p, offset)
}

func TestReadErrors(t *testing.T) {
	file := raw(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, make([]byte, 16)...)
	size := int64(len(file))
	for _, limit := range []int64{0, 8} {
		if _, err := Open(failingReader{file, limit}, size); !errors.Is(err, errDisk) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	f, err := Open(failingReader{file, size - 1}, size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("a", nil); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if _, err := f.NonFinite(); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if f, err = Open(bytes.NewReader(file[:size-1]), size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("a", nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	_, err := OpenFile(dir)
	wantError(t, err, "not a regular file")
}
