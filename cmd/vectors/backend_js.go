package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"syscall/js"

	"duet/gpu"
)

func backends() []string { return []string{"tab"} }

func available(string) error { return nil }

// vectors fetches the vectors.
func vectors(ctx context.Context) (fs.FS, error) {
	address := js.Global().Get("location").Get("origin").String() + "/" + vectorsFile
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the server answers %s", vectorsFile, response.Status)
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", vectorsFile, err)
	}
	return zip.NewReader(bytes.NewReader(content), int64(len(content)))
}

// runOn runs the vectors on one backend and returns how many failed.
func (r *runner) runOn(ctx context.Context, name string) (int, error) {
	device, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		return 0, err
	}
	return r.measure(ctx, name, device)
}
