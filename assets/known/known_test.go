package known

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestModels(t *testing.T) {
	list := Models()
	kinds := map[Kind]int{}
	seen := map[string]bool{}
	for _, m := range list {
		t.Run(m.Name, func(t *testing.T) {
			if seen[m.Name] || strings.Count(m.Name, "/") != 1 {
				t.Error("the name is there twice, or is not OWNER/NAME")
			}
			seen[m.Name] = true
			switch m.Kind {
			case Vision, Text, Pair:
				kinds[m.Kind]++
			default:
				t.Errorf("kind %q", m.Kind)
			}
			switch m.Lacks {
			case LacksNothing, LacksTokenizer, LacksArchitecture:
			default:
				t.Errorf("lacks %q", m.Lacks)
			}
			if m.Lacks == LacksNothing && (m.Bytes == 0 || m.Licence == "") {
				t.Error("a model that is offered needs its size and licence")
			}
			if m.SHA256 != "" && !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(m.SHA256) {
				t.Errorf("sha256 %q", m.SHA256)
			}
			if m.URL != "" { // torch.hub's names end in the beginning of the hash
				_, tail, _ := strings.Cut(strings.TrimSuffix(path.Base(m.URL), ".pth"), "-")
				if len(tail) != 8 || !strings.HasPrefix(m.SHA256, tail) {
					t.Errorf("the hash %s does not begin as %s says", m.SHA256, m.URL)
				}
			}
			if got, ok := Find(m.Name); !ok || got != m {
				t.Error("it is not found by its name")
			}
		})
	}
	for _, kind := range []Kind{Vision, Text, Pair} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among them", kind)
		}
	}
	if _, ok := Find("nobody/nothing"); ok {
		t.Error("an unknown name is known")
	}
}
