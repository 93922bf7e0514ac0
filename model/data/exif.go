package data

import (
	"bytes"
	"encoding/binary"
	"io"
)

// readOrientation finds the EXIF orientation (tag 0x0112) of a JPEG, PNG or
// WebP. A picture without one, or with one outside 1 to 8, is upright: 1.
func readOrientation(r io.ReaderAt, size int64, format string) int {
	var exif []byte
	switch format {
	case "jpeg":
		exif = jpegEXIF(r, size)
	case "png":
		exif = chunkEXIF(r, size, 8, pngChunk)
	case "webp":
		exif = chunkEXIF(r, size, 12, riffChunk)
	}
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	if v := tiffOrientation(exif); v >= 1 && v <= 8 {
		return v
	}
	return 1
}

const (
	maxSegments = 4096    // more segments or chunks than this are not searched
	maxEXIF     = 1 << 16 // orientation stands in the first directory, near the start
)

// jpegEXIF walks the segments before the scan (ITU T.81, annex B) to the first
// APP1 that holds EXIF.
func jpegEXIF(r io.ReaderAt, size int64) []byte {
	at := int64(2)
	for range maxSegments {
		var head [4]byte
		if _, err := r.ReadAt(head[:], at); err != nil || head[0] != 0xff {
			return nil
		}
		marker := head[1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		length := int64(binary.BigEndian.Uint16(head[2:]))
		if marker == 0xda || length < 2 { // start of scan
			return nil
		}
		if marker == 0xe1 {
			if body := readPart(r, at+4, length-2, size); bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
				return body
			}
		}
		at += 2 + length
	}
	return nil
}

// chunkEXIF walks chunks that start at the given offset to the one with EXIF.
func chunkEXIF(r io.ReaderAt, size, at int64, parse func(head []byte) (exif bool, length, before, after int64)) []byte {
	for range maxSegments {
		var head [8]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return nil
		}
		exif, length, before, after := parse(head[:])
		if exif {
			return readPart(r, at+before, length, size)
		}
		at += before + length + after
	}
	return nil
}

// pngChunk: length, type, body, CRC.
func pngChunk(head []byte) (exif bool, length, before, after int64) {
	return string(head[4:]) == "eXIf", int64(binary.BigEndian.Uint32(head)), 8, 4
}

// riffChunk: type, length, body padded to an even length.
func riffChunk(head []byte) (exif bool, length, before, after int64) {
	length = int64(binary.LittleEndian.Uint32(head[4:]))
	return string(head[:4]) == "EXIF", length, 8, length & 1
}

func readPart(r io.ReaderAt, at, length, size int64) []byte {
	length = min(length, maxEXIF, size-at)
	if length <= 0 {
		return nil
	}
	part := make([]byte, length)
	if n, _ := r.ReadAt(part, at); int64(n) < length {
		return nil
	}
	return part
}

// tiffOrientation reads the tag from the first directory of a TIFF header; 0
// where there is none.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 0
	}
	if len(b) < 8 {
		return 0
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 0
	}
	entries := int(order.Uint16(b[at:]))
	for i := range entries {
		entry := at + 2 + 12*uint64(i)
		if entry+12 > uint64(len(b)) {
			return 0
		}
		if order.Uint16(b[entry:]) == 0x0112 {
			return int(order.Uint16(b[entry+8:]))
		}
	}
	return 0
}
