package view

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"duet/app/ui"

	"github.com/godbus/dbus/v5"
)

// newBus starts a bus of its own in place of the session's; it ends with the test.
func newBus(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("dbus-daemon")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v (make deps installs it)", err)
		}
		t.Skip(err)
	}
	daemon := exec.Command(path, "--session", "--nofork", "--print-address")
	daemon.Env = append(os.Environ(), "XDG_DATA_DIRS="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir()) // no services of the machine's
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon says no address: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
}

// A fakePortal answers as a desktop's would after the user chose.
type fakePortal struct {
	bus      *dbus.Conn
	version  uint32
	response uint32
	uris     []string
	goes     bool // in place of an answer

	title   string // of the last request
	options map[string]dbus.Variant
}

func newPortal(t *testing.T, p *fakePortal) *fakePortal {
	t.Helper()
	bus, err := sessionBus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	p.bus = bus
	if p.version == 0 {
		p.version = 3
	}
	for _, err := range []error{
		bus.Export(p, portalPath, portalChooser),
		bus.ExportMethodTable(map[string]any{"Get": func(_, _ string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(p.version), nil }},
			portalPath, "org.freedesktop.DBus.Properties"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bus.RequestName(portalName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return p
}

// OpenFile answers before it returns, as it may.
func (p *fakePortal) OpenFile(sender dbus.Sender, _, title string, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	p.title, p.options = title, options
	token, _ := options["handle_token"].Value().(string)
	request := dbus.ObjectPath(portalPath + "/request/" + strings.ReplaceAll(strings.TrimPrefix(string(sender), ":"), ".", "_") + "/" + token)
	if p.goes {
		p.bus.ReleaseName(portalName)
		return request, nil
	}
	results := map[string]dbus.Variant{}
	if p.response == 0 {
		results["uris"] = dbus.MakeVariant(p.uris)
	}
	if err := p.bus.Emit(request, portalRequest+".Response", p.response, results); err != nil {
		return "", dbus.MakeFailedError(err)
	}
	return request, nil
}

func TestPortal(t *testing.T) {
	tests := []struct {
		name    string
		portal  fakePortal
		what    Choice
		want    []string
		fails   string
		options string // part of what was asked for
	}{
		{"pictures", fakePortal{uris: []string{"file:///p/a%20b+c.png", "file:///p/%E5%9B%BE.jpg"}}, ChoosePictures, []string{"/p/a b+c.png", "/p/图.jpg"}, "", `"multiple": <true>`},
		{"a folder", fakePortal{uris: []string{"file:///p"}}, ChooseFolder, []string{"/p"}, "", `"directory": <true>`},
		{"a model", fakePortal{uris: []string{"file:///m.zip"}}, ChooseModel, []string{"/m.zip"}, "", `[["ZIP", [[0, "*.zip"]]]]`},
		{"nothing", fakePortal{response: 1}, ChoosePictures, nil, "", ""},
		{"no dialog", fakePortal{response: 2}, ChoosePictures, nil, "response 2", ""},
		{"a portal without folders", fakePortal{version: 2}, ChooseFolder, nil, "shows no folders", ""},
		{"a portal that ends", fakePortal{goes: true}, ChoosePictures, nil, "ended", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			newBus(t)
			if hasPortal() {
				t.Error("there is a portal already")
			}
			portal := newPortal(t, &test.portal)
			if !hasPortal() {
				t.Error("there is no portal")
			}
			got, err := portalDialog(test.what, "Choose")
			if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Errorf("error %v, want %q", err, test.fails)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if asked := dbus.MakeVariant(portal.options).String(); !strings.Contains(asked, test.options) {
				t.Errorf("asked with %s, want %s", asked, test.options)
			}
			if test.options != "" && portal.title != "Choose" {
				t.Errorf("the title is %q", portal.title)
			}
		})
	}
}

func TestChosen(t *testing.T) {
	broken := func(Choice, string) ([]string, error) { return nil, errors.New("broken") }
	gives := func(paths ...string) dialog { return func(Choice, string) ([]string, error) { return paths, nil } }
	tests := []struct {
		name string
		all  []dialog
		what Choice
		want ui.Message
	}{
		{"pictures", []dialog{gives("/p/a.png", "/p/b.png")}, ChoosePictures, ui.Drop{Files: []ui.File{{Name: "a.png", Path: "/p/a.png"}, {Name: "b.png", Path: "/p/b.png"}}}},
		{"a folder", []dialog{gives("/p/buses")}, ChooseFolder, ui.Choose{Source: ui.Source{Name: "buses", Path: "/p/buses"}}},
		{"the second dialog", []dialog{broken, gives("/m.zip")}, ChooseModel, ui.Drop{Files: []ui.File{{Name: "m.zip", Path: "/m.zip"}}}},
		{"nothing, and no second dialog", []dialog{gives(), gives("/p")}, ChooseFolder, nil},
		{"no dialog", []dialog{broken, broken}, ChoosePictures, ui.NoDialog{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := chosen(test.all, test.what, ""); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestProgramDialog has programs that answer as zenity and kdialog do.
func TestProgramDialog(t *testing.T) {
	tests := []struct {
		name, script string
		want         []string
		fails        bool
	}{
		{"two", `printf '/a b.png\n/c.png\n'`, []string{"/a b.png", "/c.png"}, false},
		{"closed", "exit 1", nil, false},
		{"broken", "exit 255", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ask := programDialog("/bin/sh", map[Choice][]string{ChoosePictures: {"-c", test.script}})
			got, err := ask(ChoosePictures, "Choose")
			if !reflect.DeepEqual(got, test.want) || (err != nil) != test.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
