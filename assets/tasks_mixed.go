package assets

// What the default model learns: pictures of one to three shapes with five questions about each. The right answers of
// a picture differ but for "none", for what is missing, so that each question teaches something and none can be guessed
// from the picture alone; and "none" is as common for what is asked by name as it is in a picture, so that the words
// alone tell nothing either.

// mixed lists the designs of the default model's task: mostly a single shape, from which shapes are learnt.
func mixed() []design {
	one := askOne()
	return []design{one, one, askAlike(2), one, askSeveral(2), one, one, askAlike(3), one, askSeveral(3)}
}

// askOne asks the colour, the shape and the place of a single shape, sometimes of "it" and mostly by name, and of shapes
// and colours that are missing.
func askOne() design {
	return design{1, 5, func(r *rng) group {
		named, painted, at := distinct(r, 3, kinds), distinct(r, 2, colours), r.intn(len(places))
		there := words{shape: named[0], color: painted[0]}
		missing := []row{
			{pick(r, colorWordings).ask(words{shape: named[1]}), none},
			{pick(r, shapeWordings).ask(words{color: painted[1]}), none},
			{pick(r, whereWordings).ask(words{shape: named[2]}), none},
		}
		shuffle(r, missing)
		if r.intn(12) == 0 {
			missing[1] = row{pick(r, countAllWordings).text, countWord(1)}
		}
		f := placed(figure{kind: named[0], colour: painted[0]}, at)
		f.size = span{0.2, 0.3}
		return single(r, []figure{f}, []row{
			{choose(r, colorOfItWordings, colorWordings).ask(there), there.color.String()},
			{choose(r, shapeOfItWordings, shapeWordings).ask(there), there.shape.String()},
			{choose(r, whereIsItWordings, whereWordings).ask(there), places[at]},
			missing[0], missing[1],
		})
	}}
}

// choose picks one of the direct wordings for every three that go by name.
func choose(r *rng, direct, byName []wording) wording {
	if r.intn(4) == 0 {
		return pick(r, direct)
	}
	return pick(r, byName)
}

// askAlike shows two or three shapes of one kind and colour, and asks that kind, that colour and their number.
func askAlike(shown int) design {
	return design{1, 5, func(r *rng) group {
		named, painted := distinct(r, 3, kinds), distinct(r, 2, colours)
		there := words{shape: named[0], color: painted[0]}
		missing := []row{
			{pick(r, colorOfWordings).ask(words{shape: named[1]}), none},
			{pick(r, shapeWordings).ask(words{color: painted[1]}), none},
			{pick(r, countKindWordings).ask(words{shape: named[2]}), none},
		}
		shuffle(r, missing)
		scene := make([]figure, shown)
		for i := range scene {
			scene[i] = figure{kind: there.shape, colour: there.color}
		}
		return single(r, scene, []row{
			{choose(r, colorOfThemWordings, colorOfWordings).ask(there), there.color.String()},
			{choose(r, shapeOfThemWordings, shapeWordings).ask(there), there.shape.String()},
			{choose(r, countAllWordings, countKindWordings).ask(there), countWord(shown)},
			missing[0], missing[1],
		})
	}}
}

// askSeveral shows two or three shapes, no two of one kind or colour, and asks the colour, the shape and the place of
// one by name, or how many there are.
func askSeveral(shown int) design {
	return design{1, 5, func(r *rng) group {
		named, painted, at := distinct(r, shown+2, kinds), distinct(r, shown+1, colours), distinct(r, shown, len(places))
		missing := []row{
			{pick(r, colorWordings).ask(words{shape: named[shown]}), none},
			{pick(r, shapeWordings).ask(words{color: painted[shown]}), none},
		}
		place := r.coin()
		if place {
			missing = append(missing, row{pick(r, whereWordings).ask(words{shape: named[shown+1]}), none})
		}
		scene := make([]figure, shown)
		var there []row
		for i := range scene {
			f := figure{kind: named[i], colour: painted[i]}
			there = append(there,
				row{pick(r, colorWordings).ask(words{shape: f.kind}), f.colour.String()},
				row{pick(r, shapeWordings).ask(words{color: f.colour}), f.kind.String()})
			if place {
				f = placed(f, at[i])
				there = append(there, row{pick(r, whereWordings).ask(words{shape: f.kind}), places[at[i]]})
			}
			scene[i] = f
		}
		shuffle(r, there)
		shuffle(r, missing)
		if r.intn(3) == 0 {
			there[0] = row{pick(r, countAllWordings).text, countWord(shown)}
		}
		return single(r, scene, append(there[:3:3], missing[:2]...))
	}}
}

// row is a question and its answer.
type row struct{ text, label string }

// single makes a group of one picture and its rows, in random order.
func single(r *rng, scene []figure, rows []row) group {
	shuffle(r, rows)
	g := group{scenes: [][]figure{scene}, labels: make([][]string, 1)}
	for _, q := range rows {
		g.texts, g.labels[0] = append(g.texts, q.text), append(g.labels[0], q.label)
	}
	return g
}
