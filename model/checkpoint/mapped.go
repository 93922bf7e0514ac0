//go:build !js

package checkpoint

import (
	"fmt"
	"io"
	"runtime/debug"

	"golang.org/x/exp/mmap"
)

// mapped is a file in the address space: several programs that read the same
// checkpoint share its pages, and what is read goes through no buffer.
type mapped struct{ *mmap.ReaderAt }

// mapFile maps a file of a known size, or returns nil where the system cannot.
func mapFile(path string, size int64) (io.ReaderAt, io.Closer) {
	m, err := mmap.Open(path)
	if err != nil {
		return nil, nil
	}
	if int64(m.Len()) != size { // another file by now
		m.Close()
		return nil, nil
	}
	return mapped{m}, m
}

// ReadAt copies from the map. Where somebody has cut the file short meanwhile, or
// the disk fails, the page is missing: that ends a program, unless it is asked to
// be a panic, which is an error here.
func (m mapped) ReadAt(p []byte, offset int64) (n int, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("a part of the file could not be read, perhaps it was cut short: %v", r)
		}
	}()
	return m.ReaderAt.ReadAt(p, offset)
}
