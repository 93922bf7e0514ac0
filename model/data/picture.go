package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"duet/model/report"
)

// A Picture is one picture of a collection: a file or an entry of a tar shard.
// It holds no pixels. Its methods may be called at the same time.
type Picture struct {
	Name          string // within the collection, such as train/cat/1.jpg or a.tar/key.webp
	Size          int64  // bytes
	Width, Height int    // pixels as stored, before turning upright

	files     fs.FS
	path      string
	offset    int64 // of a tar entry; −1: the whole file
	maxPixels int   // more are not decoded; 0: DefaultMaxPixels

	twin *Picture // the first picture with the same content, itself where it is the only one

	mu   sync.Mutex
	hash string
}

// smallPicture is the size up to which a picture is read at once rather than in
// pieces.
const smallPicture = 1 << 20

// maxUnseekable bounds what is read into memory from a file system that cannot
// read at an offset.
const maxUnseekable = 256_000_000

// open opens the picture's bytes. close must be called.
func (p *Picture) open() (r io.ReaderAt, close func(), err error) {
	f, err := p.files.Open(p.path)
	if err != nil {
		return nil, nil, fileError(err)
	}
	close = func() { f.Close() }
	at, ok := f.(io.ReaderAt)
	if !ok {
		defer close()
		if at, err = readWhole(f); err != nil {
			return nil, nil, err
		}
		close = func() {}
	}
	if p.offset >= 0 {
		at = io.NewSectionReader(at, p.offset, p.Size)
	}
	if p.Size > smallPicture {
		return at, close, nil
	}
	defer close()
	all := make([]byte, p.Size)
	if n, err := at.ReadAt(all, 0); n < len(all) {
		return nil, nil, fmt.Errorf("reading: %w", fileError(err))
	}
	return bytes.NewReader(all), func() {}, nil
}

// largePixels is the size above which pictures are decoded one at a time, since
// each takes hundreds of megabytes.
const largePixels = 16_000_000

func (p *Picture) large() bool { return p.Width*p.Height > largePixels }

func readWhole(f fs.File) (io.ReaderAt, error) {
	all, err := io.ReadAll(io.LimitReader(f, maxUnseekable+1))
	if err != nil {
		return nil, fmt.Errorf("reading: %w", fileError(err))
	}
	if len(all) > maxUnseekable {
		return nil, fmt.Errorf("larger than %s, and its file system cannot read parts", report.Size(maxUnseekable))
	}
	return bytes.NewReader(all), nil
}

// readHeader looks at the picture without decoding it.
func (p *Picture) readHeader(maxPixels int) error {
	if err := p.locate(); err != nil {
		return err
	}
	r, close, err := p.open()
	if err != nil {
		return err
	}
	defer close()
	h, err := ReadHeader(r, p.Size, maxPixels)
	p.Width, p.Height = h.Width, h.Height
	return err
}

// Decode reads and decodes the picture; see [Decode].
func (p *Picture) Decode(maxPixels int) (*Image, error) {
	m, err := p.decode(maxPixels)
	if err != nil {
		return nil, fmt.Errorf("data: picture %s: %w", p.Name, err)
	}
	return m, nil
}

func (p *Picture) decode(maxPixels int) (*Image, error) {
	r, close, err := p.open()
	if err != nil {
		return nil, err
	}
	defer close()
	return Decode(r, p.Size, maxPixels)
}

// DecodeFile decodes a picture on disk; see [Decode].
func DecodeFile(name string, maxPixels int) (m *Image, err error) {
	folder, base := filepath.Split(name)
	if folder == "" {
		folder = "."
	}
	p := &Picture{Name: name, files: os.DirFS(folder), path: base, offset: -1}
	if err := p.locate(); err != nil {
		return nil, absent(fmt.Errorf("data: picture %s: %w", name, err), report.BadPicture, name)
	}
	if m, err = p.Decode(maxPixels); err != nil {
		return nil, Unreadable(err, filepath.Base(name))
	}
	return m, nil
}

// Unreadable gives an error of [Decode] its reason, with the picture's name.
func Unreadable(err error, name string) error {
	reason := report.BadPicture
	switch r := report.FaultOf(err).Reason; r {
	case report.ForeignPicture, report.LargePicture:
		reason = r
	}
	return report.Because(err, reason, name)
}

// Hash returns the SHA-256 of the picture's bytes in hexadecimal. It reads them
// once, in pieces, and remembers the result.
func (p *Picture) Hash() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hash != "" {
		return p.hash, nil
	}
	r, close, err := p.open()
	if err != nil {
		return "", fmt.Errorf("data: picture %s: %w", p.Name, err)
	}
	defer close()
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, p.Size)); err != nil {
		return "", fmt.Errorf("data: picture %s: reading: %w", p.Name, fileError(err))
	}
	p.hash = hex.EncodeToString(h.Sum(nil))
	return p.hash, nil
}

// locate finds the file and its size, and refuses what is not a plain file,
// before it is opened: opening a named pipe would wait for ever.
func (p *Picture) locate() error {
	if p.offset >= 0 {
		return nil
	}
	info, err := fs.Stat(p.files, p.path)
	switch {
	case err != nil:
		return fileError(err)
	case info.IsDir():
		return errors.New("this is a folder, not a picture")
	case !info.Mode().IsRegular():
		return errors.New("not a plain file")
	}
	p.Size = info.Size()
	return nil
}

// fileError says in plain words, and without the system's path, why a file
// cannot be used.
func fileError(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoFile
	case errors.Is(err, fs.ErrPermission):
		return errors.New("reading it is not permitted")
	case errors.As(err, &path):
		if path.Err.Error() == "path escapes from parent" { // of os.Root, which exports no such error
			return errors.New("a link leads out of the collection's folder and is not followed")
		}
		return path.Err
	}
	return err
}

var errNoFile = errors.New("no such file")

// absent gives an error its reason: that a file is not there, or else another.
func absent(err error, otherwise report.Reason, name string) error {
	if errors.Is(err, errNoFile) {
		return report.Because(err, report.NotFound, name)
	}
	return report.Because(err, otherwise, filepath.Base(name))
}
