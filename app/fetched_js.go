package app

// fetched finds nothing in the tab, where models come as files.
func fetched(string) (path string, ok, published bool) { return "", false, false }
