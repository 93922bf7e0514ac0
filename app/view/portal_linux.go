package view

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// The desktop's portal for files (XDG Desktop Portal, FileChooser, version 3),
// whose dialog is the desktop's own and also reaches out of a sandbox.
const (
	portalName    = "org.freedesktop.portal.Desktop"
	portalPath    = "/org/freedesktop/portal/desktop"
	portalChooser = "org.freedesktop.portal.FileChooser"
	portalRequest = "org.freedesktop.portal.Request"
)

// sessionBus connects to the session's bus; none is started. The end of the
// context closes the connection.
func sessionBus(ctx context.Context) (*dbus.Conn, error) {
	bus, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := bus.Auth(nil); err != nil {
		bus.Close()
		return nil, err
	}
	if err := bus.Hello(); err != nil {
		bus.Close()
		return nil, err
	}
	return bus, nil
}

// hasPortal tells whether the portal runs or can be started, without doing so.
func hasPortal() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	bus, err := sessionBus(ctx)
	if err != nil {
		return false
	}
	defer bus.Close()
	for _, list := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		if err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+list, 0).Store(&names); err == nil && slices.Contains(names, portalName) {
			return true
		}
	}
	return false
}

// A portalFilter lets the user see only some files.
type portalFilter struct {
	Name  string
	Rules []portalRule
}

// A portalRule is a glob (0) or a media type (1).
type portalRule struct {
	Kind    uint32
	Pattern string
}

// portalDialog asks by way of the portal.
func portalDialog(what Choice, title string) ([]string, error) {
	bus, err := sessionBus(context.Background())
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	portal := bus.Object(portalName, portalPath)
	if what == ChooseFolder {
		version, err := portal.GetProperty(portalChooser + ".version")
		if err != nil {
			return nil, err
		}
		if v, ok := version.Value().(uint32); !ok || v < 3 {
			return nil, fmt.Errorf("view: the desktop's portal (version %v) shows no folders", version)
		}
	}
	options := map[string]dbus.Variant{"multiple": dbus.MakeVariant(what == ChoosePictures), "directory": dbus.MakeVariant(what == ChooseFolder)}
	if what == ChooseModel {
		options["filters"] = dbus.MakeVariant([]portalFilter{{"ZIP", []portalRule{{0, "*.zip"}}}})
	}
	return askPortal(bus, portal, title, options)
}

// askPortal makes a request and waits for its answer.
func askPortal(bus *dbus.Conn, portal dbus.BusObject, title string, options map[string]dbus.Variant) ([]string, error) {
	// The answer is a signal, which may come before the call returns. So it is
	// listened for first, at the path that the request will have.
	token := fmt.Sprintf("duet%d", rand.Uint32())
	options["handle_token"] = dbus.MakeVariant(token)
	sender := strings.ReplaceAll(strings.TrimPrefix(bus.Names()[0], ":"), ".", "_")
	request := dbus.ObjectPath(portalPath + "/request/" + sender + "/" + token)
	signals := make(chan *dbus.Signal, 16)
	bus.Signal(signals)
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchInterface(portalRequest), dbus.WithMatchObjectPath(request)},
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, portalName)},
	} {
		if err := bus.AddMatchSignal(match...); err != nil {
			return nil, err
		}
	}
	if err := portal.Call(portalChooser+".OpenFile", 0, "", title, options).Err; err != nil {
		return nil, err
	}
	for s := range signals {
		switch {
		case s.Path == request && s.Name == portalRequest+".Response":
			return portalAnswer(s.Body)
		case s.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(s.Body) == 3 && s.Body[2] == "":
			return nil, errors.New("view: the desktop's portal ended")
		}
	}
	return nil, errors.New("view: the session's bus ended")
}

// portalAnswer reads what was chosen.
func portalAnswer(body []any) ([]string, error) {
	var response uint32
	var uris []string
	var details map[string]dbus.Variant
	if err := dbus.Store(body, &response, &details); err != nil {
		return nil, fmt.Errorf("view: the desktop's portal: %w", err)
	}
	if response == 1 {
		return nil, nil // the user closed the dialog
	}
	if chosen, ok := details["uris"]; ok && response == 0 && chosen.Store(&uris) == nil {
		return pathsOf(strings.Join(uris, "\n")), nil
	}
	return nil, fmt.Errorf("view: the desktop's portal showed no dialog (response %d)", response)
}
