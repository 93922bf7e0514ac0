package checkpoint

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"duet/model/report"
)

// Limits on a zip, checked before anything in it is inflated.
const (
	maxZipDirectory = 1 << 20 // bytes of the list of entries
	maxZipEntries   = 1000
	maxZipTotal     = 64_000_000_000 // bytes of all entries
	maxInflated     = 1 << 30        // bytes of an entry that is inflated into memory
	// Deflate reaches 1032:1; weights and vocabularies stay below 10:1. Beyond
	// freeInflated an entry may not be packed tighter than maxRatio.
	maxRatio     = 64
	freeInflated = 16 << 20
)

// A budget limits how much is read while the list of entries is parsed:
// archive/zip reads entries as long as it finds some, whatever their number
// says.
type budget struct {
	r           io.ReaderAt
	left, limit int
}

func (b *budget) ReadAt(p []byte, offset int64) (int, error) {
	if b.left >= 0 {
		if b.left -= len(p); b.left < 0 {
			return 0, fmt.Errorf("its list of files is longer than %d bytes", b.limit)
		}
	}
	return b.r.ReadAt(p, offset)
}

// unlimited ends the budget.
const unlimited = -1

// A zipFS is the folder in a zip that holds config.json: the archive's root or
// the one folder there.
type zipFS struct {
	fs.FS
	files   map[string]*zip.File // by name below the folder
	archive *zip.Reader
	root    string // the folder, "." for the archive's root
}

// openZip reads and checks the list of entries of a model's zip.
func openZip(r io.ReaderAt, size int64) (*zipFS, error) {
	archive, err := readArchive(r, size, maxZipEntries, maxZipDirectory)
	if err != nil {
		return nil, err
	}
	root, err := zipRoot(archive.File)
	if err != nil {
		return nil, err
	}
	z := &zipFS{FS: archive, files: map[string]*zip.File{}, archive: archive, root: root}
	prefix := ""
	if root != "." {
		prefix = root + "/"
		if z.FS, err = fs.Sub(archive, root); err != nil {
			return nil, err
		}
	}
	for _, f := range archive.File {
		if name, ok := strings.CutPrefix(f.Name, prefix); ok && !f.Mode().IsDir() {
			z.files[name] = f
		}
	}
	return z, nil
}

// readArchive reads a zip's list of entries, of at most so many entries and
// bytes, and checks each.
func readArchive(r io.ReaderAt, size int64, entries, directory int) (*zip.Reader, error) {
	limited := &budget{r, directory + 1<<18, directory} // the end record is searched in the last 64 kB
	archive, err := zip.NewReader(limited, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, errors.New("it is not a zip archive, or a damaged one")
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked below
		return nil, err
	}
	limited.left = unlimited
	if len(archive.File) > entries {
		return nil, fmt.Errorf("it has %d files; at most %d are read", len(archive.File), entries)
	}
	return archive, checkEntries(archive.File, size)
}

func checkEntries(files []*zip.File, size int64) error {
	type extent struct {
		name       string
		begin, end int64
	}
	var extents []extent
	seen := map[string]bool{}
	var total uint64
	for _, f := range files {
		if err := checkEntry(f, size); err != nil {
			return fmt.Errorf("entry %.200q: %w", f.Name, err)
		}
		name := strings.ToLower(strings.TrimSuffix(f.Name, "/")) // some file systems fold case
		if seen[name] {
			return fmt.Errorf("the entry %.200q appears twice", f.Name)
		}
		seen[name] = true
		if total += f.UncompressedSize64; total > maxZipTotal {
			return fmt.Errorf("its files have more than %s", report.Size(maxZipTotal))
		}
		begin, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("entry %.200q: %w", f.Name, err)
		}
		if begin > size-int64(f.CompressedSize64) {
			return fmt.Errorf("entry %.200q runs beyond the end of the archive", f.Name)
		}
		extents = append(extents, extent{f.Name, begin, begin + int64(f.CompressedSize64)})
	}
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	for i := 1; i < len(extents); i++ {
		if extents[i].begin < extents[i-1].end {
			return fmt.Errorf("the entries %.200q and %.200q overlap", extents[i-1].name, extents[i].name)
		}
	}
	return nil
}

func checkEntry(f *zip.File, size int64) error {
	const encrypted = 1
	name := strings.TrimSuffix(f.Name, "/")
	switch mode := f.Mode(); {
	case f.Flags&encrypted != 0:
		return errors.New("it is encrypted; unpack the archive and pack it without a password")
	case !utf8.ValidString(name) || !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00"):
		return errors.New("its name is not a plain path inside the archive")
	case !mode.IsRegular() && !mode.IsDir():
		return errors.New("it is neither a file nor a folder")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("it is packed by method %d; stored and deflated files are read", f.Method)
	case f.CompressedSize64 > uint64(size):
		return fmt.Errorf("it claims %d bytes of an archive of %d", f.CompressedSize64, size)
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return fmt.Errorf("it is stored, but its two sizes %d and %d differ", f.CompressedSize64, f.UncompressedSize64)
	case f.UncompressedSize64 > freeInflated && f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return fmt.Errorf("%d bytes claim to unpack to %d: a zip bomb", f.CompressedSize64, f.UncompressedSize64)
	}
	return nil
}

// zipRoot finds the folder that holds config.json. Packing a folder often puts
// the folder itself into the archive.
func zipRoot(files []*zip.File) (string, error) {
	var roots []string
	for _, f := range files {
		dir, base := path.Split(f.Name)
		dir = strings.TrimSuffix(dir, "/")
		if base != configName || strings.Contains(dir, "/") || dir == "__MACOSX" {
			continue
		}
		if dir == "" {
			return ".", nil
		}
		roots = append(roots, dir)
	}
	switch len(roots) {
	case 1:
		return roots[0], nil
	case 0:
		return "", fmt.Errorf("it holds no %s, so it is not a model", configName)
	}
	return "", fmt.Errorf("it holds several models, in %s and %s; give an archive of one", roots[0], roots[1])
}

// readerAt gives random access to an entry: a stored one where it lies, after
// its checksum has been compared, a deflated one inflated into memory.
func (z *zipFS) readerAt(name string) (io.ReaderAt, int64, error) {
	f := z.files[name]
	if f == nil {
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	size := int64(f.UncompressedSize64)
	if f.Method == zip.Store {
		raw, err := f.OpenRaw()
		if err != nil {
			return nil, 0, err
		}
		section := raw.(io.ReaderAt) // OpenRaw gives a section of the archive
		sum := crc32.NewIEEE()
		// In large parts: in the tab each costs a turn of the browser's.
		if _, err := io.CopyBuffer(sum, struct{ io.Reader }{io.NewSectionReader(section, 0, size)}, make([]byte, 1<<20)); err != nil {
			return nil, 0, err
		}
		if sum.Sum32() != f.CRC32 {
			return nil, 0, zip.ErrChecksum
		}
		return section, size, nil
	}
	if size > maxInflated {
		return nil, 0, fmt.Errorf("it is compressed and has %d bytes; at most %d are unpacked into memory: unpack the archive and give the folder", size, maxInflated)
	}
	data, err := inflate(f)
	if err != nil {
		return nil, 0, err
	}
	return strings.NewReader(data), size, nil
}

// inflate unpacks a deflated entry, whose size checkEntry has found plausible.
func inflate(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	var out strings.Builder
	out.Grow(int(f.UncompressedSize64))
	if _, err := io.Copy(&out, r); err != nil { // the reader checks the size and the checksum
		return "", err
	}
	return out.String(), nil
}
