//go:build !js

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"duet/gpu"
	"duet/gpu/gputest/tab"
	"duet/wasm/browser"
)

// tabLimit bounds a run in the tab, which ends in a minute where nothing hangs.
const tabLimit = 30 * time.Minute

func backends() []string { return []string{"reference", "webgpu", "tab"} }

// available tells what a backend lacks on this machine.
func available(name string) error {
	if name != "tab" {
		return nil
	}
	if _, err := browser.Find(); err != nil {
		return fmt.Errorf("the tab cannot run: %w; --backend reference,webgpu leaves it out", err)
	}
	return nil
}

// vectors opens the folder of the vectors.
func vectors(context.Context) (fs.FS, error) {
	shared := os.Getenv("DUET_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	folder := filepath.Join(shared, "vectors")
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("the vectors are not in %s; set DUET_SHARED to the folder that holds vectors", folder)
	}
	return os.DirFS(folder), nil
}

// runOn runs the vectors on one backend and returns how many failed.
func (r *runner) runOn(ctx context.Context, name string) (int, error) {
	switch name {
	case "tab":
		return r.runInTab(ctx)
	case "webgpu":
		device, err := gpu.Open(ctx, gpu.Options{})
		if err != nil {
			return 0, err
		}
		return r.measure(ctx, name, device)
	}
	return r.measure(ctx, name, gpu.NewReference())
}

// runInTab runs this command, compiled for js/wasm, in a worker of a headless
// Chromium, prints its lines and returns how many cases failed.
func (r *runner) runInTab(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, tabLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "duet-vectors-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := tab.Build(ctx, dir, "duet/cmd/vectors"); err != nil {
		return 0, err
	}
	if err := r.pack(filepath.Join(dir, vectorsFile)); err != nil {
		return 0, fmt.Errorf("packing the vectors: %w", err)
	}
	b, err := browser.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	var stdout, stderr bytes.Buffer
	args := append([]string{"--backend=tab"}, r.flags...)
	code, err := tab.Exec(ctx, b, dir, args, nil, io.MultiWriter(r.out, &stdout), &stderr)
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, strings.TrimSpace(stderr.String()))
	}
	// The last line counts, and the exit code must agree with it.
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	var passed, failed, outside int
	_, err = fmt.Sscanf(lines[len(lines)-1], "vectors: %d passed, %d failed, %d out of scope", &passed, &failed, &outside)
	if err != nil || (code == 0) != (failed == 0) {
		return 0, fmt.Errorf("the program ended with code %d\n%s", code, strings.TrimSpace(stderr.String()))
	}
	return failed, nil
}

// pack writes the files of the suites to be run into a zip, as they are:
// compressing would cost more than it saves on the way within the machine.
func (r *runner) pack(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, suite := range r.options.Suites {
		err := fs.WalkDir(r.files, suite, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(r.files, name)
			if err != nil {
				return err
			}
			w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err != nil {
				return err
			}
			_, err = w.Write(content)
			return err
		})
		if err != nil {
			return err
		}
	}
	return archive.Close()
}
