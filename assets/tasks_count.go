package assets

// countBoth shows three shapes that agree in kind or in colour, and asks for two kinds and two colours. The four
// counts are 3, 2, 1 and 0 in every picture and, over the four pictures, for every question.
func countBoth() design {
	counts := [4][4]int{{3, 0, 2, 1}, {0, 3, 1, 2}, {2, 1, 3, 0}, {1, 2, 0, 3}} // [picture][first kind, second kind, first colour, second colour]
	return design{4, 4, func(r *rng) group {
		k, c := distinct(r, 2, kinds), distinct(r, 2, colours)
		g := group{texts: []string{
			pick(r, countKindWordings).ask(words{shape: k[0]}), pick(r, countKindWordings).ask(words{shape: k[1]}),
			pick(r, countColorWordings).ask(words{color: c[0]}), pick(r, countColorWordings).ask(words{color: c[1]}),
		}}
		for _, p := range distinct(r, 4, 4) {
			n := counts[p]
			s, labels := make([]figure, 3), make([]string, 4)
			for i := range s {
				s[i] = figure{kind: k[1], colour: c[1]}
				if i < n[0] {
					s[i].kind = k[0]
				}
				if i < n[2] {
					s[i].colour = c[0]
				}
			}
			for q := range labels {
				labels[q] = countWord(n[q])
			}
			g.scenes, g.labels = append(g.scenes, s), append(g.labels, labels)
		}
		return g
	}}
}

func countWord(n int) string { return [...]string{none, "one", "two", "three"}[n] }

var countSlots = []string{"one", "two", none}

// countKinds shows two shapes of one kind and one of another, and asks for both and for a third kind.
func countKinds() design {
	return design{3, 3, func(r *rng) group {
		asked := distinct(r, 3, kinds)
		texts := make([]string, 3)
		for q := range texts {
			texts[q] = pick(r, countKindWordings).ask(words{shape: asked[q]})
		}
		return latin(r, texts, namesOf(countSlots), func(slots []int) []figure {
			var s []figure
			for q, slot := range slots {
				for range (slot + 1) % 3 {
					s = append(s, figure{kind: asked[q], colour: colour(r.intn(int(colours)))})
				}
			}
			return s
		})
	}}
}

// countColors is countKinds with colours.
func countColors() design {
	return design{3, 3, func(r *rng) group {
		asked := distinct(r, 3, colours)
		texts := make([]string, 3)
		for q := range texts {
			texts[q] = pick(r, countColorWordings).ask(words{color: asked[q]})
		}
		return latin(r, texts, namesOf(countSlots), func(slots []int) []figure {
			var s []figure
			for q, slot := range slots {
				for range (slot + 1) % 3 {
					s = append(s, figure{kind: kind(r.intn(int(kinds))), colour: asked[q]})
				}
			}
			return s
		})
	}}
}
