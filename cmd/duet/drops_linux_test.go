package main

import (
	"bytes"
	"image/png"

	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"duet/app/view"
	"duet/assets"
)

// newSway starts sway without a screen; it ends with the test. Its programs find
// its socket in dir.
func newSway(t *testing.T, width, height string) (dir, socket string) {
	t.Helper()
	if _, err := exec.LookPath("sway"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v (make deps installs it)", err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "sway")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "config")
	text := "output HEADLESS-1 resolution " + width + "x" + height + " position 0 0\ndefault_border none\nxwayland disable\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sway := exec.Command("sway", "-c", config)
	sway.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "WLR_BACKENDS=headless", "WLR_LIBINPUT_NO_DEVICES=1", "WLR_RENDERER=pixman", "HOME="+dir)
	if os.Getuid() == 0 { // it does not start as root
		const nobody = 65534
		sway.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for _, path := range []string{dir, config} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	var said bytes.Buffer
	sway.Stderr = &said
	if err := sway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sway.Process.Kill()
		sway.Wait()
		if t.Failed() {
			t.Logf("sway says:\n%s", said.String())
		}
	})
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(dir, "wayland-?")); len(found) > 0 {
			return dir, found[0]
		}
	}
	t.Fatal("sway opens no socket")
	return "", ""
}

// openUnder starts the app under Wayland alone.
func openUnder(t *testing.T, dir, socket string) *user {
	t.Helper()
	u := &user{desktop: &desktop{T: t, dir: dir, began: time.Now()}, command: exec.Command(os.Args[0])}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "XDG_") && !strings.HasPrefix(e, "DISPLAY=") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			u.command.Env = append(u.command.Env, e)
		}
	}
	u.command.Env = append(u.command.Env, windowEnv+"=1", "WAYLAND_DISPLAY="+filepath.Base(socket), "XDG_RUNTIME_DIR="+dir,
		"HOME="+filepath.Join(dir, "home"), "LANG=C.UTF-8")
	u.command.Stderr = os.Stderr
	shown, err := u.command.StdoutPipe()
	u.must(err)
	u.start(u.command)
	go u.watch(shown)
	return u
}

// TestDropsUnderWayland drags a picture and words onto the window out of another
// program's, over a compositor without a screen, and closes it.
func TestDropsUnderWayland(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a window")
	}
	dir, socket := newSway(t, "1600", "900")
	picture := filepath.Join(dir, "a new+one.png")
	sample, err := assets.Draw("rule", 99, 1, 64)
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := png.Encode(&content, sample.Image); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	u := openUnder(t, dir, socket)
	invited := func(m view.Mirror) bool {
		return slices.ContainsFunc(m.Nodes, func(n view.Node) bool { return strings.Contains(n.Name, "Drop pictures here") })
	}
	u.until("invitation", false, invited)
	u.step("engine started")
	source := dialWayland(t, socket)
	h := source.newHand(1600, 900)
	surface := source.window("source", 800, 900) // right of the app's
	taken := func(contents map[string]string) bool {
		return h.drag(surface, contents, 1200, 450, 400, 450)
	}
	drop := func(what string, contents map[string]string) {
		for range 5 { // on a busy machine the app may say too late that it takes it
			if taken(contents) {
				return
			}
		}
		t.Fatalf("the window does not finish the drop of %s", what)
	}
	list := strings.Repeat("# more than a pipe holds\r\n", 4000) + (&url.URL{Scheme: "file", Path: picture}).String() + "\r\n"
	drop("a file", map[string]string{"text/html": "", "text/uri-list": list})
	u.told("a new+one.png: ")
	u.step("dropped and answered")
	drop("words", map[string]string{"text/plain;charset=utf-8": "what   is this?\n这是什么?"})
	u.holds("what is this? 这是什么?")
	if taken(map[string]string{"application/x-other": "?"}) {
		t.Error("the window takes what it cannot use")
	}
	u.step("words dropped")

	close := exec.Command("swaymsg", `[title="Duet"] kill`)
	sockets, _ := filepath.Glob(filepath.Join(dir, "sway-ipc.*"))
	close.Env = append(os.Environ(), "SWAYSOCK="+sockets[0])
	if out, err := close.CombinedOutput(); err != nil {
		t.Fatalf("swaymsg: %v: %s", err, out)
	}
	if err := u.command.Wait(); err != nil {
		t.Errorf("the closed window: %v", err)
	}
}
