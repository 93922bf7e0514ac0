package checkpoint

import "io"

// mapFile maps nothing in the tab, where files are Blobs.
func mapFile(string, int64) (io.ReaderAt, io.Closer) { return nil, nil }
