package text

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCleaning(t *testing.T) {
	var (
		none  = Cleaning{}
		usual = DefaultCleaning()
		urls  = Cleaning{URLs: true}
		html  = Cleaning{HTML: true}
		all   = Cleaning{NFC: true, Controls: true, Whitespace: true, URLs: true, HTML: true}
	)
	for _, c := range []struct {
		name     string
		cleaning Cleaning
		in, want string
	}{
		{"zero value changes nothing", none, " e\u0301\x00 \xff <b> ", " e\u0301\x00 \xff <b> "},
		{"composes", usual, "cafe\u0301", "café"},
		{"composes across an invisible character", usual, "e\u200b\u0301", "é"},
		{"compatibility forms stay", usual, "ﬁ ² ①", "ﬁ ² ①"},
		{"controls go", usual, "a\x00b\x1b[0m\u007f\u0086", "ab[0m"},
		{"invisible characters go", usual, "\ufeffa\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u206f\ufff9\ufffb\ufdd0\uffff\U0001fffeb", "ab"},
		{"emoji sequences stay", usual, "👩‍👩‍👧 🏴\U000e0067\U000e007f", "👩‍👩‍👧 🏴\U000e0067\U000e007f"},
		{"joiners of Persian stay", usual, "می\u200cخواهم", "می\u200cخواهم"},
		{"blanks of any kind", usual, "\t a \r\n\u3000b\u00a0\u2028c ", "a b c"},
		{"newline parts words", Cleaning{Controls: true}, "a\nb", "a\nb"},
		{"invalid bytes", usual, "a\xff\xfeb", "a\ufffdb"},
		{"case and tags stay", usual, "A <b> http://x.y", "A <b> http://x.y"},
		{"only blanks", usual, " \n ", ""},

		{"address", urls, "see https://example.org/a?b=(c)&d=1 now", "see  now"},
		{"address at the end of a sentence", urls, "see http://example.org/a.", "see ."},
		{"in brackets", urls, "a (www.example.org) b", "a () b"},
		{"upper case", urls, "HTTPS://EXAMPLE.ORG", ""},
		{"no address", urls, "https:// www. awww.b http", "https:// www. awww.b http"},
		{"two", urls, "http://a.b http://c.d", " "},

		{"tags", html, "<p>A <b>red</b> cat</p>", " A red cat "},
		{"line break parts words", html, "a<br/>b<BR>c", "a b c"},
		{"tag within a word", html, "un<em>believ</em>able", "unbelievable"},
		{"attributes", html, `<a href="x" title='y'>link</a>`, "link"},
		{"comment", html, "a<!-- b > c -->d", "ad"},
		{"open comment", html, "a<!-- b", "a"},
		{"script", html, "a<script src=x>if (a<b) {}</script >b", "a b"},
		{"open style", html, "a<style>p {}", "a "},
		{"doctype", html, "<!DOCTYPE html>a", " a"},
		{"no tags", html, "a < b > c <3 <> </> 1<2", "a < b > c <3 <> </> 1<2"},
		{"open tag", html, "a <b", "a <b"},
		{"tag in a tag", html, "a <b <i>c", "a <b c"},
		{"entities", html, "&amp; &lt;b&gt; &eacute; &#x1F600; &nosuch;", "& <b> é 😀 &nosuch;"},

		{"all", all, "<p>cafe\u0301&nbsp;&nbsp;at <a href='http://x.y'>www.x.org/a</a>!</p>", "café at !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.cleaning.Apply(c.in); got != c.want {
				t.Errorf("%q: got %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestCleaningJSON(t *testing.T) {
	data, err := json.Marshal(DefaultCleaning())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"nfc":true,"controls":true,"whitespace":true,"urls":false,"html":false}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	var c Cleaning
	if err := json.Unmarshal([]byte(`{}`), &c); err != nil || c != (Cleaning{}) {
		t.Errorf("an empty object is %+v, %v", c, err)
	}
}

// TestCleaningIsLinear has texts that make careless scanners quadratic.
func TestCleaningIsLinear(t *testing.T) {
	all := Cleaning{NFC: true, Controls: true, Whitespace: true, URLs: true, HTML: true}
	for _, unit := range []string{"<", "<a ", "<!--", "<!-", "</script", "<script>", "<script></", "&", "&amp", "http://", "www.", " www.) ", "www.x ", "e\u0301", "\u0301", "<a \""} {
		start := time.Now()
		all.Apply(strings.Repeat(unit, 1<<20/len(unit)))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q repeated: %v for 1 MiB", unit, took)
		}
	}
}

func FuzzCleaning(f *testing.F) {
	for _, s := range []string{"", "e\u0301 \u200b <b>x</b> &lt; http://x.y", "a\xff", "<!-- <script>"} {
		f.Add(s, byte(31))
	}
	f.Fuzz(func(t *testing.T, s string, on byte) {
		c := Cleaning{NFC: on&1 != 0, Controls: on&2 != 0, Whitespace: on&4 != 0, URLs: on&8 != 0, HTML: on&16 != 0}
		got := c.Apply(s)
		if c == (Cleaning{}) {
			if got != s {
				t.Errorf("nothing was on, but %q became %q", s, got)
			}
			return
		}
		if !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		if !c.URLs && !c.HTML && c.Apply(got) != got {
			t.Errorf("%q became %q, then %q", s, got, c.Apply(got))
		}
	})
}
