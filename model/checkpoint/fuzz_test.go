package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// FuzzSafetensors opens anything and reads all that opens; what it reads must
// be written back to the same tensors.
func FuzzSafetensors(f *testing.F) {
	var out bytes.Buffer
	if err := WriteSafetensors(&out, []Tensor{
		Float32Tensor("a", []int{2, 1}, []float32{1, 2}), Int64Tensor("b", nil, []int64{3}), {"c", F16, []int{1}, Data("", []byte{0, 60}).Write},
	}, map[string]string{"format": "pt"}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(raw(`{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2],"more":[{"\u00e9":1e3}]}}  `, 1, 2))
	f.Add(raw(`{"__metadata__":{},"a":{"dtype":"BF16","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openSafetensors(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		tensors, total := readTensors(t, file)
		if start := int64(binary.LittleEndian.Uint64(data)) + 8; total+start != int64(len(data)) {
			t.Fatalf("tensors of %d bytes behind a header of %d in a file of %d", total, start, len(data))
		}
		if _, err := file.NonFinite(); err != nil {
			t.Fatal(err)
		}
		rewrite(t, file, tensors)
	})
}

// readTensors reads all tensors in every way and gives them to be written, and
// their bytes.
func readTensors(t *testing.T, file *File) (tensors []Tensor, total int64) {
	for _, name := range file.Names() {
		info, _ := file.Info(name)
		total += info.Bytes()
		if info.Dtype.Float() {
			if values, err := file.Float32(name, nil); err != nil || len(values) != info.Len() {
				t.Fatalf("%d values of %+v, %v", len(values), info, err)
			}
		}
		if info.Dtype.Int() {
			if values, err := file.Int64(name, nil); err == nil && len(values) != info.Len() {
				t.Fatalf("%d values of %+v", len(values), info)
			}
		}
		r, err := file.Reader(name)
		if err != nil {
			t.Fatal(err)
		}
		content := make([]byte, info.Bytes())
		if err := readAt(r, content, 0); err != nil && len(content) > 0 {
			t.Fatal(err)
		}
		tensors = append(tensors, Tensor{name, info.Dtype, info.Shape, Data("", content).Write})
	}
	return tensors, total
}

func rewrite(t *testing.T, file *File, tensors []Tensor) {
	var out bytes.Buffer
	if err := WriteSafetensors(&out, tensors, file.Metadata()); err != nil {
		t.Fatal(err)
	}
	again, err := openBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Names()) != len(tensors) {
		t.Fatalf("%d tensors became %d", len(tensors), len(again.Names()))
	}
	for _, tensor := range tensors {
		info, ok := again.Info(tensor.Name)
		if !ok || info.Dtype != tensor.Dtype || !slices.Equal(info.Shape, tensor.Shape) {
			t.Fatalf("%q of %v %v became %+v", tensor.Name, tensor.Dtype, tensor.Shape, info)
		}
		r, err := again.Reader(tensor.Name)
		if err != nil {
			t.Fatal(err)
		}
		var before, after bytes.Buffer
		if err := tensor.Write(&before); err != nil {
			t.Fatal(err)
		}
		if _, err := after.ReadFrom(r); err != nil || !bytes.Equal(before.Bytes(), after.Bytes()) {
			t.Fatalf("%q has other bytes (%v)", tensor.Name, err)
		}
	}
}

// FuzzPickle opens anything as PyTorch's files, in both containers; what it
// reads must be written as safetensors to the same tensors.
func FuzzPickle(f *testing.F) {
	for _, file := range torchFiles(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, open := range []func(io.ReaderAt, int64) (*File, error){openTorchZip, openTorchLegacy} {
			file, err := open(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				continue
			}
			tensors, total := readTensors(t, file)
			if len(tensors) == 0 || total > maxShare*int64(len(data)) {
				t.Fatalf("%d tensors of %d bytes in a file of %d", len(tensors), total, len(data))
			}
			if _, err := file.NonFinite(); err != nil {
				t.Fatal(err)
			}
			rewrite(t, file, tensors)
		}
	})
}

// FuzzZip opens anything as a model's zip and reads all that opens.
func FuzzZip(f *testing.F) {
	f.Add(zipped(f, sample("one")))
	f.Add(makeZip(f, zip.Store, "m/config.json", "{}", "m/model.safetensors", string(raw("{}"))))
	f.Add(makeZip(f, zip.Deflate, "config.json", "{}", "model.safetensors", string(raw("{}")), "a/b.txt", strings.Repeat("x", 1000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := openZipBytes(data)
		if err != nil {
			return
		}
		var config map[string]any
		_ = m.Config(&config)
		if w, err := m.Weights(); err == nil {
			for _, name := range w.Names() {
				_, _ = w.Float32(name, nil)
			}
		}
		_ = fs.WalkDir(m, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !fs.ValidPath(name) || strings.Contains(name, "..") && slices.Contains(strings.Split(name, "/"), "..") {
				t.Fatalf("a file is named %q", name)
			}
			if !e.IsDir() {
				_, _ = m.ReadFile(name)
			}
			return nil
		})
	})
}
