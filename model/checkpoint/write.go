package checkpoint

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Tensor is a tensor to be written. Write is called once, when its turn
// comes, and must write the data in row-major order, little endian: exactly as
// many bytes as the element type and shape need.
type Tensor struct {
	Name  string
	Dtype Dtype
	Shape []int
	Write func(w io.Writer) error
}

// Float32Tensor is an F32 tensor of the given values.
func Float32Tensor(name string, shape []int, values []float32) Tensor {
	return Tensor{name, F32, shape, func(w io.Writer) error { return WriteFloat32(w, values) }}
}

// Int64Tensor is an I64 tensor of the given values.
func Int64Tensor(name string, shape []int, values []int64) Tensor {
	return Tensor{name, I64, shape, func(w io.Writer) error {
		return writeChunks(w, values, func(p []byte, x int64) []byte { return binary.LittleEndian.AppendUint64(p, uint64(x)) })
	}}
}

// WriteFloat32 writes values as F32 data, for a [Tensor]'s Write.
func WriteFloat32(w io.Writer, values []float32) error {
	if littleEndian() {
		_, err := w.Write(floatBytes(values))
		return err
	}
	return writeChunks(w, values, func(p []byte, x float32) []byte { return binary.LittleEndian.AppendUint32(p, math.Float32bits(x)) })
}

func writeChunks[T any](w io.Writer, values []T, put func([]byte, T) []byte) error {
	buffer := make([]byte, 0, chunkBytes)
	for part := range slices.Chunk(values, chunkBytes/8) {
		buffer = buffer[:0]
		for _, x := range part {
			buffer = put(buffer, x)
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// WriteSafetensors writes a safetensors file: the same tensors and metadata
// give the same bytes, whatever their order. Tensors are ordered by element
// type, largest alignment first, then by name, and the header is padded with
// spaces to a multiple of 8 bytes, as the reference implementation does, so
// that all data is aligned. metadata may be nil.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.Dtype, a.Dtype), cmp.Compare(a.Name, b.Name))
	})
	header, sizes, err := layout(tensors, metadata)
	if err != nil {
		return fmt.Errorf("checkpoint: writing safetensors: %w", err)
	}
	header = append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("checkpoint: writing safetensors: %w", err)
	}
	for i, t := range tensors {
		counted := &countingWriter{w: w, left: sizes[i]}
		err := t.Write(counted)
		if err == nil && counted.left > 0 {
			err = fmt.Errorf("%d of %d bytes are missing", counted.left, sizes[i])
		}
		if err != nil {
			return fmt.Errorf("checkpoint: writing tensor %.200q: %w", t.Name, err)
		}
	}
	return nil
}

// layout gives the padded header and the size of each tensor.
func layout(tensors []Tensor, metadata map[string]string) (header []byte, sizes []int64, err error) {
	seen := make(map[string]struct{}, len(tensors))
	var out strings.Builder
	out.WriteByte('{')
	if metadata != nil {
		if err := writeMetadata(&out, metadata); err != nil {
			return nil, nil, err
		}
	}
	var offset int64
	for _, t := range tensors {
		size, err := checkTensor(t, seen)
		if err == nil && size > math.MaxInt64-offset {
			err = errors.New("the file's size overflows")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %.200q: %w", t.Name, err)
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		quote(&out, t.Name)
		out.WriteString(`:{"dtype":"` + t.Dtype.String() + `","shape":[`)
		for i, n := range t.Shape {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(strconv.Itoa(n))
		}
		fmt.Fprintf(&out, `],"data_offsets":[%d,%d]}`, offset, offset+size)
		offset += size
		sizes = append(sizes, size)
	}
	out.WriteByte('}')
	for out.Len()%8 != 0 {
		out.WriteByte(' ')
	}
	if out.Len() > maxHeader {
		return nil, nil, fmt.Errorf("the header would have %d bytes; at most %d are read", out.Len(), maxHeader)
	}
	return []byte(out.String()), sizes, nil
}

func checkTensor(t Tensor, seen map[string]struct{}) (size int64, err error) {
	_, twice := seen[t.Name]
	seen[t.Name] = struct{}{}
	switch {
	case twice:
		return 0, errors.New("the name appears twice")
	case t.Name == metadataKey:
		return 0, errors.New("the name is taken by the metadata")
	case !utf8.ValidString(t.Name):
		return 0, errors.New("the name is not UTF-8")
	case !t.Dtype.known():
		return 0, fmt.Errorf("the element type %d is unknown", t.Dtype)
	case len(t.Shape) > maxRank:
		return 0, fmt.Errorf("more than %d dimensions", maxRank)
	case t.Write == nil:
		return 0, errors.New("it has no data")
	}
	return byteSize(t.Dtype, t.Shape)
}

func writeMetadata(out *strings.Builder, metadata map[string]string) error {
	quote(out, metadataKey)
	out.WriteString(":{")
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
			return fmt.Errorf("metadata %.80q: not UTF-8", key)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		quote(out, key)
		out.WriteByte(':')
		quote(out, metadata[key])
	}
	out.WriteByte('}')
	return nil
}

// quote writes a JSON string with no more escapes than JSON needs, as the
// reference implementation does.
func quote(out *strings.Builder, s string) {
	out.WriteByte('"')
	for i := range len(s) {
		c := s[i]
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			out.WriteByte('\\')
			out.WriteByte(`"\bfnrt`[at])
		} else if c < ' ' {
			fmt.Fprintf(out, `\u%04x`, c)
		} else {
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}

// A countingWriter refuses more bytes than a tensor has.
type countingWriter struct {
	w    io.Writer
	left int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, fmt.Errorf("%d bytes too many", int64(len(p))-c.left)
	}
	n, err := c.w.Write(p)
	c.left -= int64(n)
	return n, err
}
