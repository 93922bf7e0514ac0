//go:build linux && !js

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"duet/app/view"
	"duet/assets"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// windowEnv makes the test binary a program with a window, which writes a line
// of JSON for whatever it shows.
const windowEnv = "DUET_TEST_WINDOW"

func TestMain(m *testing.M) {
	if os.Getenv(windowEnv) == "" {
		os.Exit(m.Run())
	}
	encoder := json.NewEncoder(os.Stdout)
	show(context.Background(), streams{os.Stdout, os.Stderr}, view.Face{Mirror: func(m view.Mirror) { encoder.Encode(m) }})
}

// A desktop is an X server without a screen, with a window manager.
type desktop struct {
	*testing.T
	dir     string
	display string
	x       *xgb.Conn
	root    xproto.Window
	keys    map[rune]key
	began   time.Time
}

// A key is what is pressed for a character.
type key struct {
	code  byte
	shift bool
}

// newDesktop starts Xvfb and openbox; they end with the test.
func newDesktop(t *testing.T) *desktop {
	for _, program := range []string{"Xvfb", "openbox", "pcmanfm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v (make deps installs it)", err)
			}
			t.Skip(err)
		}
	}
	xgb.Logger.SetOutput(io.Discard) // it tells of every way of logging in that it tries
	d := &desktop{T: t, dir: t.TempDir(), began: time.Now()}
	read, write, err := os.Pipe()
	d.must(err)
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1600x900x24", "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{write}
	d.start(server)
	write.Close()
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb says no display: %v", err)
	}
	d.display = ":" + strings.TrimSpace(number)
	d.x, err = xgb.NewConnDisplay(d.display)
	d.must(err)
	t.Cleanup(d.x.Close)
	d.must(xtest.Init(d.x))
	d.root = xproto.Setup(d.x).DefaultScreen(d.x).Root
	d.learnKeys()
	d.start(d.program("openbox"))
	return d
}

func (d *desktop) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// start runs a program until the end of the test.
func (d *desktop) start(c *exec.Cmd) {
	d.Helper()
	d.must(c.Start())
	d.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
}

// program is a program on the desktop, with a home of its own.
func (d *desktop) program(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "XDG_") && !strings.HasPrefix(e, "WAYLAND_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			c.Env = append(c.Env, e)
		}
	}
	home := filepath.Join(d.dir, "home")
	c.Env = append(c.Env, "DISPLAY="+d.display, "HOME="+home, "XDG_RUNTIME_DIR="+home, "LANG=C.UTF-8", "NO_AT_BRIDGE=1")
	d.must(os.MkdirAll(home, 0o700))
	return c
}

// learnKeys asks which keys make which characters.
func (d *desktop) learnKeys() {
	setup := xproto.Setup(d.x)
	first, count := setup.MinKeycode, byte(setup.MaxKeycode-setup.MinKeycode+1)
	m, err := xproto.GetKeyboardMapping(d.x, first, count).Reply()
	d.must(err)
	d.keys = map[rune]key{}
	per := int(m.KeysymsPerKeycode)
	for i := range int(count) {
		for shift := range min(2, per) {
			sym := rune(m.Keysyms[i*per+shift])
			if _, known := d.keys[sym]; !known {
				d.keys[sym] = key{byte(first) + byte(i), shift == 1}
			}
		}
	}
}

// Keysyms of keys that make no character.
const (
	symShift   = 0xffe1
	symControl = 0xffe3
	symReturn  = 0xff0d
)

func (d *desktop) fake(kind, detail byte, x, y int) {
	d.Helper()
	d.must(xtest.FakeInputChecked(d.x, kind, detail, 0, d.root, int16(x), int16(y), 0).Check())
}

// press presses the keys of some characters or keysyms.
func (d *desktop) press(with rune, text ...rune) {
	d.Helper()
	for _, r := range text {
		k, ok := d.keys[r]
		if !ok {
			d.Fatalf("no key makes %q", r)
		}
		var held []byte
		if k.shift {
			held = append(held, d.keys[symShift].code)
		}
		if with != 0 {
			held = append(held, d.keys[with].code)
		}
		for _, code := range held {
			d.fake(xproto.KeyPress, code, 0, 0)
		}
		d.fake(xproto.KeyPress, k.code, 0, 0)
		d.fake(xproto.KeyRelease, k.code, 0, 0)
		for _, code := range held {
			d.fake(xproto.KeyRelease, code, 0, 0)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (d *desktop) move(x, y int) { d.fake(xproto.MotionNotify, 0, x, y) }

// button presses or releases a button of the pointer.
func (d *desktop) button(number byte, down bool) {
	kind := byte(xproto.ButtonRelease)
	if down {
		kind = xproto.ButtonPress
	}
	d.fake(kind, number, 0, 0)
	time.Sleep(30 * time.Millisecond)
}

// window waits for a window whose title holds a text, and puts it into a place.
func (d *desktop) window(title string, x, y, width, height int) (left, top int, ok bool) {
	d.Helper()
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		w := d.titled(d.root, title)
		if w == 0 {
			continue
		}
		xproto.ConfigureWindow(d.x, w, xproto.ConfigWindowX|xproto.ConfigWindowY|xproto.ConfigWindowWidth|xproto.ConfigWindowHeight,
			[]uint32{uint32(x), uint32(y), uint32(width), uint32(height)})
		time.Sleep(time.Second) // the manager does it
		at, err := xproto.TranslateCoordinates(d.x, w, d.root, 0, 0).Reply()
		d.must(err)
		return int(at.DstX), int(at.DstY), true
	}
	d.Logf("there is no window titled %q among %q", title, d.titles(d.root))
	return 0, 0, false
}

// titles are those of all windows below another.
func (d *desktop) titles(w xproto.Window) (list []string) {
	for _, property := range []xproto.Atom{xproto.AtomWmName, d.atom("_NET_WM_NAME")} {
		if name, err := xproto.GetProperty(d.x, false, w, property, xproto.GetPropertyTypeAny, 0, 256).Reply(); err == nil && len(name.Value) > 0 {
			list = append(list, string(name.Value))
		}
	}
	if tree, err := xproto.QueryTree(d.x, w).Reply(); err == nil {
		for _, child := range tree.Children {
			list = append(list, d.titles(child)...)
		}
	}
	return list
}

// atom is the server's number for a name.
func (d *desktop) atom(name string) xproto.Atom {
	d.Helper()
	reply, err := xproto.InternAtom(d.x, false, uint16(len(name)), name).Reply()
	d.must(err)
	return reply.Atom
}

// titled looks for a window below another. Titles are also on windows that are
// not shown.
func (d *desktop) titled(w xproto.Window, title string) xproto.Window {
	for _, property := range []xproto.Atom{xproto.AtomWmName, d.atom("_NET_WM_NAME")} {
		name, err := xproto.GetProperty(d.x, false, w, property, xproto.GetPropertyTypeAny, 0, 256).Reply()
		if err != nil || !strings.Contains(string(name.Value), title) {
			continue
		}
		if a, err := xproto.GetWindowAttributes(d.x, w).Reply(); err == nil && a.MapState == xproto.MapStateViewable && a.Class == xproto.WindowClassInputOutput {
			return w
		}
	}
	tree, err := xproto.QueryTree(d.x, w).Reply()
	if err != nil {
		return 0
	}
	for _, child := range tree.Children {
		if found := d.titled(child, title); found != 0 {
			return found
		}
	}
	return 0
}

// A user has the app's window before them.
type user struct {
	*desktop
	left, top int // of the window
	command   *exec.Cmd

	mu   sync.Mutex
	seen view.Mirror
}

// open starts the app. Where no window comes the app tells what it was doing.
func (d *desktop) open() *user {
	d.Helper()
	u := &user{desktop: d, command: d.program(os.Args[0])}
	u.command.Env = append(u.command.Env, windowEnv+"=1")
	u.command.Stderr = os.Stderr
	shown, err := u.command.StdoutPipe()
	d.must(err)
	d.start(u.command)
	go u.watch(shown)
	var ok bool
	if u.left, u.top, ok = d.window("Duet", 0, 0, 1000, 780); !ok {
		u.command.Process.Signal(syscall.SIGQUIT)
		u.command.Wait()
		d.Fatalf("the app opens no window: %v", u.command.ProcessState)
	}
	return u
}

func (u *user) watch(shown io.Reader) {
	for decoder := json.NewDecoder(shown); ; {
		var m view.Mirror
		if decoder.Decode(&m) != nil {
			return
		}
		u.mu.Lock()
		u.seen = m
		u.mu.Unlock()
	}
}

func (u *user) shown() view.Mirror {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen
}

// until waits, turning the wheel where turn says so.
func (u *user) until(what string, turn bool, is func(view.Mirror) bool) {
	u.Helper()
	began, down := time.Now(), true
	before := ""
	for i := 1; time.Since(began) < 5*time.Minute; i++ {
		if is(u.shown()) {
			return
		}
		time.Sleep(100 * time.Millisecond)
		if i%20 != 0 || !turn {
			continue
		}
		if now := fmt.Sprint(u.shown().Nodes); now == before {
			down = !down
		} else {
			before = now
		}
		u.move(u.left+600, u.top+400)
		for range 6 {
			wheel := byte(4)
			if down {
				wheel = 5
			}
			u.button(wheel, true)
			u.button(wheel, false)
		}
	}
	u.Fatalf("after %v there is no %s in %+v", time.Since(began), what, u.shown())
}

// find waits for a thing and returns it.
func (u *user) find(role view.Role, name string) view.Node {
	u.Helper()
	return u.search(role, name, false)
}

// search is find for what can, or need not, be clicked.
func (u *user) search(role view.Role, name string, enabled bool) (found view.Node) {
	u.Helper()
	u.until(fmt.Sprintf("%s %q", role, name), true, func(m view.Mirror) bool {
		for _, n := range m.Nodes {
			if n.Role == role && strings.Contains(n.Name, name) && !(enabled && n.Disabled) {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// click clicks a thing; at one dp a pixel, as the server has it.
func (u *user) click(role view.Role, name string) {
	u.Helper()
	b := u.search(role, name, true).Bounds
	u.move(u.left+int(b.X+b.Width/2), u.top+int(b.Y+b.Height/2))
	u.button(1, true)
	u.button(1, false)
}

// enter clicks into a field and waits until the keys go there.
func (u *user) enter(name string) {
	u.Helper()
	u.click(view.Field, name)
	u.until("focus in "+name, false, func(m view.Mirror) bool {
		return slices.ContainsFunc(m.Nodes, func(n view.Node) bool { return n.Role == view.Field && n.Focused && n.Name == name })
	})
	time.Sleep(200 * time.Millisecond) // the window has the keys when the manager has given them to it
}

// holds waits until a field holds a text.
func (u *user) holds(text string) {
	u.Helper()
	u.until(fmt.Sprintf("field with %q", text), false, func(m view.Mirror) bool {
		return slices.ContainsFunc(m.Nodes, func(n view.Node) bool { return n.Role == view.Field && n.Value == text })
	})
}

func (u *user) told(text string) {
	u.Helper()
	u.until(fmt.Sprintf("announcement of %q", text), false, func(m view.Mirror) bool { return strings.Contains(m.Status, text) })
}

func (u *user) step(name string) { u.Logf("%6.1f s  %s", time.Since(u.began).Seconds(), name) }

// drag drags what lies at a place of the screen onto the middle of the app's window.
func (u *user) drag(x, y int) {
	u.move(x, y)
	u.button(1, true)
	for i := 1; i <= 20; i++ {
		u.move(x+(u.left+500-x)*i/20, y+(u.top+400-y)*i/20)
		time.Sleep(30 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	u.button(1, false)
}

// dropWords drops words on the app's window, as a program does out of which text
// is dragged (XDND, version 5).
func (u *user) dropWords(words string) {
	u.Helper()
	atom := u.atom
	source, err := xproto.NewWindowId(u.x)
	u.must(err)
	u.must(xproto.CreateWindowChecked(u.x, 0, source, u.root, -1, -1, 1, 1, 0, xproto.WindowClassInputOnly, xproto.Setup(u.x).DefaultScreen(u.x).RootVisual,
		xproto.CwOverrideRedirect, []uint32{1}).Check())
	u.must(xproto.SetSelectionOwnerChecked(u.x, source, atom("XdndSelection"), xproto.TimeCurrentTime).Check())
	target := u.titled(u.root, "Duet")
	reply, err := xproto.GetProperty(u.x, false, target, atom("XdndProxy"), xproto.AtomWindow, 0, 1).Reply()
	u.must(err)
	if len(reply.Value) < 4 {
		u.Fatal("the window takes no drops")
	}
	proxy := xproto.Window(xgb.Get32(reply.Value))
	tell := func(name string, data ...uint32) {
		data = append([]uint32{uint32(source)}, data...)
		data = append(data, make([]uint32, 5-len(data))...)
		e := xproto.ClientMessageEvent{Format: 32, Window: target, Type: atom(name), Data: xproto.ClientMessageDataUnionData32New(data)}
		u.must(xproto.SendEventChecked(u.x, false, proxy, 0, string(e.Bytes())).Check())
	}
	tell("XdndEnter", 5<<24, uint32(atom("text/html")), uint32(atom("UTF8_STRING")))
	tell("XdndPosition", 0, uint32(u.left+500)<<16|uint32(u.top+400), 0, uint32(atom("XdndActionCopy")))
	dropped := false
	for began := time.Now(); time.Since(began) < time.Minute; {
		event, err := u.x.PollForEvent()
		if err != nil {
			u.Fatal(err)
		}
		switch e := event.(type) {
		case nil:
			time.Sleep(10 * time.Millisecond)
		case xproto.ClientMessageEvent:
			switch {
			case e.Type == atom("XdndStatus") && !dropped:
				if e.Data.Data32[1]&1 == 0 {
					u.Fatal("the window does not take words")
				}
				dropped = true
				tell("XdndDrop", 0, uint32(xproto.TimeCurrentTime))
			case e.Type == atom("XdndFinished"):
				return
			}
		case xproto.SelectionRequestEvent:
			u.must(xproto.ChangePropertyChecked(u.x, xproto.PropModeReplace, e.Requestor, e.Property, e.Target, 8, uint32(len(words)), []byte(words)).Check())
			done := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: e.Property}
			u.must(xproto.SendEventChecked(u.x, false, e.Requestor, 0, string(done.Bytes())).Check())
		}
	}
	u.Fatal("the window does not finish the drop")
}

// TestWindowJourney goes through the window as a person does, by pointer and
// keyboard: trains on the drawn collection, looks at what the model takes for
// what, uses it for a picture dragged out of a file manager, saves the answer,
// and finds the model again after the program was killed.
func TestWindowJourney(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a window")
	}
	d := newDesktop(t)
	pictures := filepath.Join(d.dir, "pictures")
	d.must(os.Mkdir(pictures, 0o777))
	sample, err := assets.Draw("rule", 99, 1, 64)
	d.must(err)
	f, err := os.Create(filepath.Join(pictures, "new.png"))
	d.must(err)
	d.must(png.Encode(f, sample.Image))
	d.must(f.Close())

	u := d.open()
	u.find(view.Text, "with the same answers")
	u.click(view.Button, "Close") // that it is slow in software
	u.step("engine started")
	u.click(view.Radio, "Train")
	u.click(view.Button, "Use the sample collection")
	u.find(view.Text, "Takes about ")
	u.step("understood and estimated")
	u.click(view.Button, "Start training")
	u.told("Right, of the pictures held back")
	u.step("first epoch")
	u.told("shapes is right for")
	u.step("trained and measured")
	u.click(view.Button, "warm → warm")
	u.find(view.Text, "warm → warm: ")
	u.click(view.Button, "Use this model")
	u.find(view.Button, "in use")

	u.click(view.Radio, "Classify")
	u.find(view.Heading, "Drop pictures here")
	d.start(d.program("pcmanfm", "--no-desktop", pictures))
	left, top, ok := d.window("pictures", 1020, 0, 560, 500)
	if !ok {
		t.Fatal("the file manager opens no window")
	}
	dropped := func(m view.Mirror) bool { return strings.HasPrefix(m.Status, "new.png: ") }
	// Where the manager shows its only file depends on its version and theme.
	for y := top + 90; y < top+300 && !dropped(u.shown()); y += 40 {
		for x := left + 60; x < left+400 && !dropped(u.shown()); x += 60 {
			u.drag(x, y)
			for i := 0; i < 20 && !strings.HasPrefix(u.shown().Status, "new.png"); i++ {
				time.Sleep(100 * time.Millisecond)
				if s := u.shown().Status; s == "" {
					break // nothing was dropped
				}
			}
		}
	}
	u.told("new.png: ")
	u.step("dropped and answered")
	u.enter("a question or a caption, if you like")
	u.press(0, []rune(sample.Text)...)
	u.press(0, symReturn)
	u.holds(sample.Text)
	u.told("new.png: ")
	u.dropWords("what   is this?\n这是什么?")
	u.holds("what is this? 这是什么?")
	u.told("new.png: ")
	u.click(view.Button, "Save as CSV")
	u.told("Saved as ")
	_, path, _ := strings.Cut(u.shown().Status, "Saved as ")
	table, err := os.ReadFile(path)
	d.must(err)
	if !strings.Contains(string(table), "这是什么?") {
		t.Errorf("the table is\n%s", table)
	}
	u.step("saved")

	u.command.Process.Kill()
	u.command.Wait()
	u = d.open()
	u.find(view.Text, "with the same answers")
	u.click(view.Radio, "Models")
	if n := u.find(view.Field, "Name"); n.Value != "shapes" {
		t.Errorf("the model is called %q after the program was killed", n.Value)
	}
	u.find(view.Button, "in use")
	u.step("found again")
}
