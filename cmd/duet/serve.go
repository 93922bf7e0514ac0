//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"duet/model/hub"
	"duet/wasm"
)

// serveCommand serves the tab until the context ends.
type serveCommand struct {
	Addr string `placeholder:"HOST:PORT" help:"Address to listen on; by default localhost:8080, or a free port where that is taken."`
	Dir  string `type:"path" help:"Folder of the tab, as make wasm fills it; by default web beside this program, or bin/web."`
}

func (c serveCommand) Run(ctx context.Context, s streams) error {
	root, err := openTab(c.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	listener, err := listen(c.Addr, "localhost:8080")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The tab is at http://%s/ (Ctrl-C stops).\n", shownAddress(c.Addr, listener.Addr()))
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		fmt.Fprintln(s.err, "Other machines can open it too, but browsers offer WebGPU only over HTTPS or on localhost.")
	}

	server := &http.Server{Handler: wasm.HandlerAt(root.FS(), hub.FromEnv().Endpoint), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	err = server.Serve(listener)
	if stop() { // Serve failed by itself
		return fmt.Errorf("serving the tab: %w", err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping: %w", err)
	}
	return nil
}

// openTab opens the folder of the tab: dir, or where dir is empty the first of
// the usual places that holds one.
func openTab(dir string) (*os.Root, error) {
	places := []string{dir}
	if dir == "" {
		places = []string{filepath.Join("bin", "web")}
		if program, err := os.Executable(); err == nil {
			bin := filepath.Dir(program)
			places = append([]string{filepath.Join(bin, "web"), filepath.Join(bin, "..", "share", "duet", "web")}, places...)
		}
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(place, "main.wasm")); err == nil {
			return os.OpenRoot(place)
		}
	}
	return nil, fmt.Errorf("no tab in %s (main.wasm is missing): run make wasm, or name its folder with --dir", places[len(places)-1])
}

// listen opens the address asked for. Where none was, it opens the preferred
// one, or any free port if that cannot be had.
func listen(asked, preferred string) (net.Listener, error) {
	if asked != "" {
		listener, err := net.Listen("tcp", asked)
		if err != nil {
			return nil, fmt.Errorf("listening on %s: %w (another --addr may be free; localhost:0 finds one)", asked, err)
		}
		return listener, nil
	}
	listener, err := net.Listen("tcp", preferred)
	if err == nil {
		return listener, nil
	}
	listener, err2 := net.Listen("tcp", "localhost:0")
	if err2 != nil {
		return nil, fmt.Errorf("listening on %s: %w", preferred, err)
	}
	return listener, nil
}

// shownAddress is the address to open in a browser of this machine: localhost,
// where WebGPU is offered, unless another host was asked for.
func shownAddress(asked string, addr net.Addr) string {
	tcp := addr.(*net.TCPAddr)
	host := "localhost"
	if name, _, err := net.SplitHostPort(asked); err == nil && name != "" && !tcp.IP.IsUnspecified() {
		host = name
	}
	return net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}
