package report

import (
	"path"
	"strings"
)

// IsPicture tells what is taken for a picture in a folder.
func IsPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp":
		return true
	}
	return false
}

// IsForeignPicture recognises pictures in formats that are not read, so that
// they are named instead of overlooked.
func IsForeignPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".psd", ".jp2", ".jxl":
		return true
	}
	return false
}
