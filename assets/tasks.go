package assets

import "slices"

// task is a named kind of question. Rows are drawn by going round its designs.
type task struct {
	name, about string
	answers     []string
	wordings    []wording // all that its designs may ask
	designs     []design
}

// design draws groups of one form.
type design struct {
	pictures, questions int
	draw                func(*rng) group
}

func (d design) rows() int { return d.pictures * d.questions }

// group is a few pictures that are asked the same questions.
type group struct {
	scenes [][]figure // one a picture
	texts  []string   // one a question
	labels [][]string // [picture][question]
}

// none answers a question about something that the picture does not show.
const none = "none"

var places = []string{"left", "right", "top", "bottom"}

// allTasks lists the tasks: first the one that the default model learns, the others are for fine-tuning.
func allTasks() []task {
	return []task{
		{
			name: DefaultTask, about: "the colour, shape, place and number of one to three shapes, none where what is asked for is missing: what the default model learns",
			answers: slices.Concat(colourWords(), kindWords(), places, []string{"one", "two", "three", none}),
			wordings: slices.Concat(colorWordings, colorOfItWordings, colorOfWordings, colorOfThemWordings, shapeWordings, shapeOfItWordings, shapeOfThemWordings,
				whereWordings, whereIsItWordings, countAllWordings, countKindWordings),
			designs: mixed(),
		},
		{
			name: "color", about: "the colour of a named shape, none where it is missing",
			answers: append(colourWords(), none), wordings: colorWordings,
			designs: []design{askColor(3), askColor(2), askColor(1)},
		},
		{
			name: "shape", about: "the shape that has a named colour, none where it is missing",
			answers: append(kindWords(), none), wordings: shapeWordings,
			designs: []design{askShape(3), askShape(2), askShape(1)},
		},
		{
			name: "count", about: "how many shapes are of a named kind or colour",
			answers: []string{"one", "two", "three", none}, wordings: append(countKindWordings, countColorWordings...),
			designs: []design{countBoth(), countKinds(), countColors()},
		},
		{
			name: "where", about: "the side of the picture on which a named shape lies, none where it is missing",
			answers: append(append([]string(nil), places...), none), wordings: whereWordings,
			designs: []design{askWhere(3), askWhere(2), askWhere(1)},
		},
		{
			name: "yesno", about: "whether a named shape has a named colour, none where the shape is missing",
			answers: []string{"yes", "no", none}, wordings: yesnoWordings,
			designs: []design{askYesno()},
		},
		{
			name: "compare", about: "whether one shape is bigger (smaller) than another, none where one of them is missing",
			answers: []string{"yes", "no", none}, wordings: compareWordings,
			designs: []design{askCompare()},
		},
		{
			name: "exists", about: "whether there is a shape of a named colour and kind; the hard half shows both, on different shapes",
			answers: []string{"yes", "no"}, wordings: existsWordings,
			designs: []design{existsSwapped(), existsApart()},
		},
		{
			name: "relation", about: "whether a statement about the places of two shapes is true or false",
			answers: []string{"true", "false"}, wordings: relationWordings,
			designs: []design{stateRelation()},
		},
		{
			name: "rule", about: "the family of the colour of a named shape: red, pink and yellow are warm, green, blue and purple cool, black, gray and white neutral; none where it is missing",
			answers: []string{"warm", "cool", "neutral", none}, wordings: ruleWordings,
			designs: []design{askRule()},
		},
	}
}

// latin draws a group of n pictures and n questions, n the number of texts, where question q about picture p has slot
// (p+q) mod n: each slot once a question and once a picture. answer names a slot's answer; scene returns the figures
// that make question q's slot slots[q], for every q.
func latin(r *rng, texts []string, answer func(slot int) string, scene func(slots []int) []figure) group {
	n := len(texts)
	g := group{texts: texts}
	for _, p := range distinct(r, n, n) {
		slots, labels := make([]int, n), make([]string, n)
		for q := range n {
			slots[q] = (p + q) % n
			labels[q] = answer(slots[q])
		}
		g.scenes = append(g.scenes, scene(slots))
		g.labels = append(g.labels, labels)
	}
	return g
}

// namesOf returns an answer function for slots whose last is none.
func namesOf(names []string) func(int) string {
	return func(slot int) string {
		if slot < len(names) {
			return names[slot]
		}
		return none
	}
}

func askColor(shown int) design {
	n := shown + 1
	return design{n, n, func(r *rng) group {
		asked, shownColours := distinct(r, n, kinds), distinct(r, shown, colours)
		texts, names := make([]string, n), make([]string, shown)
		for q := range texts {
			texts[q] = pick(r, colorWordings).ask(words{shape: asked[q]})
		}
		for i, c := range shownColours {
			names[i] = c.String()
		}
		return latin(r, texts, namesOf(names), func(slots []int) []figure {
			var s []figure
			for q, slot := range slots {
				if slot < shown {
					s = append(s, figure{kind: asked[q], colour: shownColours[slot]})
				}
			}
			return s
		})
	}}
}

func askShape(shown int) design {
	n := shown + 1
	return design{n, n, func(r *rng) group {
		asked, shownKinds := distinct(r, n, colours), distinct(r, shown, kinds)
		texts, names := make([]string, n), make([]string, shown)
		for q := range texts {
			texts[q] = pick(r, shapeWordings).ask(words{color: asked[q]})
		}
		for i, k := range shownKinds {
			names[i] = k.String()
		}
		return latin(r, texts, namesOf(names), func(slots []int) []figure {
			var s []figure
			for q, slot := range slots {
				if slot < shown {
					s = append(s, figure{kind: shownKinds[slot], colour: asked[q]})
				}
			}
			return s
		})
	}}
}

func askWhere(shown int) design {
	n := shown + 1
	return design{n, n, func(r *rng) group {
		asked, at := distinct(r, n, kinds), distinct(r, shown, len(places))
		texts, names := make([]string, n), make([]string, shown)
		for q := range texts {
			texts[q] = pick(r, whereWordings).ask(words{shape: asked[q]})
		}
		for i, p := range at {
			names[i] = places[p]
		}
		return latin(r, texts, namesOf(names), func(slots []int) []figure {
			painted := distinct(r, n, colours)
			var s []figure
			for q, slot := range slots {
				if slot < shown {
					s = append(s, placed(figure{kind: asked[q], colour: painted[q]}, at[slot]))
				}
			}
			return s
		})
	}}
}

// placed puts a figure on one of the four places.
func placed(f figure, place int) figure {
	middle, low, high := span{0.43, 0.57}, span{0.17, 0.25}, span{0.75, 0.83}
	f.size = span{0.13, 0.17}
	f.across, f.down = middle, middle
	switch places[place] {
	case "left":
		f.across = low
	case "right":
		f.across = high
	case "top":
		f.down = low
	case "bottom":
		f.down = high
	}
	return f
}

// askYesno asks about three shapes: one is there and has the colour, one is there with another, one is missing. Half
// the wrong colours are the one that the missing shape is asked for, half the pictures show one shape more.
func askYesno() design {
	return design{3, 3, func(r *rng) group {
		asked, named := distinct(r, 4, kinds), distinct(r, 3, colours)
		texts := make([]string, 3)
		for q := range texts {
			texts[q] = pick(r, yesnoWordings).ask(words{shape: asked[q], color: named[q]})
		}
		return latin(r, texts, namesOf([]string{"yes", "no"}), func(slots []int) []figure {
			var yes, no, missing int
			for q, slot := range slots {
				switch slot {
				case 0:
					yes = q
				case 1:
					no = q
				default:
					missing = q
				}
			}
			wrong := named[missing]
			if r.coin() {
				wrong = otherThan(r, colours, named...)
			}
			s := []figure{{kind: asked[yes], colour: named[yes]}, {kind: asked[no], colour: wrong}}
			if r.coin() {
				s = append(s, figure{kind: asked[3], colour: otherThan(r, colours, named[yes], wrong)})
			}
			return s
		})
	}}
}

// askCompare asks about one shape and three others, of which one is smaller, one bigger (as the question's word makes
// the answer yes or no; both may lie on one side) and one missing.
func askCompare() design {
	small, medium, big := span{0.1, 0.112}, span{0.15, 0.165}, span{0.215, 0.235}
	return design{3, 3, func(r *rng) group {
		asked := distinct(r, 4, kinds)
		first := asked[3]
		texts, yesIsBigger := make([]string, 3), make([]bool, 3) // whether yes means that first is the bigger one
		for q := range texts {
			w, reversed := pick(r, compareWordings), r.coin()
			fill := words{shape: first, other: asked[q]}
			if reversed {
				fill = words{shape: asked[q], other: first}
			}
			texts[q], yesIsBigger[q] = w.ask(fill), w.affirms != reversed
		}
		return latin(r, texts, namesOf([]string{"yes", "no"}), func(slots []int) []figure {
			painted := distinct(r, 4, colours)
			s := []figure{{kind: first, colour: painted[3], size: medium}}
			for q, slot := range slots {
				if slot == 2 {
					continue
				}
				f := figure{kind: asked[q], colour: painted[q], size: big}
				if yesIsBigger[q] == (slot == 0) {
					f.size = small
				}
				s = append(s, f)
			}
			return s
		})
	}}
}

// askRule shows one shape and asks for the family of its colour, and for that of a shape that is missing.
func askRule() design {
	return design{2, 2, func(r *rng) group {
		asked, painted := distinct(r, 2, kinds), colour(r.intn(int(colours)))
		texts := make([]string, 2)
		for q := range texts {
			texts[q] = pick(r, ruleWordings).ask(words{shape: asked[q]})
		}
		return latin(r, texts, namesOf([]string{painted.family()}), func(slots []int) []figure {
			for q, slot := range slots {
				if slot == 0 {
					return []figure{{kind: asked[q], colour: painted}}
				}
			}
			return nil
		})
	}}
}
