package assets

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"
)

type drawnRow struct{ text, label, picture string }

// rows returns the first n rows of a task without painting the pictures.
func (t *task) rows(seed uint64, n int) []drawnRow {
	var list []drawnRow
	for len(list) < n {
		at := t.locate(len(list))
		g := t.group(seed, at)
		for p := range g.scenes {
			at.picture = p
			for q, text := range g.texts {
				list = append(list, drawnRow{text, g.labels[p][q], t.id(seed, at)})
			}
		}
	}
	return list[:n]
}

// bestGuess returns the share of rows that the commonest label of their key is right about.
func bestGuess(rows []drawnRow, key func(drawnRow) string) float64 {
	counts := map[string]map[string]int{}
	for _, r := range rows {
		k := key(r)
		if counts[k] == nil {
			counts[k] = map[string]int{}
		}
		counts[k][r.label]++
	}
	right := 0
	for _, labels := range counts {
		best := 0
		for _, n := range labels {
			best = max(best, n)
		}
		right += best
	}
	return float64(right) / float64(len(rows))
}

func TestBalance(t *testing.T) {
	for _, task := range allTasks() {
		for _, seed := range []uint64{0, 1, 99} {
			t.Run(fmt.Sprintf("%s/seed=%d", task.name, seed), func(t *testing.T) {
				rows := task.rows(seed, 5000)
				majority := bestGuess(rows, func(drawnRow) string { return "" })
				byText := bestGuess(rows, func(r drawnRow) string { return r.text })
				byPicture := bestGuess(rows, func(r drawnRow) string { return r.picture })
				t.Logf("majority %.4f, best answer per question %.4f, per picture %.4f", majority, byText, byPicture)
				if byText > majority+0.05 || byPicture > majority+0.05 {
					t.Errorf("words alone reach %.4f and pictures alone %.4f, more than 0.05 above the majority %.4f", byText, byPicture, majority)
				}
				if majority > 0.51 {
					t.Errorf("the commonest answer is right for %.4f of the rows", majority)
				}
			})
		}
	}
}

func TestEveryAnswerOccurs(t *testing.T) {
	for _, task := range allTasks() {
		seen := map[string]bool{}
		for _, r := range task.rows(3, 5000) {
			seen[r.label] = true
			if !slices.Contains(task.answers, r.label) {
				t.Fatalf("%s: %q is answered %q, which is not in its list", task.name, r.text, r.label)
			}
		}
		if len(seen) != len(task.answers) {
			t.Errorf("%s: %d of %d answers occur", task.name, len(seen), len(task.answers))
		}
	}
}

// TestAnswersAreTrue reads each question anew and answers it from the arranged figures.
func TestAnswersAreTrue(t *testing.T) {
	for _, task := range allTasks() {
		t.Run(task.name, func(t *testing.T) {
			for i := 0; i < 3000; {
				at := task.locate(i)
				g := task.group(11, at)
				for p, figures := range g.scenes {
					arrange(newRNG(11, "arrange", i+p), figures)
					if len(figures) < 1 || len(figures) > 3 {
						t.Fatalf("row %d shows %d shapes", i, len(figures))
					}
					for q, text := range g.texts {
						if want := answerFrom(t, figures, text); g.labels[p][q] != want {
							t.Fatalf("row %d: %q is answered %q; the picture says %q: %+v", i, text, g.labels[p][q], want, figures)
						}
					}
				}
				i += task.designs[at.design].rows()
			}
		})
	}
}

// answerAlike answers a question about all the shapes, or about those of one kind.
func answerAlike(t *testing.T, figures []figure, text string, plurals []string) string {
	f := figures[0]
	for _, g := range figures {
		if (g.kind != f.kind || g.colour != f.colour) && !strings.Contains(text, "count") && !strings.Contains(text, "how many") {
			t.Fatalf("%q: the shapes differ: %+v", text, figures)
		}
	}
	switch {
	case len(plurals) == 1 && plurals[0] != f.kind.plural():
		return "none"
	case strings.Contains(text, "colo"):
		return f.colour.String()
	case strings.Contains(text, "count"), strings.Contains(text, "how many"):
		return countWord(len(figures))
	case strings.Contains(text, "where"), strings.Contains(text, "side"):
		return place(t, text, f)
	}
	return f.kind.String()
}

// place is the side of the picture on which a figure lies.
func place(t *testing.T, text string, f figure) string {
	dx, dy := f.x-0.5, f.y-0.5
	if max(math.Abs(dx), math.Abs(dy)) < 2*min(math.Abs(dx), math.Abs(dy)) {
		t.Fatalf("%q: (%.2f, %.2f) is on no side", text, f.x, f.y)
	}
	if math.Abs(dx) > math.Abs(dy) {
		return map[bool]string{true: "left", false: "right"}[dx < 0]
	}
	return map[bool]string{true: "top", false: "bottom"}[dy < 0]
}

// answerFrom reads the words of a question by their meaning, not by the list of wordings.
func answerFrom(t *testing.T, figures []figure, text string) string {
	var shapes, plurals, colors []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" .,?", r) }) {
		switch {
		case slices.Contains(kindWords(), word):
			shapes = append(shapes, word)
		case slices.Contains(kindPlurals[:], word):
			plurals = append(plurals, word)
		case slices.Contains(colourWords(), word):
			colors = append(colors, word)
		}
	}
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
	}
	count := func(match func(figure) bool) (n int, last figure) {
		for _, f := range figures {
			if match(f) {
				n, last = n+1, f
			}
		}
		return n, last
	}
	if len(shapes)+len(plurals)+len(colors) == 0 || has(" are the ", " do the ") && !has("how many") && len(plurals) == 1 {
		return answerAlike(t, figures, text, plurals)
	}
	named := func(name string) (int, figure) { return count(func(f figure) bool { return f.kind.String() == name }) }
	switch {
	case has("how many", "count"):
		n, _ := count(func(f figure) bool {
			return len(plurals) == 1 && f.kind.plural() == plurals[0] || len(colors) == 1 && f.colour.String() == colors[0]
		})
		return []string{"none", "one", "two", "three"}[n]
	case has(" a "):
		n, _ := count(func(f figure) bool { return f.kind.String() == shapes[0] && f.colour.String() == colors[0] })
		return map[bool]string{true: "yes", false: "no"}[n > 0]
	case len(shapes) == 2:
		n, a := named(shapes[0])
		m, b := named(shapes[1])
		if n == 0 || m == 0 {
			return "none"
		}
		if ratio := max(a.radius, b.radius) / min(a.radius, b.radius); has("bigger", "larger", "smaller") && ratio < 1.28 {
			t.Fatalf("%q: the sizes differ by %.2f only", text, ratio)
		}
		if has("left", "right") && math.Abs(a.x-b.x) < 0.25 || has("above", "below", "higher") && math.Abs(a.y-b.y) < 0.25 {
			t.Fatalf("%q: the places hardly differ: %+v %+v", text, a, b)
		}
		yes := has("bigger", "larger") && a.radius > b.radius || has("smaller") && a.radius < b.radius ||
			has("left") && a.x < b.x || has("right") && a.x > b.x || has("above", "higher") && a.y < b.y || has("below") && a.y > b.y
		if has("left", "right", "above", "higher", "below") {
			return fmt.Sprint(yes)
		}
		return map[bool]string{true: "yes", false: "no"}[yes]
	case len(shapes) == 0:
		n, f := count(func(f figure) bool { return f.colour.String() == colors[0] })
		return map[bool]string{true: f.kind.String(), false: "none"}[n > 0]
	}
	n, f := named(shapes[0])
	if n == 0 {
		return "none"
	}
	switch {
	case n > 1:
		t.Fatalf("%q: there are %d", text, n)
	case has("where", "side"):
		return place(t, text, f)
	case has("kind of", "warm", "family"):
		return map[string]string{
			"red": "warm", "pink": "warm", "yellow": "warm", "green": "cool", "blue": "cool", "purple": "cool",
			"black": "neutral", "gray": "neutral", "white": "neutral",
		}[f.colour.String()]
	case len(colors) == 1:
		return map[bool]string{true: "yes", false: "no"}[f.colour.String() == colors[0]]
	}
	return f.colour.String()
}

func TestFiguresStandApart(t *testing.T) {
	for _, task := range allTasks() {
		for i := 0; i < 2000; {
			at := task.locate(i)
			g := task.group(5, at)
			for p, figures := range g.scenes {
				arrange(newRNG(5, "arrange", i+p), figures)
				for j, f := range figures {
					if f.radius < 0.075 || f.x < f.radius || f.y < f.radius || f.x > 1-f.radius || f.y > 1-f.radius {
						t.Fatalf("%s row %d: a figure is too small or leaves the picture: %+v", task.name, i, f)
					}
					for _, e := range figures[:j] {
						if math.Hypot(f.x-e.x, f.y-e.y) < f.radius+e.radius {
							t.Fatalf("%s row %d: figures touch: %+v %+v", task.name, i, e, f)
						}
					}
				}
			}
			i += task.designs[at.design].rows()
		}
	}
}

// TestColoursAreSeen looks for each figure's colour in the pixels: the middle of a solid figure has it, and the
// ground has none of the picture's colours.
func TestColoursAreSeen(t *testing.T) {
	for i := range 400 {
		r := newRNG(uint64(i), "seen", 0)
		figures := []figure{{kind: kind(i % int(kinds)), colour: colour(r.intn(int(colours)))}}
		if i%2 == 1 {
			figures = append(figures, figure{kind: circle, colour: otherThan(r, colours, figures[0].colour)})
		}
		arrange(r, figures)
		img := paint(r, figures, 64)
		for _, f := range figures {
			if f.kind == ring || f.kind == moon {
				continue
			}
			c := img.NRGBAAt(int(f.x*64), int(f.y*64))
			seen := rgb{float64(c.R), float64(c.G), float64(c.B)}
			nearest := red
			for n := range colours {
				if seen.distance(n.rgb()) < seen.distance(nearest.rgb()) {
					nearest = n
				}
			}
			if nearest != f.colour {
				t.Fatalf("picture %d: the %v %v looks %v: %v", i, f.colour, f.kind, nearest, seen)
			}
		}
	}
}

// TestDistances checks that every shape is solid, lies within reach, and has the slope of a distance near its outline.
func TestDistances(t *testing.T) {
	for k := range kinds {
		inside := 0
		for i := range 200 {
			for j := range 200 {
				x, y := float64(i-100)/80, float64(j-100)/80
				d := k.distance(x, y)
				if d < 0 {
					inside++
					if math.Hypot(x, y) > reach {
						t.Fatalf("%v reaches (%.2f, %.2f)", k, x, y)
					}
				}
				const step = 1e-4
				slope := math.Hypot(k.distance(x+step, y)-k.distance(x-step, y), k.distance(x, y+step)-k.distance(x, y-step)) / (2 * step)
				if slope > 1.01 {
					t.Fatalf("%v at (%.3f, %.3f): slope %.3f", k, x, y, slope)
				}
			}
		}
		if area := float64(inside) / 6400; area < 1.1 || area > 2.7 {
			t.Errorf("%v covers %.2f square radii", k, area)
		}
	}
}

func TestDrawIsAFunctionOfItsArguments(t *testing.T) {
	type key struct {
		task string
		i    int
	}
	first := map[key]Sample{}
	for _, name := range TaskNames() {
		for _, i := range []int{0, 7, 40, 123456} {
			s, err := Draw(name, 8, i, 32)
			if err != nil {
				t.Fatal(err)
			}
			if s.Image.Rect.Dx() != 32 || s.Image.Rect.Dy() != 32 || s.Text == "" || s.Label == "" || s.ID == "" {
				t.Fatalf("%s %d: %+v", name, i, s)
			}
			first[key{name, i}] = s
		}
	}
	for k, want := range first {
		got, err := Draw(k.task, 8, k.i, 32)
		if err != nil || got.Text != want.Text || got.Label != want.Label || got.ID != want.ID || !slices.Equal(got.Image.Pix, want.Image.Pix) {
			t.Fatalf("%v: drawn again it differs: %+v, error %v", k, got, err)
		}
		other, err := Draw(k.task, 9, k.i, 32)
		if err != nil || slices.Equal(got.Image.Pix, other.Image.Pix) {
			t.Fatalf("%v: another seed gives the same picture (error %v)", k, err)
		}
	}
}

// TestDrawStaysTheSame holds the drawn collection to what earlier versions drew: figures are reported by seed and
// task, and mean nothing if these drift. A deliberate change of the drawing changes the sums.
func TestDrawStaysTheSame(t *testing.T) {
	texts, pixels := fnv.New64a(), fnv.New64a()
	for _, name := range TaskNames() {
		for i := range 60 {
			s, err := Draw(name, 1, i, DefaultSize)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(texts, s.ID, s.Text, s.Label)
			pixels.Write(s.Image.Pix)
		}
	}
	const wantTexts, wantPixels = 0x272779833b6cdc36, 0xf8b16630584c3ada
	if texts.Sum64() != wantTexts || pixels.Sum64() != wantPixels {
		t.Errorf("texts %#x, pixels %#x; want %#x and %#x", texts.Sum64(), pixels.Sum64(), uint64(wantTexts), uint64(wantPixels))
	}
}

func TestRowsOfAPictureShareIt(t *testing.T) {
	byID := map[string][]uint8{}
	for i := range 300 {
		s, err := Draw(DefaultTask, 4, i, MinSize)
		if err != nil {
			t.Fatal(err)
		}
		if pix, ok := byID[s.ID]; ok && !slices.Equal(pix, s.Image.Pix) {
			t.Fatalf("row %d: %s is another picture than before", i, s.ID)
		}
		byID[s.ID] = s.Image.Pix
	}
	for a, pa := range byID {
		for b, pb := range byID {
			if a != b && slices.Equal(pa, pb) {
				t.Fatalf("%s and %s are the same picture", a, b)
			}
		}
	}
}

func TestCorpusHoldsEveryQuestion(t *testing.T) {
	corpus := map[string]bool{}
	for _, text := range Corpus() {
		if corpus[text] {
			t.Fatalf("%q stands twice", text)
		}
		if strings.ContainsAny(text, "{}") {
			t.Fatalf("%q has an unfilled place", text)
		}
		corpus[text] = true
	}
	for _, task := range allTasks() {
		if len(task.wordings) < 3 {
			t.Errorf("%s has %d wordings", task.name, len(task.wordings))
		}
		for _, r := range task.rows(2, 3000) {
			if !corpus[r.text] {
				t.Fatalf("%s asks %q, which the corpus lacks", task.name, r.text)
			}
		}
	}
	t.Logf("%d questions and statements", len(corpus))
}

func TestDrawRefuses(t *testing.T) {
	for _, c := range []struct {
		name, task string
		i, size    int
		says       string
	}{
		{"unknown task", "colour", 0, 64, "choose one of mixed, color, shape"},
		{"negative row", "color", -1, 64, "row -1"},
		{"too small", "color", 0, 2, "choose 16 to 2048"},
		{"too large", "color", 0, 1 << 30, "choose 16 to 2048"},
	} {
		if _, err := Draw(c.task, 0, c.i, c.size); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
		}
	}
}

func TestTasks(t *testing.T) {
	tasks := Tasks()
	for _, task := range tasks {
		if task.Name == "" || task.About == "" || len(task.Answers) < 2 {
			t.Errorf("incomplete: %+v", task)
		}
	}
	if tasks[0].Name != DefaultTask || len(tasks) < 2 {
		t.Errorf("%d tasks, first %q", len(tasks), tasks[0].Name)
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, name := range []string{DefaultTask, "rule"} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := Draw(name, 1, i, DefaultSize); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
