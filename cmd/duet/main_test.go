//go:build !js

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestEveryCommandIsDescribed(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("duet"), helpVariables())
	if err != nil {
		t.Fatal(err)
	}
	if len(parser.Model.Children) == 0 {
		t.Fatal("no commands")
	}
	for _, command := range parser.Model.Children {
		if command.Help == "" {
			t.Errorf("%s has no help", command.Name)
		}
		for _, flag := range command.Flags {
			if flag.Help == "" {
				t.Errorf("%s --%s has no help", command.Name, flag.Name)
			}
		}
	}
}

func TestRunReportsMistakes(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"unknown command", []string{"fly"}, 2, "duet: unexpected argument fly"},
		{"unknown flag", []string{"serve", "--fast"}, 2, "duet: unknown flag --fast"},
		{"failure", []string{"serve", "--dir", t.TempDir()}, 1, "duet serve: no tab in "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := run(t.Context(), test.args, streams{&out, &errs})
			if status != test.status || !strings.HasPrefix(errs.String(), test.want) {
				t.Errorf("status %d, %q; want %d, %q...", status, errs.String(), test.status, test.want)
			}
			if out.Len() > 0 {
				t.Errorf("wrote to standard output: %q", out.String())
			}
		})
	}
}
