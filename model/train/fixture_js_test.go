package train

import (
	"io"
	"net/http"
	"syscall/js"
	"testing"
)

// readFixture fetches a file of the fixtures, which lie beside the page.
func readFixture(t *testing.T, name string) []byte {
	t.Helper()
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
