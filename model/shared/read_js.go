package shared

import (
	"io"
	"net/http"
	"path"
	"syscall/js"
	"testing"
)

// Read fetches a file of the reference data. Each fixture's folder lies beside
// the page that runs the test.
func Read(t testing.TB, elements ...string) []byte {
	t.Helper()
	name := path.Join(elements[1:]...)
	response, err := http.Get(js.Global().Get("location").Get("origin").String() + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", name, response.StatusCode, err)
	}
	return data
}
