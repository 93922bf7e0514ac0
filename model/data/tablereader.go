package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"duet/model/report"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Limits of a table.
const (
	maxRecord = 1_000_000     // bytes of one row
	maxTable  = 1_000_000_000 // bytes of a table, unpacked
)

// A record is one row of a table as written. A field may hold several values,
// as a list in JSON does; an absent or null field holds none.
type record struct {
	line  int
	cells []string                   // CSV and TSV
	names map[string]int             // column to index in cells
	json  map[string]json.RawMessage // JSONL, names in lower case; of equal names the last counts
}

// values returns what the row holds under a column, and whether it has that
// column.
func (r *record) values(column string) (values []string, has bool, err error) {
	if r.json == nil {
		i, ok := r.names[column]
		if !ok {
			return nil, false, nil
		}
		return r.cells[i : i+1], true, nil
	}
	raw, ok := r.json[column]
	if !ok {
		return nil, false, nil
	}
	values, err = jsonValues(raw, true)
	if err != nil {
		err = fmt.Errorf("column %s: %w", column, err)
	}
	return values, true, err
}

func (r *record) columns() []string {
	var names []string
	for name := range r.names {
		names = append(names, name)
	}
	for name := range r.json {
		names = append(names, name)
	}
	return names
}

// jsonValues reads a string, number or truth value, or a list of these.
func jsonValues(raw json.RawMessage, list bool) ([]string, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return []string{s}, err
	case '{':
		return nil, errors.New("a text or a number is needed, not an object")
	case '[':
		if !list {
			return nil, errors.New("lists inside lists are not read")
		}
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, err
		}
		var all []string
		for _, item := range items {
			v, err := jsonValues(item, false)
			if err != nil {
				return nil, err
			}
			all = append(all, v...)
		}
		return all, nil
	}
	return []string{string(raw)}, nil // a number, true or false
}

func tableFormat(name string) string {
	name = strings.ToLower(name)
	switch ext := path.Ext(strings.TrimSuffix(name, ".gz")); ext {
	case ".csv", ".tsv", ".jsonl":
		return ext[1:]
	case ".ndjson":
		return "jsonl"
	}
	return ""
}

func isTable(name string) bool { return tableFormat(name) != "" }

// readTable reads a table row by row. visit takes a row, and may return
// errEnough to end reading; bad takes a row that cannot be read and its line. A
// returned error concerns the whole table.
func readTable(name string, file io.Reader, visit func(*record) error, bad func(line int, reason string)) error {
	text, utf16, err := decodeText(file)
	if err != nil {
		return err
	}
	checked := func(r *record) error {
		if utf16 && strings.ContainsRune(strings.Join(r.cells, ""), utf8.RuneError) {
			bad(r.line, "the row holds broken UTF-16")
			return nil
		}
		return visit(r)
	}
	switch tableFormat(name) {
	case "csv":
		err = readCSV(text, checked, bad)
	case "tsv":
		err = readTSV(text, checked, bad)
	case "jsonl":
		err = readJSONL(text, checked, bad)
	default:
		err = errors.New("not a table: its name should end in .csv, .tsv or .jsonl, perhaps with .gz")
	}
	if err == errEnough {
		err = nil
	}
	return err
}

var errEnough = errors.New("enough")

// decodeText unpacks gzip, told by its first bytes, and turns UTF-16, told by
// its byte order mark, into UTF-8.
func decodeText(file io.Reader) (r *bufio.Reader, utf16 bool, err error) {
	r = bufio.NewReaderSize(file, 64<<10)
	if magic, _ := r.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return nil, false, fmt.Errorf("a broken gzip file: %w", err)
		}
		r = bufio.NewReaderSize(unpacked, 64<<10)
	}
	r = bufio.NewReaderSize(&limitedReader{r, maxTable, fmt.Errorf("the table is longer than %s", report.Size(maxTable))}, 64<<10)
	mark, err := r.Peek(3)
	if len(mark) == 0 {
		if err == io.EOF {
			err = errors.New("the table is empty")
		}
		return nil, false, err
	}
	switch {
	case string(mark) == "\xef\xbb\xbf":
		_, err = r.Discard(3)
		return r, false, err
	case strings.HasPrefix(string(mark), "\xff\xfe"), strings.HasPrefix(string(mark), "\xfe\xff"):
		decoder := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return bufio.NewReaderSize(transform.NewReader(r, decoder), 64<<10), true, nil
	}
	return r, false, nil
}

// contextReader stops reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// limitedReader fails with its error when more than left bytes are read.
type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, l.err
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

func tooLong() string { return "the row is longer than " + report.Size(maxRecord) }

// header reads column names: trimmed, in lower case.
func header(cells []string) (map[string]int, error) {
	names := make(map[string]int, len(cells))
	for i, cell := range cells {
		if !utf8.ValidString(cell) || strings.ContainsRune(cell, 0) {
			return nil, errors.New("the first line is not text in UTF-8")
		}
		name := columnName(cell)
		if _, twice := names[name]; twice && name != "" {
			return nil, fmt.Errorf("the first line names column %q twice", name)
		}
		names[name] = i
	}
	return names, nil
}

func columnName(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// cellsRecord checks a row against the header.
func cellsRecord(line int, cells []string, names map[string]int, columns int) (*record, string) {
	if len(cells) != columns {
		return nil, fmt.Sprintf("%s, where the first line names %d", report.Count(len(cells), "field"), columns)
	}
	for _, cell := range cells {
		if reason := notText(cell); reason != "" {
			return nil, reason
		}
	}
	return &record{line: line, cells: cells, names: names}, ""
}

func notText(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "the row is not valid UTF-8"
	case strings.ContainsRune(s, 0):
		return "the row holds a zero byte"
	}
	return ""
}

func readCSV(text *bufio.Reader, visit func(*record) error, bad func(int, string)) error {
	limit := &limitedReader{r: text, err: errors.New(tooLong())}
	r := csv.NewReader(limit)
	r.FieldsPerRecord = -1
	var names map[string]int
	columns := 0
	for {
		limit.left = maxRecord
		cells, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &wrong):
			if names == nil {
				return fmt.Errorf("the first line: %w", wrong.Err)
			}
			bad(wrong.StartLine, csvProblem(wrong))
			continue
		case err != nil:
			return err
		}
		line, _ := r.FieldPos(0)
		if names == nil {
			if names, err = header(cells); err != nil {
				return err
			}
			columns = len(cells)
			continue
		}
		rec, reason := cellsRecord(line, cells, names, columns)
		if reason != "" {
			bad(line, reason)
		} else if err := visit(rec); err != nil {
			return err
		}
	}
}

func csvProblem(e *csv.ParseError) string {
	switch e.Err {
	case csv.ErrQuote:
		return `a field in quotes does not end as it should: close it, and write "" for a quote inside`
	case csv.ErrBareQuote:
		return `a quote stands inside a field: write the field in quotes, and "" for a quote`
	}
	return e.Err.Error()
}

// lines calls f for each line without its ending, which holds until f returns.
// A line that is too long is bad.
func lines(text *bufio.Reader, f func(line int, s []byte) error, bad func(int, string)) error {
	var long []byte
	for line := 1; ; line++ {
		long = long[:0]
		var part []byte
		err := bufio.ErrBufferFull
		over := false
		for err == bufio.ErrBufferFull {
			part, err = text.ReadSlice('\n')
			if over = over || len(long)+len(part) > maxRecord; !over {
				long = append(long, part...)
			}
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if over {
			bad(line, tooLong())
		} else if s := bytes.TrimRight(long, "\r\n"); len(bytes.TrimSpace(s)) > 0 {
			if err := f(line, s); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// readTSV splits lines at tabs. There is no quoting, but a field wholly in
// quotes, as spreadsheets write them, loses these.
func readTSV(text *bufio.Reader, visit func(*record) error, bad func(int, string)) error {
	var names map[string]int
	columns := 0
	return lines(text, func(line int, s []byte) (err error) {
		cells := strings.Split(string(s), "\t")
		if names == nil {
			columns = len(cells)
			names, err = header(cells)
			return err
		}
		for i, cell := range cells {
			if n := len(cell); n >= 2 && cell[0] == '"' && cell[n-1] == '"' {
				inner := strings.ReplaceAll(cell[1:n-1], `""`, "\x00")
				if !strings.Contains(inner, `"`) {
					cells[i] = strings.ReplaceAll(inner, "\x00", `"`)
				}
			}
		}
		rec, reason := cellsRecord(line, cells, names, columns)
		if reason != "" {
			bad(line, reason)
			return nil
		}
		return visit(rec)
	}, bad)
}

func readJSONL(text *bufio.Reader, visit func(*record) error, bad func(int, string)) error {
	return lines(text, func(line int, s []byte) error {
		if !utf8.Valid(s) { // encoding/json would put U+FFFD in its place
			bad(line, "the row is not valid UTF-8")
			return nil
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(s, &fields); err != nil {
			bad(line, "not a JSON object: "+err.Error())
			return nil
		}
		if fields == nil {
			bad(line, "not a JSON object: null")
			return nil
		}
		return visit(&record{line: line, json: byColumn(fields)})
	}, bad)
}

// byColumn names fields as columns are named. Of several that become one, the
// name that needed no change counts, else the first in order.
func byColumn(fields map[string]json.RawMessage) map[string]json.RawMessage {
	columns := make(map[string]json.RawMessage, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		key := columnName(name)
		if _, known := columns[key]; !known || key == name {
			columns[key] = fields[name]
		}
	}
	return columns
}
