package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ReadJSON reads a JSON file of at most limit bytes from fsys into the struct
// or map that v points to, as [DecodeJSON] does. Errors name the file.
func ReadJSON(fsys fs.FS, name string, limit int64, v any) error {
	data, err := readFile(fsys, name, limit)
	if err == nil {
		err = DecodeJSON(data, v)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: reading %s: %w", name, err)
	}
	return nil
}

// DecodeJSON decodes one JSON value into what v points to. Beyond
// encoding/json it refuses keys that appear twice, keys that differ from a
// field's name by case only, invalid UTF-8, nesting beyond 64 levels and
// anything after the value; a byte order mark is dropped. Unknown keys pass, as
// in Hugging Face's libraries. Fields that the data lacks keep their values.
// Errors name the field and carry no prefix. Ranges are for the caller to
// check.
func DecodeJSON(data []byte, v any) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return errUTF8
	}
	s := &scanner{data: data}
	if err := s.typed(reflect.TypeOf(v)); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := wrong.Field
		if field == "" {
			field = "the whole value"
		}
		return fmt.Errorf("%s: want %s, found %s", field, wanted(wrong.Type), article(wrong.Value))
	}
	return err
}

// wanted describes a Go type in JSON's terms.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Pointer:
		return wanted(t.Elem())
	}
	return "an object"
}

func article(value string) string {
	switch {
	case value == "bool":
		return "true or false"
	case value == "array":
		return "a list"
	case value == "object":
		return "an object"
	case strings.HasPrefix(value, "number "):
		return value[len("number "):]
	}
	return "a " + value
}

// typed reads any value; t is the Go type it is meant for, or nil.
func (s *scanner) typed(t reflect.Type) error {
	switch s.peek() {
	case '{':
		return s.object(func(key string) error {
			inner, err := fieldType(t, key)
			if err == nil {
				err = s.typed(inner)
			}
			return inField(key, err)
		})
	case '[':
		element := elementType(t)
		return s.array(func(i int) error {
			if err := s.typed(element); err != nil {
				return inField(strconv.Itoa(i), err)
			}
			return nil
		})
	case '"':
		_, err := s.text()
		return err
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, err := s.number()
		return err
	}
	return s.literal()
}

// plain removes pointers; types that decode themselves count as unknown.
func plain(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	return t
}

func elementType(t reflect.Type) reflect.Type {
	if t = plain(t); t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return t.Elem()
	}
	return nil
}

// fieldType finds the type of a member of an object. encoding/json would let a
// key that differs by case overwrite a field.
func fieldType(t reflect.Type, key string) (reflect.Type, error) {
	t = plain(t)
	if t != nil && t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, nil
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == key {
			return f.Type, nil
		}
		if strings.EqualFold(name, key) {
			return nil, fmt.Errorf("the key must be written %s", name)
		}
	}
	return nil, nil
}

// A fieldError is an error inside a value of an object or list.
type fieldError struct {
	path []string // innermost last
	err  error
}

func (e *fieldError) Error() string { return strings.Join(e.path, ".") + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func inField(key string, err error) error {
	if err == nil {
		return nil
	}
	if len(key) > 80 {
		key = strings.ToValidUTF8(key[:80], "") + "…"
	}
	var inner *fieldError
	if errors.As(err, &inner) {
		return &fieldError{append([]string{key}, inner.path...), inner.err}
	}
	return &fieldError{[]string{key}, err}
}
