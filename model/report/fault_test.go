package report

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"duet/gpu/adapter"
)

// toldError is one of an engine elsewhere.
type toldError struct{}

func (toldError) Error() string                       { return "b.csv: line 3" }
func (toldError) Told() (code string, names []string) { return "table", []string{"b.csv"} }

func TestFaultOf(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	_, notThere := os.Open(absent)
	given := Because(errors.New("data: a.png: not a PNG"), BadPicture, "a.png")
	tests := []struct {
		name  string
		err   error
		want  Reason
		names []string
	}{
		{"none", errors.New("something else"), NoReason, nil},
		{"given", fmt.Errorf("app: %w", given), BadPicture, []string{"a.png"}},
		{"told", fmt.Errorf("app: %w", toldError{}), BadTable, []string{"b.csv"}},
		{"a file", fmt.Errorf("app: %w", notThere), NotFound, []string{absent}},
		{"a file without a name", fmt.Errorf("app: %w", fs.ErrNotExist), NoReason, nil},
		{"not permitted", &fs.PathError{Op: "open", Path: "/a/b", Err: syscall.EACCES}, NotPermitted, []string{filepath.Clean("/a/b")}},
		{"full, whatever was done", Because(&fs.PathError{Op: "write", Path: "m", Err: syscall.ENOSPC}, BadModel, "m"), DiskFull, nil},
		{"lost, whatever was done", Because(fmt.Errorf("resuming: %w", adapter.ErrLost), BadState), AdapterLost, nil},
		{"no memory", fmt.Errorf("gpu: allocating: %w", adapter.ErrMemory), AdapterMemory, nil},
		{"no adapter", fmt.Errorf("gpu: %w: install one", adapter.ErrNone), NoAdapter, nil},
		{"an address", fmt.Errorf("hub: %w", &url.Error{Op: "Get", URL: "https://example.org", Err: errors.New("no route")}), Offline, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := FaultOf(test.err)
			if got.Reason != test.want || !reflect.DeepEqual(got.Names, test.names) || got.Error() != test.err.Error() {
				t.Errorf("got %s %q: %v", got.Reason, got.Names, got.Err)
			}
		})
	}
}

func TestReasonCodes(t *testing.T) {
	for r := NoReason; r < Reasons; r++ {
		if got := ReasonOf(r.String()); got != r || r != NoReason && r.String() == "" {
			t.Errorf("%d has the code %q, which is %d", r, r, got)
		}
	}
	if got := ReasonOf("of a later version"); got != NoReason {
		t.Errorf("an unknown code is %d", got)
	}
}
