package ui

import (
	"strings"
	"testing"
)

func TestExportName(t *testing.T) {
	models := []Model{{ID: "default", Name: "default"}, {ID: "shapes", Name: "Shapes, warm & cool"}, {ID: "图片", Name: "图片"}, {ID: "x", Name: "../.."}}
	for _, test := range []struct{ id, format, want string }{
		{"default", "", "duet-default.zip"},
		{"shapes", "", "duet-shapes--warm---cool.zip"},
		{"shapes", FormatONNX, "duet-shapes--warm---cool.onnx"},
		{"图片", "", "duet-图片.zip"},
		{"x", "", "duet-model.zip"},
		{"unlisted", "", "duet-unlisted.zip"},
	} {
		if got := ExportName(models, test.id, test.format); got != test.want {
			t.Errorf("%s as %q goes to %q, want %q", test.id, test.format, got, test.want)
		}
	}
	if got := PlainName(strings.Repeat("图", 300)); len(got) > MaxPlainName || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
