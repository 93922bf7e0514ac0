package text

import (
	"slices"
	"strings"
	"testing"
)

func TestEncodeLengths(t *testing.T) {
	tok := tiny(t)
	text := "there are three red circles in the picture"
	full := tok.Encode(text, 0)
	for maxLen := -1; maxLen < len(full)+3; maxLen++ {
		got := tok.Encode(text, maxLen)
		want := len(full)
		if maxLen > 0 {
			want = min(max(maxLen, 2), len(full))
		}
		if len(got) != want || got[len(got)-1] != tok.EOS || !slices.Equal(got[:len(got)-1], full[:len(got)-1]) {
			t.Errorf("at most %d: %v", maxLen, got)
		}
	}
	for maxLen := 1; maxLen < 20; maxLen++ {
		got := tok.EncodePair(text, text, maxLen)
		if len(got) != max(maxLen, 4) || got[0] != tok.BOS || got[len(got)-1] != tok.EOS {
			t.Errorf("pair, at most %d: %v", maxLen, got)
		}
	}
	// A long text is not read to its end where a few ids are wanted.
	if got := tok.Encode(strings.Repeat(text+" ", 1<<15), 8); !slices.Equal(got[:7], full[:7]) || len(got) != 8 {
		t.Errorf("the beginning of a long text: %v", got)
	}
}

func TestDecode(t *testing.T) {
	tok := tiny(t)
	for _, c := range []struct {
		name string
		ids  []int32
		want string
	}{
		{"specials are left out", []int32{0, firstByte + 'a', 2, 2, firstByte + 'b', 2, 1, 1, tok.Mask}, "ab"},
		{"ids outside are left out", []int32{-1, firstByte + 'a', 1 << 30}, "a"},
		{"half a character", []int32{firstByte + 0xc3}, "\ufffd"},
		{"a character of two tokens", []int32{firstByte + 0xc3, firstByte + 0xa9}, "é"},
		{"nothing", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tok.Decode(c.ids); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := tok.Tokens([]int32{0, firstByte + ' ', -5}); !slices.Equal(got, []string{"<s>", "Ġ", ""}) {
		t.Errorf("tokens %q", got)
	}
	if id, ok := tok.ID("<mask>"); !ok || id != tok.Mask {
		t.Errorf("<mask> is %d", id)
	}
	if _, ok := tok.ID("absent"); ok {
		t.Error("an absent token has an id")
	}
}

func TestInvalidUTF8(t *testing.T) {
	tok := tiny(t)
	for _, s := range []string{"\xff", "a\xc3", "\xed\xa0\x80b", "\xf4\x90\x80\x80", "a\x80\x80<mask>"} {
		want := tok.Encode(strings.ToValidUTF8(s, "\ufffd"), 0)
		if got := tok.Encode(s, 0); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}
