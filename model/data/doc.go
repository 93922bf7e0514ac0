// Package data turns a folder, a table or tar shards of pictures with labels
// and captions into batches for training.
//
//	Open, OpenPath   read a collection and say in a [Report] what was inferred
//	Collection       classes and examples; HoldOut draws the validation part
//	Picture          one picture file or shard entry: opened, hashed, decoded on demand
//	Image            a decoded picture; Decode checks its size before decoding
//	Prep             resize, crop, normalise: pixels to a tensor [H W 4]
//	Augment          seeded random changes for training
//	Loader           an ordered, bounded, concurrent stream of batches
//	Check            runs these readers over a file and gives a verdict
//
// Everything reads through [io/fs.FS], so the same code serves folders on disk,
// files dropped on a page ([MapFS]) and tests. Pictures stream: a collection
// holds names and sizes, a loader a bounded number of decoded pictures, and an
// optional [Cache] prepared ones up to a budget of bytes.
//
// # Conventions
//
// A folder is read as, in this order of precedence:
//
//  1. metadata.jsonl or metadata.csv inside each split folder (train,
//     validation|val|valid|dev, test) or, without split folders, in the folder;
//  2. a folder per class, at any depth below the split folder;
//  3. a table lying in the folder;
//  4. tar shards of the WebDataset convention.
//
// A path to a table or a tar shard reads that file. To add a convention, write
// a function that appends rows to a builder (see imagefolder.go, table.go and
// webdataset.go) and call it from openFolder or openFile; merging rows,
// checking pictures, listing classes and reporting happen in builder.finish for
// all of them.
//
// # Untrusted input
//
// Names in tables and shards never lead out of the collection's folder, links
// that do are not followed, and no address is fetched. A picture's dimensions
// are checked before it is decoded, records and captions have a longest length,
// and decoders run under recover. What is left out is named in the report with
// its reason; nothing is substituted.
package data
