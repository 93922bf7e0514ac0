package conform

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"duet/gpu"
)

// A Value is a tensor of a case as its file states it, row-major.
type Value struct {
	Name  string `json:"name"`
	DType string `json:"dtype"` // float32, float64, int32, int64, uint8, uint32, bool, …
	Shape []int  `json:"shape"`
	Data  data   `json:"data"` // one number for each element, or one for all of them
}

// maxElements bounds what a file may ask for: 256 MiB of float32.
const maxElements = 64 << 20

// check refuses shapes that the data does not fill.
func (v *Value) check() error {
	n := 1
	for _, d := range v.Shape {
		if d < 0 || d > maxElements || n*d > maxElements {
			return fmt.Errorf("tensor %s: shape %v is not usable", v.Name, v.Shape)
		}
		n *= d
	}
	if len(v.Data) != n && len(v.Data) != 1 {
		return fmt.Errorf("tensor %s: %d numbers for shape %v", v.Name, len(v.Data), v.Shape)
	}
	return nil
}

// Len returns the number of elements.
func (v *Value) Len() int { return product(v.Shape) }

// at returns element i.
func (v *Value) at(i int) float64 {
	if len(v.Data) == 1 {
		return v.Data[0]
	}
	return v.Data[i]
}

// isFloat reports whether the elements are real numbers.
func (v *Value) isFloat() bool { return v.DType == "float32" || v.DType == "float64" }

// ints returns the elements as integers.
func (v *Value) ints() []int {
	out := make([]int, v.Len())
	for i := range out {
		out[i] = int(v.at(i))
	}
	return out
}

// floats returns the content of a buffer: float32 values.
func (v *Value) floats() []byte {
	out := make([]byte, gpu.Bytes(v.Len()))
	for i := range v.Len() {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(float32(v.at(i))))
	}
	return out
}

// intBytes returns integers as the content of a buffer: 4-byte words.
func intBytes(values []int) []byte {
	out := make([]byte, gpu.Bytes(len(values)))
	for i, v := range values {
		binary.LittleEndian.PutUint32(out[4*i:], uint32(int32(v)))
	}
	return out
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// data is a JSON array of numbers, or one number. Booleans are 0 and 1; what
// JSON has no number for stands as a string: "inf", "-inf", "nan" and their
// JavaScript spellings.
type data []float64

// UnmarshalJSON reads the numbers in one pass: files hold hundreds of thousands.
func (d *data) UnmarshalJSON(text []byte) error {
	*d = nil
	if len(text) == 0 || text[0] != '[' {
		v, err := number(text)
		*d = data{v}
		return err
	}
	for i := 1; i < len(text); {
		switch text[i] {
		case ' ', '\t', '\n', '\r', ',', ']':
			i++
			continue
		case '[', '{':
			return errors.New("numbers are nested")
		}
		end := i
		for end < len(text) && text[end] != ',' && text[end] != ']' && text[end] > ' ' {
			end++
		}
		v, err := number(text[i:end])
		if err != nil {
			return err
		}
		*d = append(*d, v)
		i = end
	}
	*d = slices.Clip(*d)
	return nil
}

func number(text []byte) (float64, error) {
	s := string(text)
	switch s {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	if len(s) > 1 && s[0] == '"' {
		return special(s[1 : len(s)-1])
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

// special reads the values that stand as strings.
func special(s string) (float64, error) {
	switch s {
	case "inf", "Infinity":
		return math.Inf(1), nil
	case "-inf", "-Infinity":
		return math.Inf(-1), nil
	case "nan", "NaN":
		return math.NaN(), nil
	}
	return 0, fmt.Errorf("%q is not a number", s)
}

// attributes are the named settings of an operator. What a mapping never asked
// for puts the case out of scope, so that no setting is ignored silently.
type attributes struct {
	values map[string]any // of encoding/json
	asked  map[string]bool
}

func newAttributes(values map[string]any) attributes {
	return attributes{values, map[string]bool{}}
}

func (a attributes) get(name string) any {
	a.asked[name] = true
	return a.values[name]
}

// ignore says that a setting has no influence on what is compared.
func (a attributes) ignore(names ...string) {
	for _, name := range names {
		a.asked[name] = true
	}
}

func (a attributes) has(name string) bool { return a.get(name) != nil }

func (a attributes) float(name string, otherwise float64) float64 {
	switch v := a.get(name).(type) {
	case nil:
		return otherwise
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		if f, err := special(v); err == nil {
			return f
		}
	}
	mismatch("attribute %s is %v, want a number", name, a.values[name])
	return 0
}

func (a attributes) int(name string, otherwise int) int {
	return int(a.float(name, float64(otherwise)))
}

func (a attributes) bool(name string) bool { return a.float(name, 0) != 0 }

func (a attributes) string(name, otherwise string) string {
	switch v := a.get(name).(type) {
	case nil:
		return otherwise
	case string:
		return v
	}
	mismatch("attribute %s is %v, want a string", name, a.values[name])
	return ""
}

// ints returns a list of integers, nil where there is none; one number counts
// as a list of one.
func (a attributes) ints(name string) []int {
	switch v := a.get(name).(type) {
	case nil:
		return nil
	case float64:
		return []int{int(v)}
	case []any:
		out := make([]int, len(v))
		for i, x := range v {
			f, ok := x.(float64)
			if !ok {
				mismatch("attribute %s is %v, want integers", name, v)
			}
			out[i] = int(f)
		}
		return out
	}
	mismatch("attribute %s is %v, want integers", name, a.values[name])
	return nil
}

// unused returns the first setting, by name, that nothing asked for.
func (a attributes) unused() string {
	first := ""
	for name, v := range a.values {
		if !a.asked[name] && v != nil && (first == "" || name < first) {
			first = name
		}
	}
	return first
}
