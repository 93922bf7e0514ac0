package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Vacant refuses a path that holds something, unless that shall be replaced: no
// command takes away what an earlier one made without being told to. An empty
// folder holds nothing. Whether what is there may be replaced at all, such as a
// model by a model, is for those to say who write it.
func Vacant(path string, replace bool) error {
	if replace {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		var held []fs.DirEntry
		if held, err = os.ReadDir(path); err == nil && len(held) == 0 {
			return nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s is there already: choose another name (--out), or add --replace to put the new one in its place", path)
}
