package data

import (
	"fmt"
	"io"
	"strings"

	"github.com/bep/imagemeta"
)

// maxDescription bounds a picture's own description, in bytes.
const maxDescription = 8 << 10

// describable are the formats whose metadata are looked at.
var describable = map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.WebP}

// Description returns what a JPEG, WebP or PNG says about itself: its XMP
// dc:description (not a PNG's), else its IPTC caption, else its EXIF
// ImageDescription, on one line; "" where it says nothing. What cannot be read counts as nothing: a broken remark is no
// reason not to show a picture.
func Description(r io.ReadSeeker) (text string) {
	first := make([]byte, 16)
	n, _ := io.ReadFull(r, first)
	c := codecOf(first[:n])
	if c == nil {
		return ""
	}
	format, ok := describable[c.name]
	if !ok {
		return ""
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return ""
	}
	defer func() {
		if recover() != nil { // a library that reads files of strangers
			text = ""
		}
	}()
	// The better source comes first.
	var found [3]string
	_, err := imagemeta.Decode(imagemeta.Options{
		R: r, ImageFormat: format, Sources: imagemeta.EXIF | imagemeta.IPTC | imagemeta.XMP, LimitTagSize: maxDescription,
		Warnf: func(string, ...any) {},
		ShouldHandleTag: func(t imagemeta.TagInfo) bool {
			return sourceOf(t) >= 0 || t.Source == imagemeta.IPTC && t.Tag == "CodedCharacterSet" // how the caption is written
		},
		HandleTag: func(t imagemeta.TagInfo) error {
			if at := sourceOf(t); at >= 0 && found[at] == "" {
				if list, ok := t.Value.([]string); ok && len(list) > 0 {
					t.Value = list[0] // of several languages the first
				}
				found[at] = oneLine(fmt.Sprint(t.Value))
			}
			return nil
		},
	})
	if err != nil && !imagemeta.IsInvalidFormat(err) {
		return ""
	}
	for _, s := range found {
		if s != "" {
			return s
		}
	}
	return ""
}

// sourceOf is the place of a description among its sources, or −1 for another tag.
func sourceOf(t imagemeta.TagInfo) int {
	switch {
	case t.Source == imagemeta.XMP && strings.EqualFold(t.Tag, "Description") && strings.Contains(t.Namespace, "purl.org/dc/"):
		return 0
	case t.Source == imagemeta.IPTC && t.Tag == "Caption-Abstract":
		return 1
	case t.Source == imagemeta.EXIF && t.Tag == "ImageDescription":
		return 2
	}
	return -1
}

// oneLine joins the words of a text with single blanks and bounds it.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxDescription {
		s = strings.ToValidUTF8(s[:maxDescription], "") // not within a character
	}
	return s
}
