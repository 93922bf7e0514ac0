package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func utf16LE(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func TestOpenTable(t *testing.T) {
	long := strings.Repeat("a", maxCaption+1)
	for _, c := range []struct {
		name, file, table string
		options           Options
		want              []string
		report            []string
	}{
		{name: "CSV", file: "t.csv", table: "file_name,text,label\n1.png,\"a, \"\"b\"\"\nc\",x\n2.png,d,y\n",
			want: []string{"1.png|a, \"b\"\nc|x|", "2.png|d|y|"}, report: []string{"column text of t.csv", "column label of t.csv"}},
		{name: "TSV with quotes", file: "t.tsv", table: "image\tcaption\tanswer\r\n1.png\t\"whole \"\"field\"\"\"\tx\r\n2.png\t\"two\" quotes \"in\"\ty\r\n",
			want: []string{"1.png|whole \"field\"|x|", "2.png|\"two\" quotes \"in\"|y|"}},
		{name: "JSONL", file: "t.jsonl", table: `{"image":"1.png","question":"q","answer":true}` + "\n\n" + `{"image":"2.png","question":["r","s"],"answer":3,"other":{"deep":[1]}}`,
			want: []string{"1.png|q|true|", "2.png|r/s|3|"}},
		{name: "JSONL with a name twice", file: "t.jsonl", table: `{"image":"1.png","Label":"x","label":"y","LABEL":"z","Text":"t","TEXT":"u"}`,
			want: []string{"1.png|u|y|"}},
		{name: "mark, spaces, capitals", file: "t.csv", table: "\ufeffFile_Name , TEXT,Category\n 1.png,x,y\n./2.png,x,y\n",
			want: []string{"2.png|x|y|"}, report: []string{"t.csv line 2: picture  1.png: no such file"}},
		{name: "UTF-16", file: "t.csv", table: utf16LE("image,text,label\n1.png,Brötchen,x\n"), want: []string{"1.png|Brötchen|x|"}},
		{name: "gzip", file: "t.csv.gz", table: gzipped("image,text,label\n1.png,q,x\n"), want: []string{"1.png|q|x|"}},
		{name: "split column", file: "t.csv", table: "image,label,split\n1.png,x,train\n2.png,x,Dev\n3.png,x,test\n4.png,x,\n5.png,x,holdout\n",
			want:   []string{"1.png||x|train", "2.png||x|val", "3.png||x|test", "4.png||x|"},
			report: []string{`t.csv line 6: split "holdout" is none of`, "column split of t.csv"}},
		{name: "chosen columns", file: "t.csv", options: Options{LabelColumn: "Colour", TextColumn: "note"}, table: "image,label,colour,text,note\n1.png,x,red,t,n\n",
			want: []string{"1.png|n|red|"}, report: []string{"column colour of t.csv", "column note of t.csv"}},
		{name: "captions in several rows", file: "t.csv", table: "image,text,label\n1.png,a,x\n2.png,c,y\n1.png,b,x\n1.png,b,x\n",
			want: []string{"1.png|a/b|x|", "2.png|c|y|"}, report: []string{"4 rows, 2 examples"}},
		{name: "captions in several rows, no labels", file: "t.csv", table: "image,text\n1.png,a\n1.png,b\n", want: []string{"1.png|a/b|-|"}},
		{name: "questions: labels differ", file: "t.csv", table: "image,question,answer\n1.png,a,yes\n1.png,b,no\n1.png,c,yes\n",
			want: []string{"1.png|a|yes|", "1.png|b|no|", "1.png|c|yes|"}},
		{name: "contradiction", file: "t.csv", table: "image,question,answer\n1.png,a,yes\n1.png,a,no\n",
			want: []string{"1.png|a|yes|", "1.png|a|no|"}, report: []string{"1 rows give a picture with the same words another label"}},
		{name: "rows that cannot be used", file: "t.jsonl", table: strings.Join([]string{
			`{"image":"1.png","label":"x"}`, `{"image":"1.png"`, `[1]`, `null`, `{"image":["1.png","2.png"],"label":"x"}`, `{"image":{"path":"1.png"},"label":"x"}`,
			`{"image":"2.png","label":["x","y"]}`, `{"image":"2.png"}`, `{"label":"x"}`, `{"image":"2.png","label":"x","text":"` + long + `"}`,
			`{"image":"2.png","label":"x","text":[["deep"]]}`, "{\"image\":\"2.png\",\"label\":\"\xff\"}", `{"image":"2.png","label":"a\u0000b"}`, `{"image":"","label":"x"}`}, "\n"),
			want: []string{"1.png||x|"},
			report: []string{"line 2: not a JSON object", "line 3: not a JSON object", "line 4: not a JSON object", "line 5: the row names 2 pictures", "line 6: column image: a text",
				"line 7: the row has 2 labels", "line 8: the row has no label", "line 9: the row names no picture", "line 10: a text of 64001 bytes", "line 11: column text: lists inside",
				"line 12: the row is not valid UTF-8", "line 13: the row holds a zero byte", "line 14: the row names no picture", "left out: 13 rows"}},
		{name: "CSV rows that cannot be used", file: "t.csv", table: "image,label\n1.png,x\n2.png\n2.png,x,y\n2.png,a \"b\" c\n2.png,y\n2.png,\"open",
			want: []string{"1.png||x|", "2.png||y|"}, report: []string{"line 3: 1 field, where the first line names 2", "line 4: 3 fields", "line 5: a quote stands inside", "line 7: a field in quotes does not end"}},
		{name: "words alone", file: "t.csv", table: "text,label\ngood,1\nbad,0\n", want: []string{"-|good|1|", "-|bad|0|"}, report: []string{"words alone"}},
		{name: "the last of equal fields counts", file: "t.jsonl", table: `{"image":"1.png","text":"first","text":"second"}`, want: []string{"1.png|second|-|"}},
		{name: "backslashes", file: "sub/t.csv", table: "image,label\npics\\6.png,x\n", want: []string{"sub/pics/6.png||x|"}},
		{name: "missing picture, several rows", file: "t.csv", table: "image,text,label\n1.png,a,x\nno.png,a,x\nno.png,b,y\n",
			want: []string{"1.png|a|x|"}, report: []string{"t.csv line 3: picture no.png: no such file (2 rows)", "left out: 2 rows, 1 picture"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := tree{"1.png": "#1", "2.png": "#2", "3.png": "#3", "4.png": "#4", "5.png": "#5", "sub/pics/6.png": "#6", c.file: c.table}
			got := tr.open(t, c.file, c.options)
			equalLines(t, summary(got), c.want)
			mustContain(t, got.Report.String(), c.report...)
		})
	}
}

func TestOpenTableRefuses(t *testing.T) {
	for _, c := range []struct {
		name, file, table string
		options           Options
		want              string
	}{
		{"empty", "t.jsonl", "", Options{}, "the table is empty"},
		{"mark alone", "t.csv", "\ufeff", Options{}, "no rows"},
		{"first line alone", "t.csv", "image,label\n", Options{}, "no rows"},
		{"no known column", "t.tsv", "good\t1\nbad\t0\n", Options{}, `no column for pictures (file_name, image) or words`},
		{"no such label column", "t.csv", "image,label\n1.png,x\n", Options{LabelColumn: "kind"}, `no column "kind"; its columns are "image", "label"`},
		{"no such text column", "t.jsonl", `{"image":"1.png","label":"x"}`, Options{TextColumn: "prose"}, `no column "prose"`},
		{"a column twice", "t.csv", "image,label,Label\n1.png,x,y\n", Options{}, `column "label" twice`},
		{"broken gzip", "t.csv.gz", "\x1f\x8bxxxxxxxxxxxxxxx", Options{}, "gzip"},
		{"cut gzip", "t.csv.gz", gzipped("image,label\n1.png,x\n")[:30], Options{}, "unexpected EOF"},
		{"binary", "t.csv", "\x00\x01\x02\n", Options{}, "not text"},
		{"huge CSV row", "t.csv", "image,label\n\"" + strings.Repeat("a\n", maxRecord), Options{}, "longer than 1 MB"},
		{"huge JSON row", "t.jsonl", `{"image":"` + strings.Repeat("a", 2*maxRecord) + `"}`, Options{}, "line 1: the row is longer than 1 MB"},
		{"not a table", "t.xlsx", "x", Options{}, "neither a folder nor a table"},
		{"level below zero", "t.csv", "x", Options{ClassLevel: -1}, "class level -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := tree{"1.png": "#1", c.file: c.table}
			got, err := Open(context.Background(), tr.fs(), c.file, c.options)
			if err == nil {
				t.Fatalf("accepted: %s", got.Report.String())
			}
			mustContain(t, err.Error(), c.want)
		})
	}
}

func TestImagesFolder(t *testing.T) {
	tr := tree{"t.csv": "image,label\na/1.png,x\n../2.png,y\n"}
	pictures := tree{"a/1.png": "#1", "2.png": "#2"}
	c := tr.open(t, "t.csv", Options{Images: pictures.fs()})
	equalLines(t, summary(c), []string{"a/1.png||x|"})
	mustContain(t, c.Report.String(), "leads out of the folder")
}

func TestCleanPath(t *testing.T) {
	for written, want := range map[string]string{
		"a.png": "a.png", "./a/b.png": "a/b.png", `a\b.png`: "a/b.png", "a/../b.png": "b.png", "a//b.png": "a/b.png", "…/ü.png": "…/ü.png",
		"": "", " ": "", ".": "", "..": "", "../a.png": "", `..\a.png`: "", "a/../../b.png": "", "/a.png": "", `\a.png`: "", `C:\a.png`: "", "c:a.png": "",
		"http://x/a.png": "", "file:///a.png": "", "data:image/png;base64,AA": "", "a\x00.png": "", "\xff.png": "",
	} {
		if got, err := cleanPath(written); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", written, got, err, want)
		}
	}
}

// Time and memory grow with a table's length and not faster.
func TestManyRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("image,text,label\n")
	for i := range 60_000 {
		fmt.Fprintf(&b, "%d.png,q%d,%d\n", i%3, i, i%7)
	}
	tr := tree{"0.png": "#0", "1.png": "#1", "2.png": "#2", "t.csv": b.String()}
	c := tr.open(t, "t.csv", Options{})
	if c.Report.Examples != 60_000 || c.Report.Pictures != 3 || len(c.Classes) != 7 {
		t.Errorf("%s", c.Report.String())
	}
}
