package checkpoint

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

type person struct {
	Name   string             `json:"name"`
	Age    int                `json:"age"`
	Size   *float64           `json:"size"`
	Tags   []string           `json:"tags"`
	Scores map[string]float64 `json:"scores"`
	Home   struct {
		Rooms uint8 `json:"rooms"`
	} `json:"home"`
	Raw json.RawMessage `json:"raw"`
}

func TestDecodeJSON(t *testing.T) {
	size := 1.5
	home := func(p person, rooms uint8) person { p.Home.Rooms = rooms; return p }
	tests := []struct {
		name, json string
		want       person
		err        string
	}{
		{name: "all", json: `{"name":"é😀","age":-3,"size":15e-1,"tags":["a"],"scores":{"x":1},"home":{"rooms":2}}`,
			want: home(person{Name: "é😀", Age: -3, Size: &size, Tags: []string{"a"}, Scores: map[string]float64{"x": 1}}, 2)},
		{name: "byte order mark", json: "\ufeff{\"age\":1}", want: person{Age: 1}},
		{name: "unknown keys pass", json: `{"other":[1,{"a":null}],"age":1}`, want: person{Age: 1}},
		{name: "null keeps the value", json: `{"age":null}`},
		{name: "cases in a map are different keys", json: `{"scores":{"a":1,"A":2}}`, want: person{Scores: map[string]float64{"a": 1, "A": 2}}},
		{name: "cases in raw data are different keys", json: `{"raw":{"a":1,"A":2}}`, want: person{Raw: json.RawMessage(`{"a":1,"A":2}`)}},
		{name: "escapes", json: `{"name":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, want: person{Name: "\"\\/\b\f\n\r\té😀"}},

		{name: "string for a number", json: `{"age":"3"}`, err: "age: want a whole number, found a string"},
		{name: "fraction", json: `{"age":3.5}`, err: "age: want a whole number, found 3.5"},
		{name: "nested field", json: `{"home":{"rooms":-1}}`, err: "home.rooms: want a whole number that is not negative, found -1"},
		{name: "out of range", json: `{"home":{"rooms":256}}`, err: "home.rooms"},
		{name: "list for an object", json: `[]`, err: "the whole value: want an object, found a list"},
		{name: "bare NaN", json: "{\"age\": 1,\n\"size\": NaN}", err: `size: line 2: not JSON: "NaN" is not a value`},
		{name: "twice", json: `{"age":1,"name":"x","age":2}`, err: `the key "age" appears twice`},
		{name: "twice by escape", json: `{"age":1,"\u0061ge":2}`, err: `the key "age" appears twice`},
		{name: "twice deep inside", json: `{"other":[{"a":1,"a":1}]}`, err: `other.0: the key "a" appears twice`},
		{name: "twice among many", json: `{"scores":{"0":0,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"4":0}}`, err: `the key "4" appears twice`},
		{name: "other case", json: `{"Age":1}`, err: "the key must be written age"},
		{name: "other case inside", json: `{"home":{"ROOMS":1}}`, err: "home.ROOMS: the key must be written rooms"},
		{name: "not UTF-8", json: "{\"name\":\"\xff\"}", err: "not UTF-8"},
		{name: "lone surrogate", json: `{"name":"\ud800"}`, err: `\ud800 is half a character`},
		{name: "surrogates in wrong order", json: `{"name":"\ude00\ud83d"}`, err: `\ude00 is half a character`},
		{name: "control character", json: "{\"name\":\"a\nb\"}", err: "control character 0x0a"},
		{name: "control character after an escape", json: "{\"name\":\"\\ta\x01b\"}", err: "control character 0x01"},
		{name: "unknown escape", json: `{"name":"\x41"}`, err: `the escape \x`},
		{name: "short escape", json: `{"name":"\u12"}`, err: "four hexadecimal digits"},
		{name: "signed escape", json: `{"name":"\u+123"}`, err: "four hexadecimal digits"},
		{name: "open string", json: `{"name":"abc`, err: "a string does not end"},
		{name: "open string after an escape", json: `{"name":"abc\n`, err: "a string does not end"},
		{name: "open at a backslash", json: `{"name":"abc\`, err: "a string does not end"},
		{name: "after the value", json: `{} {}`, err: "stands after the value"},
		{name: "NUL after the value", json: "{}\x00", err: "stands after the value"},
		{name: "nothing", json: ``, err: "the end of the data"},
		{name: "trailing comma", json: `{"age":1,}`, err: "want a string"},
		{name: "trailing comma in a list", json: `{"tags":["a",]}`, err: `"]" is not a value`},
		{name: "no colon", json: `{"age" 1}`, err: "want ':'"},
		{name: "no comma", json: `{"age":1 "name":""}`, err: "want ',' or '}'"},
		{name: "no comma in a list", json: `{"tags":["a" "b"]}`, err: "want ',' or ']'"},
		{name: "single quotes", json: `{'age':1}`, err: "want a string"},
		{name: "leading zero", json: `{"age":01}`, err: `"01" is not a number`},
		{name: "plus sign", json: `{"age":+1}`, err: "is not a value"},
		{name: "hexadecimal", json: `{"age":0x1}`, err: "want ',' or '}'"},
		{name: "no digits", json: `{"age":-}`, err: `"-" is not a number`},
		{name: "no fraction", json: `{"age":1.}`, err: `"1." is not a number`},
		{name: "no exponent", json: `{"age":1e+}`, err: `"1e+" is not a number`},
		{name: "too large a number", json: `{"size":1e999}`, err: "size: want a number, found 1e999"},
		{name: "deep", json: strings.Repeat("[", 70) + strings.Repeat("]", 70), err: "nested deeper than 64"},
		{name: "deep objects", json: strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70), err: "nested deeper than 64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got person
			err := DecodeJSON([]byte(test.json), &got)
			wantError(t, err, test.err)
			if test.err == "" && !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestReadJSON(t *testing.T) {
	fsys := fstest.MapFS{
		"good.json": {Data: []byte(`{"age":1}`)},
		"bad.json":  {Data: []byte(`{"age":[]}`)},
		"long.json": {Data: []byte(`{"age":1}` + strings.Repeat(" ", 100))},
	}
	for name, want := range map[string]string{
		"good.json": "", "bad.json": "reading bad.json: age: want a whole number, found a list",
		"long.json": "reading long.json: the file is larger than 50 bytes", "none.json": "none.json",
	} {
		var p person
		wantError(t, ReadJSON(fsys, name, 50, &p), want)
	}
}

// FuzzJSON holds the scanner to encoding/json: it accepts nothing that the
// library refuses, and refuses only for its own reasons.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"name":"\ud83d\ude00","age":-0.5e+3}`, `[1,[true,false,null],{}]`, `"\u0000"`, "{\"a\":1,\"a\":2}", ` 12 `, "nul", "[1,]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return
		}
		s := &scanner{data: data}
		err := s.value()
		if err == nil {
			err = s.end()
		}
		if valid := json.Valid(data); err == nil && !valid {
			t.Fatalf("accepted %q, which is not JSON", data)
		} else if err != nil && valid {
			for _, own := range []string{"twice", "half a character", "nested deeper"} {
				if strings.Contains(err.Error(), own) {
					return
				}
			}
			t.Fatalf("refused %q: %v", data, err)
		}
		var p person
		_ = DecodeJSON(data, &p)
	})
}
