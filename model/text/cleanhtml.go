package text

import (
	"html"
	"strings"
)

// stripHTML drops tags, comments and the contents of scripts and styles, then
// decodes entities. A tag that breaks a line or a cell leaves a space. What is
// no tag ("a < b", "<3") stays.
func stripHTML(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var out strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			out.WriteString(s)
			break
		}
		out.WriteString(s[:open])
		s = s[open:]
		if strings.HasPrefix(s, "<!--") {
			_, s, _ = strings.Cut(s, "-->") // an open comment runs to the end, as in browsers
			continue
		}
		name, n := tag(s)
		if n == 0 {
			out.WriteByte('<')
			s = s[1:]
			continue
		}
		s = s[n:]
		if !inline(name) {
			out.WriteByte(' ')
		}
		if name == "script" || name == "style" {
			s = afterClosing(s, name)
		}
	}
	return html.UnescapeString(out.String())
}

// tag gives the name, in lower case and with its slash if it closes, and the
// length in bytes of the tag that s begins with; 0 where "<" begins none.
func tag(s string) (name string, n int) {
	end := 1 + strings.IndexAny(s[1:], "<>")
	if end == 0 || s[end] != '>' {
		return "", 0
	}
	inside := s[1:end]
	name = strings.ToLower(inside)
	if i := strings.IndexFunc(name[min(1, len(name)):], func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') }); i >= 0 {
		name = name[:i+1]
	}
	first := strings.TrimPrefix(name, "/")
	if first == "" || !('a' <= first[0] && first[0] <= 'z' || first[0] == '!') {
		return "", 0
	}
	return name, end + 1
}

// inline says whether a tag may stand within a word.
func inline(name string) bool {
	switch strings.TrimPrefix(name, "/") {
	case "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "mark", "q",
		"s", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "wbr":
		return true
	}
	return false
}

// afterClosing gives what follows the closing tag of an element, "" without one.
func afterClosing(s, name string) string {
	for {
		_, rest, ok := strings.Cut(s, "</")
		if !ok {
			return ""
		}
		s = rest
		if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
			continue
		}
		_, s, _ = strings.Cut(s, ">")
		return s
	}
}
