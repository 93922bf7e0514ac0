package data

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"strings"
	"testing"
)

// jpegWith is a small JPEG with segments of metadata.
func jpegWith(t testing.TB, segments ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, drawn(3, 16, 16), nil); err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	result := append([]byte{}, file[:2]...)
	for _, s := range segments {
		result = append(result, s...)
	}
	return append(result, file[2:]...)
}

// segment is one of a JPEG's application segments.
func segment(marker byte, content string) []byte {
	s := []byte{0xff, marker}
	s = binary.BigEndian.AppendUint16(s, uint16(len(content)+2))
	return append(s, content...)
}

func xmpSegment(description string) []byte {
	return segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">`+description+`</rdf:Description></rdf:RDF></x:xmpmeta>`)
}

func iptcSegment(caption string) []byte {
	record := "\x1c\x02\x78" + string(binary.BigEndian.AppendUint16(nil, uint16(len(caption)))) + caption
	if len(record)%2 == 1 {
		record += "\x00"
	}
	return segment(0xed, "Photoshop 3.0\x00"+"8BIM\x04\x04\x00\x00"+string(binary.BigEndian.AppendUint32(nil, uint32(len(record))))+record)
}

// iptcUTF8 is a caption whose character set is told before it (ESC % G).
func iptcUTF8(caption string) []byte {
	record := "\x1c\x01\x5a\x00\x03\x1b%G" + "\x1c\x02\x78" + string(binary.BigEndian.AppendUint16(nil, uint16(len(caption)))) + caption
	if len(record)%2 == 1 {
		record += "\x00"
	}
	return segment(0xed, "Photoshop 3.0\x00"+"8BIM\x04\x04\x00\x00"+string(binary.BigEndian.AppendUint32(nil, uint32(len(record))))+record)
}

func exifSegment(description string) []byte {
	text := description + "\x00"
	tiff := "MM\x00\x2a\x00\x00\x00\x08" + "\x00\x01" + "\x01\x0e\x00\x02" +
		string(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) + "\x00\x00\x00\x1a" + "\x00\x00\x00\x00" + text
	return segment(0xe1, "Exif\x00\x00"+tiff)
}

func TestDescription(t *testing.T) {
	xmp := xmpSegment(`<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a boat
 on the  lake</rdf:li></rdf:Alt></dc:description>`)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"none", jpegWith(t), ""},
		{"xmp", jpegWith(t, xmp), "a boat on the lake"},
		{"xmp in Chinese", jpegWith(t, xmpSegment(`<dc:description><rdf:Alt><rdf:li xml:lang="x-default">湖上的船</rdf:li></rdf:Alt></dc:description>`)), "湖上的船"},
		{"iptc", jpegWith(t, iptcSegment("two men row")), "two men row"},
		{"iptc in UTF-8", jpegWith(t, iptcUTF8("café 湖上的船")), "café 湖上的船"},
		{"exif", jpegWith(t, exifSegment("a grey morning")), "a grey morning"},
		{"xmp before iptc before exif", jpegWith(t, exifSegment("a grey morning"), iptcSegment("two men row"), xmp), "a boat on the lake"},
		{"iptc before exif", jpegWith(t, exifSegment("a grey morning"), iptcSegment("two men row")), "two men row"},
		{"title alone", jpegWith(t, xmpSegment(`<dc:title>x</dc:title>`)), ""},
		{"broken xmp", jpegWith(t, xmpSegment(`<dc:description><rdf:Alt>`), exifSegment("a grey morning")), ""},
		{"png", pngOf(drawn(3, 16, 16)), ""},
		{"no picture", []byte("hello"), ""},
		{"empty", nil, ""},
	} {
		got := Description(bytes.NewReader(c.file))
		if c.name == "broken xmp" {
			if got != "" && got != "a grey morning" {
				t.Errorf("%s: %q", c.name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	long := strings.Repeat("船", 5000)
	got := Description(bytes.NewReader(jpegWith(t, xmpSegment("<dc:description><rdf:Alt><rdf:li>"+long+"</rdf:li></rdf:Alt></dc:description>"))))
	if len(got) > maxDescription || len(got) < maxDescription-3 || !strings.HasPrefix(long, got) {
		t.Errorf("of a long one %d bytes", len(got))
	}
}

func FuzzDescription(f *testing.F) {
	f.Add(jpegWith(f, exifSegment("a grey morning"), iptcSegment("two men row"), xmpSegment("<dc:description>x</dc:description>")))
	f.Add(pngOf(drawn(3, 16, 16)))
	f.Fuzz(func(t *testing.T, file []byte) {
		if s := Description(bytes.NewReader(file)); strings.ContainsAny(s, "\n\r\t") || len(s) > maxDescription {
			t.Errorf("%q", s)
		}
	})
}
