//go:build linux

package view

import (
	"encoding/binary"
	"io"
	"slices"

	"duet/app/ui"

	"gioui.org/app"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// An x11Taker is a connection to the X server of its own, as a proxy for Gio's
// window (the XDND protocol, version 5, freedesktop.org). Once it listens, its
// goroutine alone uses it.
type x11Taker struct {
	send    func(ui.Message)
	x       *xgb.Conn
	window  xproto.Window // Gio's
	proxy   xproto.Window
	atoms   map[string]xproto.Atom
	source  xproto.Window // what is being dragged comes from there
	takes   xproto.Atom   // the type of it that is wanted; 0: none
	partial []byte        // of a transfer in parts
	inParts bool
	ended   chan struct{}
}

// takeX11 takes what is dropped on a window of the X server until end.
func takeX11(e app.X11ViewEvent, send func(ui.Message)) (end func()) {
	xgb.Logger.SetOutput(io.Discard) // it tells of every way of logging in that it tries
	x, err := xgb.NewConn()
	if err != nil {
		return nil
	}
	t := &x11Taker{send: send, x: x, window: xproto.Window(e.Window), atoms: map[string]xproto.Atom{}, ended: make(chan struct{})}
	if err := t.announce(); err != nil {
		x.Close()
		return nil
	}
	go t.listen()
	return func() {
		x.Close()
		<-t.ended
	}
}

// atom returns the server's number for a name.
func (d *x11Taker) atom(name string) xproto.Atom {
	if a, ok := d.atoms[name]; ok {
		return a
	}
	reply, err := xproto.InternAtom(d.x, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0
	}
	d.atoms[name] = reply.Atom
	return reply.Atom
}

// announce makes an invisible window and names it as the proxy of Gio's.
func (d *x11Taker) announce() error {
	var err error
	if d.proxy, err = xproto.NewWindowId(d.x); err != nil {
		return err
	}
	screen := xproto.Setup(d.x).DefaultScreen(d.x)
	err = xproto.CreateWindowChecked(d.x, 0, d.proxy, screen.Root, -1, -1, 1, 1, 0, xproto.WindowClassInputOnly, screen.RootVisual,
		xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, xproto.EventMaskPropertyChange}).Check()
	if err != nil {
		return err
	}
	const version = 5
	for _, w := range []xproto.Window{d.proxy, d.window} {
		for name, value := range map[string]struct {
			kind xproto.Atom
			v    uint32
		}{"XdndAware": {xproto.AtomAtom, version}, "XdndProxy": {xproto.AtomWindow, uint32(d.proxy)}} {
			data := binary.LittleEndian.AppendUint32(nil, value.v)
			if err := xproto.ChangePropertyChecked(d.x, xproto.PropModeReplace, w, d.atom(name), value.kind, 32, 1, data).Check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell sends a message to where the files come from.
func (d *x11Taker) tell(name string, words ...uint32) {
	data := make([]uint32, 5)
	data[0] = uint32(d.window)
	copy(data[1:], words)
	e := xproto.ClientMessageEvent{Format: 32, Window: d.source, Type: d.atom(name), Data: xproto.ClientMessageDataUnionData32New(data)}
	xproto.SendEvent(d.x, false, d.source, 0, string(e.Bytes()))
}

func (d *x11Taker) listen() {
	defer close(d.ended)
	for {
		event, err := d.x.WaitForEvent()
		if event == nil && err == nil {
			return // closed
		}
		switch e := event.(type) {
		case xproto.ClientMessageEvent:
			d.message(e)
		case xproto.SelectionNotifyEvent:
			d.arrived(e.Property)
		case xproto.PropertyNotifyEvent:
			if d.inParts && e.Window == d.proxy && e.State == xproto.PropertyNewValue {
				d.part(e.Atom)
			}
		}
	}
}

func (d *x11Taker) message(e xproto.ClientMessageEvent) {
	words := e.Data.Data32
	switch e.Type {
	case d.atom("XdndEnter"):
		d.source = xproto.Window(words[0])
		d.takes = d.best(d.offers(words))
	case d.atom("XdndPosition"):
		accept, action := uint32(2), uint32(0) // 2: tell every movement
		if d.takes != 0 {
			accept, action = 3, uint32(d.atom("XdndActionCopy"))
		}
		d.tell("XdndStatus", accept, 0, 0, action)
	case d.atom("XdndDrop"):
		d.partial, d.inParts = nil, false
		xproto.ConvertSelection(d.x, d.proxy, d.atom("XdndSelection"), d.takes, d.atom("DUET_DROP"), xproto.Timestamp(words[2]))
	}
}

// best is the most wanted of some types, or 0.
func (d *x11Taker) best(offered []xproto.Atom) xproto.Atom {
	for _, name := range dropTypes {
		if a := d.atom(name); a != 0 && slices.Contains(offered, a) {
			return a
		}
	}
	return 0
}

// offers lists the types of what is dragged: three in the message, or more in a
// property.
func (d *x11Taker) offers(words []uint32) (types []xproto.Atom) {
	for _, t := range words[2:5] {
		types = append(types, xproto.Atom(t))
	}
	if words[1]&1 == 0 {
		return types
	}
	list, err := xproto.GetProperty(d.x, false, d.source, d.atom("XdndTypeList"), xproto.AtomAtom, 0, 1024).Reply()
	if err != nil {
		return types
	}
	for i := 0; i+4 <= len(list.Value); i += 4 {
		types = append(types, xproto.Atom(binary.LittleEndian.Uint32(list.Value[i:])))
	}
	return types
}

// read takes what stands in a property of the proxy, and removes it.
func (d *x11Taker) read(property xproto.Atom) (kind xproto.Atom, data []byte) {
	for {
		reply, err := xproto.GetProperty(d.x, false, d.proxy, property, xproto.GetPropertyTypeAny, uint32(len(data)/4), 1<<16).Reply()
		if err != nil {
			return 0, nil
		}
		kind, data = reply.Type, append(data, reply.Value...)
		if reply.BytesAfter == 0 {
			xproto.DeleteProperty(d.x, d.proxy, property)
			return kind, data
		}
	}
}

func (d *x11Taker) arrived(property xproto.Atom) {
	if property == 0 {
		d.finish(nil)
		return
	}
	kind, data := d.read(property)
	if kind == d.atom("INCR") { // it comes in parts, each when the last was removed
		d.inParts = true
		return
	}
	d.finish(data)
}

func (d *x11Taker) part(property xproto.Atom) {
	_, data := d.read(property)
	if len(data) == 0 || len(d.partial) > maxDrop {
		d.inParts = false
		d.finish(d.partial)
		return
	}
	d.partial = append(d.partial, data...)
}

// finish tells the source that it is done and passes on what was dropped.
func (d *x11Taker) finish(content []byte) {
	done := uint32(0)
	if len(content) > 0 {
		done = 1
	}
	d.tell("XdndFinished", done, uint32(d.atom("XdndActionCopy")))
	if len(content) == 0 {
		return
	}
	kind := "" // words
	if d.takes == d.atom(fileList) {
		kind = fileList
	}
	dropped(kind, content, d.send)
}
