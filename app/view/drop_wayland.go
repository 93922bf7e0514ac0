//go:build linux

package view

// #cgo pkg-config: wayland-client
// #include "drop_wayland.h"
import "C"

import (
	"os"
	"runtime"
	"runtime/cgo"
	"slices"
	"unsafe"

	"duet/app/ui"

	"gioui.org/app"
	"golang.org/x/sys/unix"
)

// A waylandTaker receives drags over Gio's surface through a data device of its
// own. What it binds has an event queue of its own, so that Gio, which reads the
// same connection, does not see its events, nor it Gio's. Its goroutine alone
// uses it.
type waylandTaker struct {
	send    func(ui.Message)
	handle  cgo.Handle // of the taker
	display *C.struct_wl_display
	surface *C.struct_wl_surface // Gio's
	queue   *C.struct_wl_event_queue
	stop    *os.File // readable when it is to end
	ended   chan struct{}

	registry *C.struct_wl_registry
	manager  *C.struct_wl_data_device_manager
	seat     *C.struct_wl_seat // the first there is, as Gio takes
	seatName C.uint32_t
	device   *C.struct_wl_data_device

	types    map[*C.struct_wl_data_offer][]string // of what is offered
	over     *C.struct_wl_data_offer              // is being dragged over the surface; nil: nothing
	takes    string                               // the type of it that is wanted; empty: none
	transfer transfer
	done     bool // with a drop
}

// A transfer is a drop on its way.
type transfer struct {
	offer   *C.struct_wl_data_offer // nil: none
	kind    string
	from    *os.File
	content []byte
}

// takeWayland takes what is dropped on a surface until end, which must come
// before the display is closed.
func takeWayland(e app.WaylandViewEvent, send func(ui.Message)) (end func()) {
	t := &waylandTaker{send: send, display: (*C.struct_wl_display)(e.Display), surface: (*C.struct_wl_surface)(e.Surface),
		ended: make(chan struct{}), types: map[*C.struct_wl_data_offer][]string{}}
	stop, ender, err := os.Pipe()
	if err != nil {
		return nil
	}
	t.stop = stop
	C.duet_spare_offers()
	t.queue = C.wl_display_create_queue(t.display)
	t.handle = cgo.NewHandle(t)
	if t.registry = C.duet_registry(t.display, t.queue, C.uintptr_t(t.handle)); t.registry == nil {
		C.wl_event_queue_destroy(t.queue)
		t.handle.Delete()
		stop.Close()
		ender.Close()
		return nil
	}
	go t.listen()
	return func() {
		ender.Close()
		<-t.ended
	}
}

// listen reads events until it is told to stop or the connection is gone.
func (t *waylandTaker) listen() {
	defer close(t.ended)
	defer t.stop.Close()
	defer t.handle.Delete()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		switch t.turn() {
		case turnStop:
			t.release()
			return
		case turnGone: // Gio closes the display meanwhile, so nothing of it may be used
			t.transfer.close()
			return
		}
	}
}

// What a turn of the loop comes to.
type turnEnd int

const (
	turnOn turnEnd = iota
	turnStop
	turnGone
)

// turn waits for events, of the display and of a transfer, and takes them in.
func (t *waylandTaker) turn() turnEnd {
	for C.wl_display_prepare_read_queue(t.display, t.queue) != 0 {
		if C.wl_display_dispatch_queue_pending(t.display, t.queue) < 0 {
			return turnGone
		}
	}
	if t.done { // nobody reads until this does
		C.duet_offers_done(t.display)
		t.done = false
	}
	C.wl_display_flush(t.display) // where not all can be sent, Gio sends the rest
	fds := []unix.PollFd{{Fd: int32(C.wl_display_get_fd(t.display)), Events: unix.POLLIN}, {Fd: int32(t.stop.Fd()), Events: unix.POLLIN}}
	if t.transfer.offer != nil {
		fds = append(fds, unix.PollFd{Fd: int32(t.transfer.from.Fd()), Events: unix.POLLIN})
	}
	unix.Poll(fds, -1) // an error is as if there were nothing
	switch {
	case fds[1].Revents != 0:
		C.wl_display_cancel_read(t.display)
		return turnStop
	case fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
		C.wl_display_cancel_read(t.display) // others may wait for it
		return turnGone
	case fds[0].Revents&unix.POLLIN == 0:
		C.wl_display_cancel_read(t.display)
	case C.wl_display_read_events(t.display) < 0 || C.wl_display_dispatch_queue_pending(t.display, t.queue) < 0:
		return turnGone
	}
	if len(fds) > 2 && fds[2].Revents != 0 {
		t.receive()
	}
	return turnOn
}

// release gives everything back while the display is still open.
func (t *waylandTaker) release() {
	t.transfer.close()
	for offer := range t.types {
		C.wl_data_offer_destroy(offer)
	}
	t.leaveSeat()
	if t.manager != nil {
		C.wl_data_device_manager_destroy(t.manager)
	}
	C.wl_registry_destroy(t.registry)
	C.wl_display_flush(t.display)
	C.wl_event_queue_destroy(t.queue)
}

func (t *waylandTaker) leaveSeat() {
	if t.device != nil {
		if C.wl_data_device_get_version(t.device) >= 2 {
			C.wl_data_device_release(t.device)
		} else {
			C.wl_data_device_destroy(t.device)
		}
	}
	if t.seat != nil {
		C.wl_seat_destroy(t.seat)
	}
	t.device, t.seat = nil, nil
}

// takerOf is the taker that a listener belongs to.
func takerOf(handle C.uintptr_t) *waylandTaker { return cgo.Handle(handle).Value().(*waylandTaker) }

//export duetGlobal
func duetGlobal(taker C.uintptr_t, registry *C.struct_wl_registry, name C.uint32_t, kind *C.char, version C.uint32_t) {
	t := takerOf(taker)
	switch C.GoString(kind) {
	case "wl_seat":
		if t.seat == nil {
			t.seat, t.seatName = (*C.struct_wl_seat)(C.wl_registry_bind(registry, name, &C.wl_seat_interface, 1)), name
		}
	case "wl_data_device_manager":
		t.manager = (*C.struct_wl_data_device_manager)(C.wl_registry_bind(registry, name, &C.wl_data_device_manager_interface, min(version, 3)))
	}
	if t.device == nil && t.seat != nil && t.manager != nil {
		t.device = C.wl_data_device_manager_get_data_device(t.manager, t.seat)
		C.duet_listen_device(t.device, C.uintptr_t(t.handle))
	}
}

//export duetGlobalRemove
func duetGlobalRemove(taker C.uintptr_t, registry *C.struct_wl_registry, name C.uint32_t) {
	if t := takerOf(taker); t.seat != nil && name == t.seatName {
		t.leaveSeat()
	}
}

//export duetDataOffer
func duetDataOffer(taker C.uintptr_t, device *C.struct_wl_data_device, offer *C.struct_wl_data_offer) {
	t := takerOf(taker)
	t.types[offer] = nil
	C.duet_listen_offer(offer, C.uintptr_t(t.handle))
}

//export duetOfferType
func duetOfferType(taker C.uintptr_t, offer *C.struct_wl_data_offer, kind *C.char) {
	t := takerOf(taker)
	t.types[offer] = append(t.types[offer], C.GoString(kind))
}

//export duetDragEnter
func duetDragEnter(taker C.uintptr_t, device *C.struct_wl_data_device, serial C.uint32_t, surface *C.struct_wl_surface, x, y C.wl_fixed_t, offer *C.struct_wl_data_offer) {
	t := takerOf(taker)
	t.drop(t.over)
	t.over, t.takes = offer, ""
	if offer == nil || surface != t.surface {
		return
	}
	for _, kind := range slices.Backward(dropTypes) {
		if slices.Contains(t.types[offer], kind) {
			t.takes = kind
		}
	}
	if t.takes == "" {
		C.wl_data_offer_accept(offer, serial, nil)
		return
	}
	kind := C.CString(t.takes)
	defer C.free(unsafe.Pointer(kind))
	C.wl_data_offer_accept(offer, serial, kind)
	if hasActions(offer) {
		const copying = C.WL_DATA_DEVICE_MANAGER_DND_ACTION_COPY
		C.wl_data_offer_set_actions(offer, copying, copying)
	}
}

// hasActions tells whether an offer has actions, and an end that is told.
func hasActions(offer *C.struct_wl_data_offer) bool { return C.wl_data_offer_get_version(offer) >= 3 }

//export duetDragLeave
func duetDragLeave(taker C.uintptr_t, device *C.struct_wl_data_device) {
	t := takerOf(taker)
	t.drop(t.over)
	t.over = nil
}

//export duetDragDrop
func duetDragDrop(taker C.uintptr_t, device *C.struct_wl_data_device) {
	t := takerOf(taker)
	offer := t.over
	t.over = nil // it does not leave any more
	if offer == nil || t.takes == "" || t.transfer.offer != nil {
		t.done = true
		t.drop(offer)
		return
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.done = true
		t.drop(offer)
		return
	}
	kind := C.CString(t.takes)
	defer C.free(unsafe.Pointer(kind))
	C.wl_data_offer_receive(offer, kind, C.int(pipe[1])) // it duplicates the end of the pipe
	unix.Close(pipe[1])
	t.transfer = transfer{offer: offer, kind: t.takes, from: os.NewFile(uintptr(pipe[0]), "drop")}
}

//export duetSelection
func duetSelection(taker C.uintptr_t, device *C.struct_wl_data_device, offer *C.struct_wl_data_offer) {
	takerOf(taker).drop(offer) // the clipboard is Gio's
}

// drop has done with an offer, which may be nil.
func (t *waylandTaker) drop(offer *C.struct_wl_data_offer) {
	if offer != nil {
		delete(t.types, offer)
		C.wl_data_offer_destroy(offer)
	}
}

// receive reads what has come of a transfer, and passes it on when it is whole.
func (t *waylandTaker) receive() {
	x := &t.transfer
	part := make([]byte, 64<<10)
	n, err := x.from.Read(part) // there is something, or the end
	x.content = append(x.content, part[:n]...)
	if err == nil && len(x.content) <= maxDrop {
		return
	}
	if hasActions(x.offer) {
		C.wl_data_offer_finish(x.offer)
	}
	t.drop(x.offer)
	dropped(x.kind, x.content, t.send)
	x.close()
	t.done = true
}

// close ends a transfer, if there is one.
func (x *transfer) close() {
	if x.from != nil {
		x.from.Close()
	}
	*x = transfer{}
}
