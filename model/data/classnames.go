package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// classNames is the file beside shards that names their classes.
const classNames = "classes.tsv"

// readClassNames reads the classes.tsv in a folder, if there is one: a column
// index, and a column name, names, label or class. Of several names, separated
// by commas, the first is used where it is unique.
func readClassNames(files fs.FS, dir string) (names []string, from string, err error) {
	from = path.Join(dir, classNames)
	file, err := files.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", from, fileError(err))
	}
	defer file.Close()
	full := map[int]string{}
	highest := -1
	fail := error(nil)
	err = readTable(from, file, func(r *record) error {
		index, _, _ := r.values("index")
		var name []string
		for _, column := range []string{"name", "names", "label", "class", "wnid"} {
			if v, has, _ := r.values(column); has {
				name = v
				break
			}
		}
		if len(index) == 0 || len(name) == 0 {
			return errors.New("columns index and name (or names, label, class) are needed")
		}
		i, err := strconv.Atoi(strings.TrimSpace(index[0]))
		if err != nil || i < 0 || i >= maxClass {
			return fmt.Errorf("line %d: %q is no class number from 0 to %d", r.line, shorten(index[0]), maxClass-1)
		}
		if _, twice := full[i]; twice {
			return fmt.Errorf("line %d: class %d stands twice", r.line, i)
		}
		full[i] = strings.TrimSpace(name[0])
		highest = max(highest, i)
		return nil
	}, func(line int, reason string) { fail = fmt.Errorf("line %d: %s", line, reason) })
	if err = errors.Join(err, fail); err != nil {
		return nil, "", fmt.Errorf("%s: %w", from, err)
	}
	if highest+1 != len(full) {
		return nil, "", fmt.Errorf("%s: %d classes, but numbers up to %d: some are missing", from, len(full), highest)
	}
	return shortNames(full), from, nil
}

func shortNames(full map[int]string) []string {
	first := func(s string) string {
		name, _, _ := strings.Cut(s, ",")
		return strings.TrimSpace(name)
	}
	uses := map[string]int{}
	for _, s := range full {
		uses[first(s)]++
	}
	names := make([]string, len(full))
	taken := map[string]bool{}
	for i := range names {
		name := first(full[i])
		if name == "" || uses[name] > 1 {
			name = full[i]
		}
		if name == "" || taken[name] {
			name = fmt.Sprintf("%s (%d)", name, i)
		}
		taken[name] = true
		names[i] = name
	}
	return names
}
