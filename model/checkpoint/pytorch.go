package checkpoint

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"path"
	"slices"
	"strings"
)

// PyTorch writes a pickle of the state dict, in which a tensor is a storage's
// key with offset, shape and strides, and the storages' bytes. torch.save puts
// both into a zip, stored, since version 1.6; before that it wrote one file of
// consecutive pickles followed by the storages. (torch/serialization.py)

const (
	maxTorchEntries   = 50_000   // of a zip; one a tensor
	maxTorchDirectory = 16 << 20 // bytes of its list of entries
	maxTensors        = 50_000
	maxKey            = 4096 // bytes of a tensor's name, which a pickle may give to all of them
	// Tied weights are two tensors of one storage. More than maxShare times the
	// file's bytes are no checkpoint.
	maxShare = 16
	// A tensor with strides is read together with what lies between its elements:
	// freeSpan bytes, or maxSpan times its own.
	freeSpan = 64 << 20
	maxSpan  = 4
)

// legacyMagic is how the container before version 1.6 begins: the pickle of a
// magic number.
var legacyMagic = []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e")

const legacyVersion = int64(1001)

// A torchStorage is a block of elements of one type.
type torchStorage struct {
	dtype Dtype
	len   int64 // elements
	at    int64 // where its bytes begin in the file, -1 where they were not found
}

func (s *torchStorage) bytes() int64 { return s.len * int64(s.dtype.Bits()/8) }

// A torchView is a part of a storage. (A whole one since version 0.4.)
type torchView struct {
	*torchStorage
	first, len int64
}

// A torchTensor is a tensor before its storage's place is known. first and
// strides count elements of the storage; used is how many the tensor spans.
type torchTensor struct {
	storage     *torchStorage
	shape       []int
	strides     []int64
	first, used int64
}

// A torchReader collects the storages that a pickle names.
type torchReader struct{ storages map[string]*torchStorage }

// view resolves a persistent id: ('storage', type, key, location, length) and
// perhaps (key of the view, first, length).
func (t *torchReader) view(id any) (any, error) {
	const malformed = "a persistent id is none of a storage"
	parts, ok := id.(tuple)
	if !ok || len(parts) < 5 || len(parts) > 6 || parts[0] != "storage" {
		return nil, errors.New(malformed)
	}
	kind, _ := parts[1].(name)
	key, isKey := parts[2].(string)
	length, isLength := parts[4].(int64)
	dtype, isStorage := storages[string(kind)]
	switch {
	case !isStorage || !isKey || !isLength || length < 0:
		return nil, errors.New(malformed)
	case length > 1<<56:
		return nil, fmt.Errorf("the storage %.40q claims %d elements", key, length)
	}
	s := t.storages[key]
	if s == nil {
		s = &torchStorage{dtype, length, -1}
		t.storages[key] = s
	}
	if s.dtype != dtype || s.len != length {
		return nil, fmt.Errorf("the storage %.40q is %d elements of %s in one place and %d of %s in another", key, s.len, s.dtype, length, dtype)
	}
	v := &torchView{s, 0, length}
	if len(parts) == 6 && parts[5] != nil {
		part, _ := parts[5].(tuple)
		if len(part) != 3 {
			return nil, errors.New(malformed)
		}
		first, isFirst := part[1].(int64)
		n, isLength := part[2].(int64)
		if !isFirst || !isLength || first < 0 || n < 0 || first > length || n > length-first {
			return nil, fmt.Errorf("a view of the storage %.40q lies outside", key)
		}
		v.first, v.len = first, n
	}
	return v, nil
}

// rebuildTensor takes (storage, offset, size, stride, …); what follows says how
// the tensor was trained.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor without storage, offset, size and strides")
	}
	view, isView := args[0].(*torchView)
	offset, isOffset := args[1].(int64)
	size, isSize := args[2].(tuple)
	steps, isSteps := args[3].(tuple)
	if !isView || !isOffset || !isSize || !isSteps || len(size) != len(steps) {
		return nil, errors.New("a tensor whose storage, offset, size and strides are not of their types")
	}
	if len(size) > maxRank {
		return nil, fmt.Errorf("a tensor of %d dimensions; at most %d are read", len(size), maxRank)
	}
	t := &torchTensor{storage: view.torchStorage, shape: make([]int, len(size)), strides: make([]int64, len(size)), used: 1}
	for i := range size {
		d, isInt := size[i].(int64)
		step, isStep := steps[i].(int64)
		if !isInt || !isStep || d < 0 || step < 0 {
			return nil, errors.New("a tensor's size or stride is no whole number from 0 on")
		}
		t.shape[i], t.strides[i] = int(d), step
	}
	if _, err := byteSize(view.dtype, t.shape); err != nil {
		return nil, err
	}
	n := int64(Info{Shape: t.shape}.Len())
	if n == 0 {
		t.used, offset = 0, 0
	}
	for i, d := range t.shape {
		if n == 0 {
			break
		}
		high, low := bits.Mul64(uint64(d-1), uint64(t.strides[i]))
		if high != 0 || low > uint64(view.len) {
			return nil, fmt.Errorf("a tensor of size %v and strides %v lies outside its storage of %d elements", t.shape, t.strides, view.len)
		}
		t.used += int64(low)
	}
	switch {
	case offset < 0 || offset > view.len || t.used > view.len-offset:
		return nil, fmt.Errorf("a tensor of size %v and strides %v from %d on lies outside its storage of %d elements", t.shape, t.strides, offset, view.len)
	case n > t.used:
		return nil, fmt.Errorf("a tensor of size %v and strides %v has elements that share a place, which no weights have", t.shape, t.strides)
	}
	t.first = view.first + offset
	return t, nil
}

// rebuildParameter takes (tensor, requires_grad, hooks).
func rebuildParameter(args tuple) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*torchTensor); ok {
			return t, nil
		}
	}
	return nil, errors.New("a parameter without a tensor")
}

// IsPickle reports whether a file begins as a pickle does, in the protocols that
// are read.
func IsPickle(first []byte) bool {
	return len(first) > 1 && first[0] == 0x80 && first[1] >= 2 && first[1] <= 5
}

// openTorchZip opens what torch.save writes since version 1.6.
func openTorchZip(r io.ReaderAt, size int64) (*File, error) {
	archive, err := readArchive(r, size, maxTorchEntries, maxTorchDirectory)
	if err != nil {
		return nil, err
	}
	entries := map[string]*zip.File{}
	root := ""
	for _, f := range archive.File {
		entries[f.Name] = f
		if dir, base := path.Split(f.Name); base == "data.pkl" && strings.Count(dir, "/") == 1 {
			if root != "" {
				return nil, fmt.Errorf("it holds two checkpoints, %s and %s", root, dir)
			}
			root = dir
		}
	}
	if root == "" {
		return nil, errors.New("the zip holds no data.pkl, so it is no PyTorch checkpoint")
	}
	if order := entries[root+"byteorder"]; order != nil {
		at, err := stored(order)
		var text [6]byte
		if err == nil && order.UncompressedSize64 == uint64(len(text)) {
			err = readAt(r, text[:], at)
		}
		if err != nil || string(text[:]) != "little" {
			return nil, errors.New("its numbers are big endian; only little endian is read")
		}
	}
	pickle := entries[root+"data.pkl"]
	at, err := stored(pickle)
	if err != nil {
		return nil, err
	}
	t := torchReader{map[string]*torchStorage{}}
	value, _, err := unpickle(io.NewSectionReader(r, at, int64(pickle.UncompressedSize64)), t.view)
	if err != nil {
		return nil, err
	}
	for key, s := range t.storages {
		entry := entries[root+"data/"+key]
		switch {
		case entry == nil && s.len == 0:
			s.at = 0
			continue
		case entry == nil:
			return nil, fmt.Errorf("the zip lacks the storage data/%.40s", key)
		case entry.UncompressedSize64 != uint64(s.bytes()):
			return nil, fmt.Errorf("the storage %.200s has %d bytes; the pickle says %d elements of %s", entry.Name, entry.UncompressedSize64, s.len, s.dtype)
		}
		if s.at, err = stored(entry); err != nil {
			return nil, err
		}
	}
	return torchFile(r, size, value)
}

// stored gives the place of an entry that is not compressed, as PyTorch's never
// are. Its checksum is not compared: PyTorch itself does not, and can be told to
// write none.
func stored(f *zip.File) (int64, error) {
	if f.Method != zip.Store {
		return 0, fmt.Errorf("the entry %.200q is compressed, which PyTorch's are not: unpack the archive and pack it without compression", f.Name)
	}
	return f.DataOffset()
}

// openTorchLegacy opens what torch.save wrote before version 1.6: pickles of a
// magic number, a version, the writer's system, the state dict and the storages'
// keys, then each storage's length and bytes.
func openTorchLegacy(r io.ReaderAt, size int64) (*File, error) {
	t := torchReader{map[string]*torchStorage{}}
	var at int64
	next := func() (any, error) {
		value, length, err := unpickle(io.NewSectionReader(r, at, size-at), t.view)
		at += length
		return value, err
	}
	magic, err := next()
	if err != nil {
		return nil, err
	}
	if magic != long(legacyMagic[4:14]) {
		return nil, errors.New("it is a pickle, but does not begin as PyTorch's files do")
	}
	version, err := next()
	if err != nil {
		return nil, err
	}
	if version != legacyVersion {
		return nil, fmt.Errorf("the container's version is %v; only %d is read", version, legacyVersion)
	}
	system, err := next()
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*dict); ok {
		if little, ok := d.get("little_endian"); ok && little != true {
			return nil, errors.New("its numbers are big endian; only little endian is read")
		}
	}
	value, err := next()
	if err != nil {
		return nil, err
	}
	keys, err := next()
	if err != nil {
		return nil, err
	}
	if err := t.placeLegacy(r, size, at, keys); err != nil {
		return nil, err
	}
	return torchFile(r, size, value)
}

// placeLegacy finds the storages behind the pickles.
func (t *torchReader) placeLegacy(r io.ReaderAt, size, at int64, keys any) error {
	order, ok := keys.(*list)
	if !ok {
		return errors.New("the storages' keys are no list")
	}
	for _, k := range order.items {
		key, _ := k.(string)
		s := t.storages[key]
		if s == nil || s.at >= 0 {
			return fmt.Errorf("the storage %.40q is listed, but unknown or listed before", key)
		}
		var length [8]byte
		if size-at < 8 {
			return fmt.Errorf("the file ends before the storage %.40q: it is cut short", key)
		}
		if err := readAt(r, length[:], at); err != nil {
			return err
		}
		if n := int64(binary.LittleEndian.Uint64(length[:])); n != s.len {
			return fmt.Errorf("the storage %.40q has %d elements; the pickle says %d", key, n, s.len)
		}
		s.at = at + 8
		if s.bytes() > size-s.at {
			return fmt.Errorf("the file ends inside the storage %.40q: it is cut short", key)
		}
		at = s.at + s.bytes()
	}
	for key, s := range t.storages {
		if s.at < 0 {
			return fmt.Errorf("the file lacks the storage %.40q", key)
		}
	}
	return nil
}

// wrappers are the keys under which training programs keep the state dict beside
// other things.
var wrappers = []string{"state_dict", "model", "model_state_dict"}

// torchFile makes a file of the tensors of a state dict, or of one that lies in
// it under a usual name. Where all names begin with "module.", as
// torch.nn.DataParallel makes them, that is taken off.
func torchFile(r io.ReaderAt, size int64, value any) (*File, error) {
	top, ok := value.(*dict)
	if !ok {
		return nil, errors.New("it holds no dict of tensors, as model.state_dict() is one")
	}
	names, tensors, err := tensorsOf(top)
	for _, key := range wrappers {
		if inner, ok := top.get(key); ok && err == nil && len(names) == 0 {
			if d, ok := inner.(*dict); ok {
				names, tensors, err = tensorsOf(d)
			}
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0:
		return nil, fmt.Errorf("it holds no tensors, neither by themselves nor under %s", strings.Join(wrappers, ", "))
	}
	f := &File{parts: []io.ReaderAt{r}, strides: map[string][]int64{}}
	for i, name := range unwrapped(names) {
		if err := f.addTorch(name, tensors[i]); err != nil {
			return nil, fmt.Errorf("tensor %.200q: %w", name, err)
		}
	}
	return f, f.index(size)
}

// tensorsOf lists the tensors among a dict's values.
func tensorsOf(d *dict) (names []string, tensors []*torchTensor, err error) {
	for i, value := range d.values {
		t, ok := value.(*torchTensor)
		if !ok {
			continue
		}
		key, ok := d.keys[i].(string)
		if !ok {
			return nil, nil, errors.New("a tensor's key is no string")
		}
		if len(key) > maxKey {
			return nil, nil, fmt.Errorf("a tensor's name has more than %d bytes", maxKey)
		}
		if len(names) == maxTensors {
			return nil, nil, fmt.Errorf("it has more than %d tensors", maxTensors)
		}
		names, tensors = append(names, key), append(tensors, t)
	}
	return names, tensors, nil
}

// addTorch places a tensor in the file.
func (f *File) addTorch(name string, t *torchTensor) error {
	width := int64(t.storage.dtype.Bits() / 8)
	info := Info{Name: name, Dtype: t.storage.dtype, Shape: t.shape, begin: t.storage.at + t.first*width}
	info.end = info.begin + t.used*width
	f.infos = append(f.infos, info)
	if rowMajor(t.shape, t.strides) {
		return nil
	}
	f.strides[name] = t.strides
	if span := info.end - info.begin; span > freeSpan && span/maxSpan > info.Bytes() {
		return fmt.Errorf("its %d bytes lie scattered over %d: save a contiguous copy", info.Bytes(), span)
	}
	return nil
}

// rowMajor reports whether elements of such strides lie one behind the other.
func rowMajor(shape []int, strides []int64) bool {
	next := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		switch {
		case shape[i] == 0:
			return true
		case shape[i] > 1 && strides[i] != next:
			return false
		}
		next *= int64(shape[i])
	}
	return true
}

func unwrapped(names []string) []string {
	const prefix = "module."
	if slices.ContainsFunc(names, func(s string) bool { return !strings.HasPrefix(s, prefix) }) {
		return names
	}
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = name[len(prefix):]
	}
	return short
}

// index orders the tensors as they lie in the file of size bytes, and by name.
func (f *File) index(size int64) error {
	slices.SortStableFunc(f.infos, func(a, b Info) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.Name, b.Name)) })
	f.byName = make(map[string]int, len(f.infos))
	var total int64
	for i, info := range f.infos {
		if _, twice := f.byName[info.Name]; twice {
			return fmt.Errorf("the tensor %.200q is there twice", info.Name)
		}
		if info.Name == metadataKey {
			return fmt.Errorf("the name %s is taken", metadataKey)
		}
		f.byName[info.Name] = i
		if total += info.Bytes(); total > maxShare*size {
			return fmt.Errorf("its tensors claim more than %d times the file's bytes", maxShare)
		}
	}
	return nil
}
