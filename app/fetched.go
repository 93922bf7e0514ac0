//go:build !js

package app

import "duet/model/hub"

// fetched returns where a published model lies that was fetched; published tells
// that a name could be one's.
func fetched(name string) (path string, ok, published bool) {
	path, ok = hub.Find(name)
	return path, ok, hub.IsName(name)
}
