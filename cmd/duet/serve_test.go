//go:build !js

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestServe(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"main.wasm": "\x00asm", "index.html": "the page"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}

	t.Setenv("HF_ENDPOINT", "https://mirror.example/")
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	finished := make(chan int, 1)
	go func() {
		finished <- run(ctx, []string{"serve", "--addr", "localhost:0", "--dir", dir}, streams{writer, writer})
		writer.Close()
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://localhost:\d+/`).FindString(line)
	if address == "" {
		t.Fatalf("no address in %q", line)
	}
	for path, want := range map[string]int{"": 200, "main.wasm": 200, "nothing": 404, "link.txt": 404, "hub.json": 200} {
		response, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("/%s: status %d, want %d", path, response.StatusCode, want)
		}
		if strings.Contains(string(body), "secret") {
			t.Errorf("/%s left the folder", path)
		}
		if path == "hub.json" && !strings.Contains(string(body), `"https://mirror.example"`) {
			t.Errorf("the tab's hub is %s", body)
		}
	}

	cancel()
	select {
	case status := <-finished:
		if status != 0 {
			t.Errorf("status %d after Ctrl-C, want 0", status)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still serving 10 s after Ctrl-C")
	}
	if _, err := http.Get(address); err == nil {
		t.Error("still answers after Ctrl-C")
	}
}

func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	other, err := listen("", taken.Addr().String())
	if err != nil {
		t.Fatalf("preferred address taken: %v", err)
	}
	defer other.Close()
	if _, err := listen(taken.Addr().String(), "localhost:0"); err == nil || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("address asked for is taken: %v, want an error that names --addr", err)
	}
}

func TestShownAddress(t *testing.T) {
	tests := []struct {
		name, asked, ip, want string
	}{
		{"default", "", "127.0.0.1", "localhost:80"},
		{"every interface", ":80", "::", "localhost:80"},
		{"every interface, written out", "0.0.0.0:80", "0.0.0.0", "localhost:80"},
		{"loopback by number", "127.0.0.1:80", "127.0.0.1", "127.0.0.1:80"},
		{"IPv6", "[::1]:80", "::1", "[::1]:80"},
		{"by name", "box.lan:80", "192.0.2.7", "box.lan:80"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := shownAddress(test.asked, &net.TCPAddr{IP: net.ParseIP(test.ip), Port: 80}); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
