package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"slices"
	"unicode/utf8"
)

// The format is specified at https://github.com/huggingface/safetensors#format:
// the header's length as 8 bytes, little endian; the header, one JSON object
// from name to {dtype, shape, data_offsets}, padded with spaces; the data,
// row-major and little endian, which the tensors cover without holes.
const (
	// maxHeader bounds the header. (The reference implementation allows 100 MB;
	// the largest headers in use have about 1 MB.)
	maxHeader = 25 << 20
	// maxRank bounds the dimensions of a tensor; PyTorch and NumPy allow 64.
	maxRank = 64

	metadataKey = "__metadata__"
)

// Info describes a tensor of a file.
type Info struct {
	Name  string
	Dtype Dtype
	part  uint16 // of its file
	Shape []int  // outermost first; empty for a scalar

	begin, end int64 // of what the data spans in that part
}

// Len is the number of elements.
func (i Info) Len() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the tensor's data.
func (i Info) Bytes() int64 { return int64(i.Len()) * int64(i.Dtype.Bits()) / 8 }

// A File is an opened checkpoint: its list of tensors has been read and checked.
// Its methods may be called from several goroutines at once, as far as its
// reader allows that.
type File struct {
	parts    []io.ReaderAt // several where an index splits the weights
	infos    []Info        // in the order of their data
	byName   map[string]int
	strides  map[string][]int64 // in elements, of tensors that are not row-major
	metadata map[string]string
	closers  []io.Closer
}

// OpenFile opens a checkpoint on disk as [Open] does. The caller closes it.
func OpenFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	var r io.ReaderAt = f
	var closer io.Closer = f
	if err == nil {
		if m, unmap := mapFile(path, info.Size()); m != nil {
			f.Close()
			r, closer = m, unmap
		}
	}
	var file *File
	if err == nil {
		file, err = open(r, info.Size())
	}
	if err != nil {
		closer.Close()
		return nil, fmt.Errorf("checkpoint: reading %s: %w", path, err)
	}
	file.closers = append(file.closers, closer)
	return file, nil
}

// OpenFS opens a checkpoint in fsys as [Open] does, for where there is no disk.
// The caller closes it.
func OpenFS(fsys fs.FS, name string) (*File, error) {
	f, err := (&Model{files: fsys}).tensors(name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: reading %s: %w", name, err)
	}
	return f, nil
}

// Open opens a checkpoint of size bytes: safetensors, or a state dict as PyTorch
// saves it. Which it is, its first bytes tell.
//
// Of safetensors it reads the header, at most 25 MB, and no tensor. Refused are
// a header that is too long, longer than the file, or not one JSON object; names
// that appear twice or are not UTF-8; unknown element types; shapes that
// overflow; and data_offsets that do not fit the shapes, overlap, leave holes or
// do not end where the file ends. Alignment is not required.
//
// Of PyTorch's files it reads the pickle, at most 16 MB, by rules of its own:
// nothing is executed, and a pickle that names anything but tensors, storages
// and OrderedDict is refused by that name. So are storages that are missing or
// of another size than the pickle says, and tensors that lie outside theirs or
// whose elements share a place.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f, err := open(r, size)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return f, nil
}

func open(r io.ReaderAt, size int64) (*File, error) {
	first := make([]byte, min(size, int64(len(legacyMagic))))
	if err := readAt(r, first, 0); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(first, []byte("PK\x03\x04")):
		return openTorchZip(r, size)
	case bytes.Equal(first, legacyMagic), IsPickle(first) && (len(first) < 9 || first[8] != '{'):
		return openTorchLegacy(r, size)
	}
	return openSafetensors(r, size)
}

func openSafetensors(r io.ReaderAt, size int64) (*File, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("the file has %d bytes; a safetensors file begins with 8 bytes that give the header's length", size)
	}
	if err := readAt(r, prefix[:], 0); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader {
		return nil, fmt.Errorf("the header claims %d bytes; at most %d are read", length, maxHeader)
	}
	if rest := size - int64(len(prefix)); int64(length) > rest {
		return nil, fmt.Errorf("the header claims %d bytes, but only %d follow: the file is cut short or not safetensors", length, rest)
	}
	header := make([]byte, length)
	if err := readAt(r, header, int64(len(prefix))); err != nil {
		return nil, err
	}
	f := &File{parts: []io.ReaderAt{r}}
	if err := f.parseHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return f, f.place(int64(len(prefix))+int64(length), size)
}

// readAt fills p. Some readers give io.EOF with the last byte.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (f *File) parseHeader(header []byte) error {
	if len(header) == 0 || header[0] != '{' {
		return errors.New("it does not begin with '{'")
	}
	if !utf8.Valid(header) {
		return errUTF8
	}
	body := bytes.TrimRight(header, " ")
	s := &scanner{data: body}
	err := s.object(func(key string) error {
		if key == metadataKey {
			return f.parseMetadata(s)
		}
		info, err := parseInfo(s, key)
		if err != nil {
			return fmt.Errorf("tensor %.200q: %w", key, err)
		}
		f.infos = append(f.infos, info)
		return nil
	})
	if err == nil && s.pos < len(body) {
		err = errors.New("only spaces may follow the object")
	}
	return err
}

func (f *File) parseMetadata(s *scanner) error {
	if s.peek() != '{' {
		return fmt.Errorf("%s: want an object from string to string, found %s", metadataKey, s.found())
	}
	f.metadata = map[string]string{}
	return s.object(func(key string) error {
		value, err := s.text()
		if err != nil {
			return fmt.Errorf("%s: %.80q: %w", metadataKey, key, err)
		}
		f.metadata[key] = value
		return nil
	})
}

// parseInfo reads {"dtype":…,"shape":…,"data_offsets":…}. Other members are
// passed over, as the reference implementation does.
func parseInfo(s *scanner, name string) (Info, error) {
	info := Info{Name: name}
	var have struct{ dtype, shape, offsets bool }
	if s.peek() != '{' {
		return info, fmt.Errorf("want an object with dtype, shape and data_offsets, found %s", s.found())
	}
	err := s.object(func(key string) (err error) {
		switch key {
		case "dtype":
			have.dtype = true
			info.Dtype, err = s.dtype()
		case "shape":
			have.shape = true
			info.Shape, err = s.shape()
		case "data_offsets":
			have.offsets = true
			info.begin, info.end, err = s.offsets()
		default:
			err = s.value()
		}
		if err != nil {
			return fmt.Errorf("%.40s: %w", key, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return info, err
	case !have.dtype:
		return info, errors.New("dtype is missing")
	case !have.shape:
		return info, errors.New("shape is missing")
	case !have.offsets:
		return info, errors.New("data_offsets is missing")
	}
	return info, info.check()
}

func (s *scanner) dtype() (Dtype, error) {
	name, err := s.text()
	if err != nil {
		return 0, err
	}
	d, ok := parseDtype(name)
	if !ok {
		return 0, fmt.Errorf("%.40q is not an element type of safetensors", name)
	}
	return d, nil
}

func (s *scanner) shape() ([]int, error) {
	var shape []int
	err := s.array(func(i int) error {
		if i == maxRank {
			return fmt.Errorf("more than %d dimensions", maxRank)
		}
		n, err := s.natural()
		shape = append(shape, n)
		return err
	})
	return shape, err
}

func (s *scanner) offsets() (begin, end int64, err error) {
	var two [2]int64
	count := 0
	err = s.array(func(i int) error {
		n, err := s.natural()
		if i < len(two) {
			two[i] = int64(n)
		}
		count++
		return err
	})
	if err == nil && count != len(two) {
		err = fmt.Errorf("want two numbers, found %d", count)
	}
	return two[0], two[1], err
}

// check compares the extent of the data with the shape.
func (i Info) check() error {
	want, err := byteSize(i.Dtype, i.Shape)
	switch {
	case err != nil:
		return err
	case i.end < i.begin:
		return fmt.Errorf("data_offsets [%d, %d] run backwards", i.begin, i.end)
	case i.end-i.begin != want:
		return fmt.Errorf("data_offsets [%d, %d] give %d bytes, but %s of shape %v needs %d", i.begin, i.end, i.end-i.begin, i.Dtype, i.Shape, want)
	}
	return nil
}

// byteSize gives the size of a tensor's data. Like the reference
// implementation it multiplies in order, so a shape that overflows before a
// zero is refused.
func byteSize(d Dtype, shape []int) (int64, error) {
	size := uint64(1)
	for _, n := range shape {
		if n < 0 {
			return 0, fmt.Errorf("the shape %v has a negative dimension", shape)
		}
		var high uint64
		if high, size = bits.Mul64(size, uint64(n)); high != 0 {
			return 0, fmt.Errorf("the shape %v overflows", shape)
		}
	}
	high, size := bits.Mul64(size, uint64(d.Bits()))
	if high != 0 || size/8 > math.MaxInt64 || size/8 > math.MaxInt {
		return 0, fmt.Errorf("the shape %v overflows", shape)
	}
	if size%8 != 0 {
		return 0, fmt.Errorf("%s of shape %v does not fill whole bytes", d, shape)
	}
	return int64(size / 8), nil
}

// place orders the tensors as they lie in the data, which begins at start, and
// checks that they cover it exactly.
func (f *File) place(start, fileSize int64) error {
	size := fileSize - start
	slices.SortFunc(f.infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	f.byName = make(map[string]int, len(f.infos))
	var covered int64
	for i, info := range f.infos {
		switch {
		case info.begin < covered:
			return fmt.Errorf("tensor %.200q begins at %d, inside tensor %.200q, which ends at %d", info.Name, info.begin, f.infos[i-1].Name, covered)
		case info.begin > covered:
			return fmt.Errorf("tensor %.200q begins at %d, but the data before it ends at %d: no tensor has the bytes between", info.Name, info.begin, covered)
		case info.end > size:
			return fmt.Errorf("tensor %.200q ends at %d, but the file has only %d bytes of data: it is cut short", info.Name, info.end, size)
		}
		covered = info.end
		f.byName[info.Name] = i
		f.infos[i].begin, f.infos[i].end = start+info.begin, start+info.end
	}
	if covered != size {
		return fmt.Errorf("the tensors end at %d, but the file has %d bytes of data", covered, size)
	}
	return nil
}

// Names lists the tensors in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.infos))
	for i, info := range f.infos {
		names[i] = info.Name
	}
	return names
}

// Info describes the tensor of that name; ok is false where there is none.
func (f *File) Info(name string) (info Info, ok bool) {
	i, ok := f.byName[name]
	if !ok {
		return Info{}, false
	}
	return f.infos[i], true
}

// Metadata is the header's map of strings, nil where it has none. Callers must
// not change it.
func (f *File) Metadata() map[string]string { return f.metadata }

// Close closes what [OpenFile], [OpenFS] or [Model.Weights] opened; after [Open] it does
// nothing.
func (f *File) Close() error {
	var err error
	for _, c := range f.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}
