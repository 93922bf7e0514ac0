package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"unsafe"
)

// chunkBytes is how much is read at once for conversion; a multiple of every
// element's size.
const chunkBytes = 256 << 10

// Reader gives the raw bytes of a tensor, row-major.
func (f *File) Reader(name string) (*io.SectionReader, error) {
	info, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	r, err := f.reader(info)
	return r, inTensor(name, err)
}

// reader gives the tensor's bytes: where they lie, or, where they have strides,
// gathered in memory.
func (f *File) reader(i Info) (*io.SectionReader, error) {
	strides, r := f.strides[i.Name], f.parts[i.part]
	if strides == nil {
		return io.NewSectionReader(r, i.begin, i.Bytes()), nil
	}
	span := make([]byte, i.end-i.begin)
	if err := readAt(r, span, i.begin); err != nil {
		return nil, err
	}
	return io.NewSectionReader(bytes.NewReader(i.gather(span, strides)), 0, i.Bytes()), nil
}

// gather copies elements from their places in span to row-major order.
func (i Info) gather(span []byte, strides []int64) []byte {
	width := i.Dtype.Bits() / 8
	out := make([]byte, 0, i.Bytes())
	index := make([]int, len(i.Shape))
	at := int64(0) // the element at index
	for len(out) < cap(out) {
		begin := at * int64(width)
		out = append(out, span[begin:begin+int64(width)]...)
		for d := len(index) - 1; d >= 0; d-- {
			at += strides[d]
			if index[d]++; index[d] < i.Shape[d] {
				break
			}
			at -= int64(i.Shape[d]) * strides[d]
			index[d] = 0
		}
	}
	return out
}

func inTensor(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("checkpoint: tensor %.200q: %w", name, err)
}

func (f *File) lookup(name string) (Info, error) {
	info, ok := f.Info(name)
	if !ok {
		return info, fmt.Errorf("checkpoint: there is no tensor %.200q", name)
	}
	return info, nil
}

// Float32 reads a tensor of type F32, F16, BF16 or F64 (rounded to nearest)
// into dst, row-major, and returns it; dst is replaced where its capacity is too
// small, and may be nil. Values are not checked: see [File.NonFinite].
func (f *File) Float32(name string, dst []float32) ([]float32, error) {
	info, err := f.lookupFloat(name)
	if err != nil {
		return nil, err
	}
	dst = resize(dst, info.Len())
	return dst, f.Float32At(name, 0, dst)
}

// Float32At reads len(dst) values of such a tensor, from element at on, so that
// a large one need never be in memory whole.
func (f *File) Float32At(name string, at int, dst []float32) error {
	info, err := f.lookupFloat(name)
	if err != nil {
		return err
	}
	if at < 0 || at > info.Len()-len(dst) {
		return fmt.Errorf("checkpoint: tensor %.200q has %d elements, not %d from %d on", name, info.Len(), len(dst), at)
	}
	r, err := f.reader(info)
	if err == nil {
		width := int64(info.Dtype.Bits() / 8)
		err = floats(info.Dtype, io.NewSectionReader(r, int64(at)*width, int64(len(dst))*width), dst)
	}
	return inTensor(name, err)
}

// CopyFloat32 writes such a tensor as F32 data to w, a part at a time, for a
// [Tensor]'s Write.
func (f *File) CopyFloat32(w io.Writer, name string) error {
	info, err := f.lookupFloat(name)
	if err != nil {
		return err
	}
	r, err := f.reader(info)
	if err != nil {
		return inTensor(name, err)
	}
	values := make([]float32, min(info.Len(), chunkBytes/2))
	return inTensor(name, chunks(r, func(chunk []byte) error {
		return WriteFloat32(w, values[:toFloat32(info.Dtype, values, chunk)])
	}))
}

func (f *File) lookupFloat(name string) (Info, error) {
	info, err := f.lookup(name)
	if err == nil && !info.Dtype.Float() {
		err = fmt.Errorf("checkpoint: tensor %.200q is %s; only F32, F16, BF16 and F64 are read as floating point", name, info.Dtype)
	}
	return info, err
}

// Int64 reads a tensor of a whole-number type or BOOL into dst as
// [File.Float32] does. A U64 beyond the range of int64 is an error.
func (f *File) Int64(name string, dst []int64) ([]int64, error) {
	info, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	if !info.Dtype.Int() {
		return nil, fmt.Errorf("checkpoint: tensor %.200q is %s, not whole numbers", name, info.Dtype)
	}
	r, err := f.reader(info)
	if err != nil {
		return nil, inTensor(name, err)
	}
	dst = resize(dst, info.Len())
	i := 0
	err = chunks(r, func(chunk []byte) error {
		n, err := ints(info.Dtype, dst[i:], chunk)
		i += n
		return err
	})
	if err != nil {
		return nil, inTensor(name, err)
	}
	return dst, nil
}

// NonFinite lists the tensors that hold NaN or an infinity as float32, in the
// order of their data. It reads all of them, a part at a time.
func (f *File) NonFinite() ([]string, error) {
	var names []string
	values := make([]float32, chunkBytes/2)
	for _, info := range f.infos {
		if !info.Dtype.Float() {
			continue
		}
		bad := false
		r, err := f.reader(info)
		if err == nil {
			err = chunks(r, func(chunk []byte) error {
				n := toFloat32(info.Dtype, values, chunk)
				bad = bad || slices.ContainsFunc(values[:n], func(x float32) bool { return x-x != 0 })
				return nil
			})
		}
		if err != nil {
			return nil, inTensor(info.Name, err)
		}
		if bad {
			names = append(names, info.Name)
		}
	}
	return names, nil
}

func resize[T any](dst []T, n int) []T {
	if cap(dst) < n {
		return make([]T, n)
	}
	return dst[:n]
}

// floats reads all of r as dst.
func floats(d Dtype, r *io.SectionReader, dst []float32) error {
	if d == F32 && littleEndian() {
		return readAt(r, floatBytes(dst), 0)
	}
	return chunks(r, func(chunk []byte) error {
		dst = dst[toFloat32(d, dst, chunk):]
		return nil
	})
}

// chunks hands over all of r in order, whole elements at a time.
func chunks(r *io.SectionReader, use func([]byte) error) error {
	buffer := make([]byte, min(r.Size(), chunkBytes))
	for at := int64(0); at < r.Size(); at += int64(len(buffer)) {
		buffer = buffer[:min(r.Size()-at, chunkBytes)]
		if err := readAt(r, buffer, at); err != nil {
			return err
		}
		if err := use(buffer); err != nil {
			return err
		}
	}
	return nil
}

// toFloat32 converts whole elements and gives their number.
func toFloat32(d Dtype, dst []float32, data []byte) int {
	n := len(data) * 8 / d.Bits()
	dst = dst[:n]
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = half(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	}
	return n
}

// half converts an IEEE 754 binary16. Its 5 exponent bits move under float32's
// 8 by a shift; the multiplication by 2^112 (127-15) corrects the bias and
// normalises subnormals, exactly.
func half(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	magnitude := uint32(h&0x7fff) << 13
	if h&0x7c00 == 0x7c00 { // infinity, NaN
		return math.Float32frombits(sign | 0x7f800000 | magnitude)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}

// ints converts whole elements and gives their number.
func ints(d Dtype, dst []int64, data []byte) (int, error) {
	n := len(data) * 8 / d.Bits()
	dst = dst[:n]
	little := binary.LittleEndian
	for i := range dst {
		switch d {
		case BOOL, U8:
			dst[i] = int64(data[i])
		case I8:
			dst[i] = int64(int8(data[i]))
		case I16:
			dst[i] = int64(int16(little.Uint16(data[2*i:])))
		case U16:
			dst[i] = int64(little.Uint16(data[2*i:]))
		case I32:
			dst[i] = int64(int32(little.Uint32(data[4*i:])))
		case U32:
			dst[i] = int64(little.Uint32(data[4*i:]))
		case I64, U64:
			dst[i] = int64(little.Uint64(data[8*i:]))
			if d == U64 && dst[i] < 0 {
				return i, fmt.Errorf("the value %d does not fit 63 bits", uint64(dst[i]))
			}
		}
	}
	return n, nil
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// floatBytes views float32 values as bytes.
func floatBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
