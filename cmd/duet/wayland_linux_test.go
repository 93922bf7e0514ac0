package main

import (
	bits "encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A waylandClient is a program under Wayland: a pointer without a mouse, and a
// window out of which things are dragged. It speaks the protocol itself, of which
// it knows as much as that takes (wayland.xml, xdg-shell.xml and
// wlr-virtual-pointer-unstable-v1.xml, whose order numbers what follows).
type waylandClient struct {
	*testing.T
	conn  *net.UnixConn
	began time.Time

	mu      sync.Mutex
	last    uint32            // the newest object
	globals map[string]global // by interface
	on      map[event]func(arguments)
	fds     []int // that came and were not taken yet
}

type global struct{ name, version uint32 }

// An event is one that an object may have, by its number.
type event struct{ object, number uint32 }

const display = 1 // the first object

// dialWayland connects to a compositor and learns what it has.
func dialWayland(t *testing.T, socket string) *waylandClient {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &waylandClient{T: t, conn: conn, began: time.Now(), last: display, globals: map[string]global{}, on: map[event]func(arguments){}}
	c.handle(display, 0, func(a arguments) {
		t.Errorf("the compositor says of object %d: error %d: %s", a.number(), a.number(), a.text())
	})
	registry, all, done := c.object(), c.object(), make(chan bool, 1)
	c.handle(registry, 0, func(a arguments) {
		name, kind := a.number(), a.text()
		c.globals[kind] = global{name, a.number()}
	})
	c.handle(all, 0, func(arguments) { done <- true })
	c.send(display, 1, registry) // get_registry
	c.send(display, 0, all)      // sync
	go c.listen()
	c.wait("what the compositor has", done)
	for kind, g := range c.globals {
		id := c.object()
		c.send(registry, 0, g.name, kind, g.version, id) // bind
		c.globals[kind] = global{id, g.version}
	}
	return c
}

// the is the object of an interface.
func (c *waylandClient) the(kind string) uint32 {
	c.Helper()
	g, ok := c.globals[kind]
	if !ok {
		c.Fatalf("the compositor has no %s", kind)
	}
	return g.name
}

func (c *waylandClient) wait(what string, come <-chan bool) bool {
	c.Helper()
	select {
	case ok := <-come:
		return ok
	case <-time.After(time.Minute):
		c.Fatalf("after a minute there is no %s", what)
		return false
	}
}

// object takes a number for a new object.
func (c *waylandClient) object() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return c.last
}

// handle says what to do when an object has an event.
func (c *waylandClient) handle(object, number uint32, f func(arguments)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on[event{object, number}] = f
}

// send makes a request of numbers, texts and files.
func (c *waylandClient) send(object uint32, request int, values ...any) {
	c.Helper()
	var body, rights []byte
	for _, v := range values {
		switch v := v.(type) {
		case uint32:
			body = bits.NativeEndian.AppendUint32(body, v)
		case int:
			body = bits.NativeEndian.AppendUint32(body, uint32(v))
		case string:
			body = bits.NativeEndian.AppendUint32(body, uint32(len(v)+1))
			body = append(append(body, v...), make([]byte, 4-len(v)%4)...)
		case *os.File:
			rights = unix.UnixRights(int(v.Fd()))
		default:
			c.Fatalf("%T cannot be sent", v)
		}
	}
	head := bits.NativeEndian.AppendUint32(nil, object)
	head = bits.NativeEndian.AppendUint32(head, uint32(len(body)+8)<<16|uint32(request))
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, _, err := c.conn.WriteMsgUnix(append(head, body...), rights, nil); err != nil {
		c.Errorf("to the compositor: %v", err)
	}
}

// Read reads events, and keeps the files that come with them.
func (c *waylandClient) Read(p []byte) (int, error) {
	rights := make([]byte, unix.CmsgSpace(4*28))
	n, m, _, _, err := c.conn.ReadMsgUnix(p, rights)
	if messages, bad := unix.ParseSocketControlMessage(rights[:m]); bad == nil {
		for _, message := range messages {
			fds, _ := unix.ParseUnixRights(&message)
			c.fds = append(c.fds, fds...)
		}
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// listen takes events in until the connection ends.
func (c *waylandClient) listen() {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		object, what := bits.NativeEndian.Uint32(head), bits.NativeEndian.Uint32(head[4:])
		body := make([]byte, what>>16-8)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		c.mu.Lock()
		f := c.on[event{object, what & 0xffff}]
		c.mu.Unlock()
		if f != nil {
			f(arguments{&body})
		}
	}
}

// arguments are what an event brings; each is taken once, in order.
type arguments struct{ left *[]byte }

func (a arguments) number() uint32 {
	v := bits.NativeEndian.Uint32(*a.left)
	*a.left = (*a.left)[4:]
	return v
}

func (a arguments) text() string {
	n := a.number()
	v := string((*a.left)[:n-1])
	*a.left = (*a.left)[(n+3)/4*4:]
	return v
}

// window shows a grey window.
func (c *waylandClient) window(title string, width, height int) (surface uint32) {
	c.Helper()
	pixels, err := os.Create(filepath.Join(c.TempDir(), "pixels"))
	if err != nil {
		c.Fatal(err)
	}
	defer pixels.Close()
	if err := pixels.Truncate(int64(4 * width * height)); err != nil {
		c.Fatal(err)
	}
	surface = c.object()
	pool, buffer, shell, toplevel := c.object(), c.object(), c.object(), c.object()
	c.send(c.the("wl_compositor"), 0, surface)
	c.send(c.the("wl_shm"), 0, pool, pixels, 4*width*height)
	c.send(pool, 0, buffer, 0, width, height, 4*width, 1) // XRGB8888
	wm := c.the("xdg_wm_base")
	c.handle(wm, 0, func(a arguments) { c.send(wm, 3, a.number()) }) // ping, pong
	shown := make(chan bool, 64)
	c.handle(shell, 0, func(a arguments) { // configure
		c.send(shell, 4, a.number())
		c.send(surface, 1, buffer, 0, 0)        // attach
		c.send(surface, 2, 0, 0, width, height) // damage
		c.send(surface, 6)                      // commit
		shown <- true
	})
	c.send(wm, 2, shell, surface)
	c.send(shell, 1, toplevel)
	c.send(toplevel, 2, title)
	c.send(surface, 6)
	c.wait("window "+title, shown)
	return surface
}

// A hand moves a pointer of its own over a screen.
type hand struct {
	*waylandClient
	pointer       uint32
	width, height int // of the screen
}

func (c *waylandClient) newHand(width, height int) *hand {
	h := &hand{c, c.object(), width, height}
	c.send(c.the("zwlr_virtual_pointer_manager_v1"), 0, c.the("wl_seat"), h.pointer)
	return h
}

func (h *hand) now() int { return int(time.Since(h.began).Milliseconds()) }

func (h *hand) move(x, y int) {
	h.send(h.pointer, 1, h.now(), x, y, h.width, h.height)
	h.send(h.pointer, 4)
	time.Sleep(20 * time.Millisecond)
}

// press presses the left button, or lets go.
func (h *hand) press(down int) {
	h.send(h.pointer, 2, h.now(), 0x110, down)
	h.send(h.pointer, 4)
	time.Sleep(100 * time.Millisecond)
}

// drag drags something out of a surface, from a place of the screen to another,
// and tells whether it was taken there. contents are by their types.
func (h *hand) drag(surface uint32, contents map[string]string, fromX, fromY, toX, toY int) bool {
	h.Helper()
	c := h.waylandClient
	entered, pressed, ended := make(chan bool, 1), make(chan bool, 1), make(chan bool, 1)
	var serial uint32
	pointer, source, device := c.object(), c.object(), c.object()
	c.handle(pointer, 0, func(arguments) { // enter
		select {
		case entered <- true:
		default:
		}
	})
	c.handle(pointer, 3, func(a arguments) { // button
		if serial == 0 {
			serial = a.number()
			pressed <- true
		}
	})
	c.send(c.the("wl_seat"), 0, pointer)
	for i := 0; len(entered) == 0 && i < 3000; i++ { // the compositor may still be placing the window
		h.move(fromX+i%2, fromY)
	}
	c.wait("pointer over the source", entered)
	h.press(1)
	c.wait("press", pressed)

	manager := c.the("wl_data_device_manager")
	c.send(manager, 0, source)
	c.send(manager, 1, device, c.the("wl_seat"))
	for kind := range contents {
		c.send(source, 0, kind) // offer
	}
	c.send(source, 2, 1|2)                  // set_actions: copy or move
	c.handle(source, 1, func(a arguments) { // send
		to := os.NewFile(uintptr(c.fds[0]), "drop")
		c.fds = c.fds[1:]
		content := contents[a.text()]
		go func() {
			io.WriteString(to, content)
			to.Close()
		}()
	})
	c.handle(source, 2, func(arguments) { ended <- false }) // cancelled
	c.handle(source, 4, func(arguments) { ended <- true })  // dnd_finished
	c.send(device, 0, source, surface, 0, serial)           // start_drag
	for i := 1; i <= 10; i++ {
		h.move(fromX+(toX-fromX)*i/10, fromY+(toY-fromY)*i/10)
	}
	time.Sleep(300 * time.Millisecond) // the window says what it takes
	h.press(0)
	return c.wait("end of the drag", ended)
}
