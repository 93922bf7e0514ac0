package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// A pickle is a program for a machine with a stack and a memo, and Python's own
// machine calls whatever the program names. The unpickler here runs the part of
// the language that state dicts are written in and knows the names that they
// need; any other name or instruction is refused. It calls nothing: what Python
// would call makes plain data here.
//
// Every instruction takes at least a byte of the file and makes at most one
// value, and values refer to each other without being copied, except in a call of
// OrderedDict, which counts as an instruction for each; so the bounds below bound
// memory and time. Nothing here recurses into values.

const (
	maxPickle       = 16 << 20 // bytes of a pickle
	maxInstructions = 1 << 20  // of a pickle; a tensor takes about 35
	maxName         = 256      // bytes of a module or a name in it
)

// Values of a pickle: nil, bool, int64, float64, string, and these.
type (
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any } // in the order of the pickle
	name  string                       // module.name, of an allowed one
	long  string                       // an integer beyond int64, little endian
)

// get returns the value under a key that is a string.
func (d *dict) get(key string) (value any, ok bool) {
	for i, k := range d.keys {
		if k == key {
			value, ok = d.values[i], true // the last one counts, as in Python
		}
	}
	return value, ok
}

// allowed are the names that a state dict may have besides the storages. Each
// makes data of its arguments.
var allowed = map[string]func(args tuple) (any, error){
	"collections.OrderedDict":         orderedDict,
	"torch._utils._rebuild_tensor":    rebuildTensor,
	"torch._utils._rebuild_tensor_v2": rebuildTensor,
	"torch._utils._rebuild_parameter": rebuildParameter,
}

// storages are the types of storages, and the elements that they hold.
var storages = map[string]Dtype{
	"torch.FloatStorage": F32, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16, "torch.DoubleStorage": F64,
	"torch.LongStorage": I64, "torch.IntStorage": I32, "torch.ShortStorage": I16, "torch.CharStorage": I8,
	"torch.ByteStorage": U8, "torch.BoolStorage": BOOL, "torch.ComplexFloatStorage": C64,
}

// orderedDict makes a dict: of nothing, or, as Python 2 wrote it, of pairs.
func orderedDict(args tuple) (any, error) {
	d := new(dict)
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		return nil, errors.New("OrderedDict: want nothing or one list of pairs")
	}
	for _, p := range pairs.items {
		var pair []any
		switch p := p.(type) {
		case *list:
			pair = p.items
		case tuple:
			pair = p
		}
		if len(pair) != 2 {
			return nil, errors.New("OrderedDict: an item is no pair")
		}
		d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
	}
	return d, nil
}

// An unpickler runs one pickle.
type unpickler struct {
	in           *bufio.Reader
	left         int64 // bytes that may still be read
	taken        int64 // bytes that were read
	instructions int
	stack, memo  []any
	marks        []int // heights of the stack
	storage      func(id any) (any, error)
}

// unpickle runs the pickle at the beginning of r and gives its value and its
// length. storage resolves persistent ids, with which PyTorch names storages.
func unpickle(r io.Reader, storage func(id any) (any, error)) (value any, length int64, err error) {
	u := &unpickler{in: bufio.NewReaderSize(r, 16<<10), left: maxPickle, storage: storage}
	for {
		op, err := u.byte()
		if err != nil {
			return nil, 0, err
		}
		if u.instructions++; u.instructions > maxInstructions {
			return nil, 0, fmt.Errorf("the pickle has more than %d instructions", maxInstructions)
		}
		if op == '.' { // STOP
			value, err := u.pop()
			return value, u.taken, err
		}
		at := u.taken - 1
		if err := u.step(op); err != nil {
			return nil, 0, fmt.Errorf("the pickle's byte %d: %w", at, err)
		}
	}
}

var errUnderflow = errors.New("the stack is empty where a value is needed")

func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(u.left) {
		return nil, fmt.Errorf("it has more than %d bytes, which no state dict needs", maxPickle)
	}
	var b []byte
	for uint64(len(b)) < n { // in parts, for the file may be shorter than it claims
		start := len(b)
		b = slices.Grow(b, int(min(n-uint64(start), 64<<10)))
		b = b[:start+int(min(n-uint64(start), 64<<10))]
		if _, err := io.ReadFull(u.in, b[start:]); err != nil {
			return nil, errShortPickle
		}
	}
	u.left -= int64(n)
	u.taken += int64(n)
	return b, nil
}

var errShortPickle = errors.New("the file ends inside the pickle: it is cut short")

func (u *unpickler) byte() (byte, error) {
	if u.left == 0 {
		return 0, fmt.Errorf("the pickle has more than %d bytes, which no state dict needs", maxPickle)
	}
	b, err := u.in.ReadByte()
	if err != nil {
		return 0, errShortPickle
	}
	u.left--
	u.taken++
	return b, nil
}

// uint reads n bytes, little endian.
func (u *unpickler) uint(n int) (uint64, error) {
	b, err := u.take(uint64(n))
	if err != nil {
		return 0, err
	}
	var x uint64
	for i, c := range b {
		x |= uint64(c) << (8 * i)
	}
	return x, nil
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

// floor is the height that the last mark left; below it nothing may be taken.
func (u *unpickler) floor() int {
	if len(u.marks) == 0 {
		return 0
	}
	return u.marks[len(u.marks)-1]
}

func (u *unpickler) pop() (any, error) {
	values, err := u.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// popN takes the n uppermost values, lowest first.
func (u *unpickler) popN(n int) ([]any, error) {
	at := len(u.stack) - n
	if at < u.floor() {
		return nil, errUnderflow
	}
	values := u.stack[at:]
	u.stack = u.stack[:at]
	return values, nil
}

// popMark takes the values above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errors.New("there is no mark on the stack")
	}
	at := u.floor()
	u.marks = u.marks[:len(u.marks)-1]
	values := u.stack[at:]
	u.stack = u.stack[:at]
	return values, nil
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errUnderflow
	}
	return u.stack[len(u.stack)-1], nil
}

// step runs an instruction. The names are those of Python's pickletools.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		version, err := u.byte()
		if err == nil && (version < 2 || version > 5) {
			err = fmt.Errorf("protocol %d; 2 to 5 are read", version)
		}
		return err
	case 0x95: // FRAME
		_, err := u.take(8)
		return err
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
	case '0': // POP
		_, err := u.pop()
		return err
	case '1': // POP_MARK
		_, err := u.popMark()
		return err
	case 'N', 0x88, 0x89, 'K', 'M', 'J', 0x8a, 'G':
		return u.number(op)
	case 'X', 0x8c, 0x8d, 'U', 'T':
		return u.string(op)
	case ')', 't', 0x85, 0x86, 0x87:
		return u.tuple(op)
	case '}', ']', 's', 'u', 'a', 'e':
		return u.container(op)
	case 'q', 'r', 0x94, 'h', 'j':
		return u.remember(op)
	case 'c', 0x93:
		return u.global(op)
	case 'R': // REDUCE
		return u.reduce()
	case 'b': // BUILD
		return u.build()
	case 'Q': // BINPERSID
		id, err := u.pop()
		if err == nil {
			id, err = u.storage(id)
		}
		if err == nil {
			u.push(id)
		}
		return err
	default:
		return fmt.Errorf("the instruction %#02x is none that state dicts are written with", op)
	}
	return nil
}

// number reads what stands for one value: None, a bool, an integer or a float.
func (u *unpickler) number(op byte) error {
	size := map[byte]int{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 'G': 8}[op]
	x, err := u.uint(size)
	if err != nil {
		return err
	}
	switch op {
	case 'N': // NONE
		u.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		u.push(op == 0x88)
	case 'K', 'M': // BININT1, BININT2
		u.push(int64(x))
	case 'J': // BININT
		u.push(int64(int32(x)))
	case 'G': // BINFLOAT, the one that is big endian
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], x)
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b[:])))
	case 0x8a: // LONG1
		b, err := u.take(x)
		if err != nil {
			return err
		}
		u.push(integer(b))
	}
	return nil
}

// integer reads two's complement of any length, little endian.
func integer(b []byte) any {
	if len(b) > 8 {
		return long(b)
	}
	var x int64
	for i, c := range b {
		x |= int64(c) << (8 * i)
	}
	if n := len(b); n > 0 && n < 8 && b[n-1] >= 0x80 {
		x -= 1 << (8 * n)
	}
	return x
}

// string reads text; Python 2's strings are bytes, which PyTorch reads as UTF-8.
func (u *unpickler) string(op byte) error {
	n, err := u.uint(map[byte]int{'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'T': 4}[op])
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err == nil && !utf8.Valid(b) {
		err = errUTF8
	}
	if err != nil {
		return err
	}
	u.push(string(b))
	return nil
}

func (u *unpickler) tuple(op byte) (err error) {
	var values []any
	switch op {
	case 't': // TUPLE
		values, err = u.popMark()
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		values, err = u.popN(int(op - 0x84))
	}
	if err != nil {
		return err
	}
	u.push(tuple(slices.Clone(values)))
	return nil
}

// container makes a list or a dict, or adds to one.
func (u *unpickler) container(op byte) (err error) {
	var values []any
	switch op {
	case '}': // EMPTY_DICT
		u.push(new(dict))
		return nil
	case ']': // EMPTY_LIST
		u.push(new(list))
		return nil
	case 's': // SETITEM
		values, err = u.popN(2)
	case 'a': // APPEND
		values, err = u.popN(1)
	default: // SETITEMS, APPENDS
		values, err = u.popMark()
	}
	if err != nil {
		return err
	}
	to, err := u.top()
	if err != nil {
		return err
	}
	switch to := to.(type) {
	case *dict:
		if op == 'a' || op == 'e' || len(values)%2 != 0 {
			return errors.New("a dict is given something else than keys with values")
		}
		for i := 0; i < len(values); i += 2 {
			to.keys, to.values = append(to.keys, values[i]), append(to.values, values[i+1])
		}
	case *list:
		if op == 's' || op == 'u' {
			return errors.New("a list is given keys with values")
		}
		to.items = append(to.items, values...)
	default:
		return errors.New("something is added to a value that is neither a list nor a dict")
	}
	return nil
}

// remember puts the uppermost value into the memo, or one from there on the stack.
func (u *unpickler) remember(op byte) error {
	index := uint64(len(u.memo)) // MEMOIZE
	if op != 0x94 {
		var err error
		if index, err = u.uint(map[byte]int{'q': 1, 'r': 4, 'h': 1, 'j': 4}[op]); err != nil {
			return err
		}
	}
	if op == 'h' || op == 'j' { // BINGET, LONG_BINGET
		if index >= uint64(len(u.memo)) {
			return fmt.Errorf("the memo has no value %d", index)
		}
		u.push(u.memo[index])
		return nil
	}
	if index >= maxInstructions {
		return fmt.Errorf("the memo's index %d is larger than the number of instructions", index)
	}
	value, err := u.top()
	if err != nil {
		return err
	}
	for uint64(len(u.memo)) <= index {
		u.memo = append(u.memo, nil)
	}
	u.memo[index] = value
	return nil
}

// global pushes a name, where it is one of the allowed.
func (u *unpickler) global(op byte) error {
	var parts [2]string
	for i := range parts {
		if op == 'c' { // GLOBAL
			for {
				b, err := u.byte()
				if err != nil {
					return err
				}
				if b == '\n' {
					break
				}
				if parts[i] += string(rune(b)); len(parts[i]) > maxName {
					return fmt.Errorf("a name is longer than %d bytes", maxName)
				}
			}
			continue
		}
		value, err := u.pop() // STACK_GLOBAL
		if err != nil {
			return err
		}
		text, ok := value.(string)
		if !ok {
			return errors.New("a name is no string")
		}
		parts[1-i] = text
	}
	full := parts[0] + "." + parts[1]
	_, function := allowed[full]
	_, storage := storages[full]
	if !function && !storage {
		return fmt.Errorf("it names %.80q, which no state dict needs; nothing was executed. Only tensors, lists, dicts, numbers and strings are read: save the model's state_dict() alone", full)
	}
	u.push(name(full))
	return nil
}

func (u *unpickler) reduce() error {
	values, err := u.popN(2)
	if err != nil {
		return err
	}
	callable, ok := values[0].(name)
	args, isTuple := values[1].(tuple)
	if !ok || !isTuple {
		return errors.New("a call of something that is no name, or without arguments")
	}
	make := allowed[string(callable)]
	if make == nil {
		return fmt.Errorf("%s is called, which no state dict does", callable)
	}
	for _, a := range args {
		if l, ok := a.(*list); ok {
			u.instructions += len(l.items)
		}
	}
	value, err := make(args)
	if err != nil {
		return err
	}
	u.push(value)
	return nil
}

// build drops the attributes of a dict: PyTorch keeps its modules' versions there.
func (u *unpickler) build() error {
	if _, err := u.pop(); err != nil {
		return err
	}
	value, err := u.top()
	if err != nil {
		return err
	}
	if _, ok := value.(*dict); !ok {
		return errors.New("attributes of a value that is no dict")
	}
	return nil
}
