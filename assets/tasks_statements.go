package assets

// existsSwapped shows two shapes, and in its second picture the same two with their colours exchanged: only the pair
// of colour and shape tells. All four pairs are asked.
func existsSwapped() design {
	return design{2, 4, func(r *rng) group {
		k, c := distinct(r, 3, kinds), distinct(r, 3, colours)
		var g group
		for q := range 4 {
			g.texts = append(g.texts, pick(r, existsWordings).ask(words{shape: k[q/2], color: c[q%2]}))
		}
		for p := range 2 {
			s := []figure{{kind: k[0], colour: c[p]}, {kind: k[1], colour: c[1-p]}}
			if r.coin() {
				s = append(s, figure{kind: k[2], colour: c[2]})
			}
			labels := make([]string, 4)
			for q := range labels {
				labels[q] = yesOrNo((q/2+q%2)%2 == p)
			}
			g.scenes, g.labels = append(g.scenes, s), append(g.labels, labels)
		}
		return g
	}}
}

// existsApart asks for two pairs, of which each picture shows one, alone or beside half of the other.
func existsApart() design {
	return design{2, 2, func(r *rng) group {
		k, c := distinct(r, 3, kinds), distinct(r, 3, colours)
		var g group
		for q := range 2 {
			g.texts = append(g.texts, pick(r, existsWordings).ask(words{shape: k[q], color: c[q]}))
		}
		for p := range 2 {
			s := []figure{{kind: k[p], colour: c[p]}}
			switch r.intn(3) {
			case 1:
				s = append(s, figure{kind: k[2], colour: c[1-p]})
			case 2:
				s = append(s, figure{kind: k[1-p], colour: c[2]})
			}
			g.scenes = append(g.scenes, s)
			g.labels = append(g.labels, []string{yesOrNo(p == 0), yesOrNo(p == 1)})
		}
		return g
	}}
}

// stateRelation shows two shapes on a diagonal, and in its second picture the same two exchanged. It states both
// orders of both directions, half of them truly in each picture.
func stateRelation() design {
	near, far := span{0.18, 0.36}, span{0.64, 0.82}
	return design{2, 4, func(r *rng) group {
		k := distinct(r, 2, kinds)
		rising := r.coin() // the shape on the left is the lower one
		var g group
		for q := range 4 {
			w := pick(r, relationWordings[:len(relationWordings)/2])
			if q >= 2 {
				w = pick(r, relationWordings[len(relationWordings)/2:])
			}
			g.texts = append(g.texts, w.ask(words{shape: k[q%2], other: k[1-q%2]}))
			if !w.affirms { // right of and below state the opposite order
				g.texts[q] = w.ask(words{shape: k[1-q%2], other: k[q%2]})
			}
		}
		for p := range 2 {
			c := distinct(r, 2, colours)
			s := []figure{
				{kind: k[p], colour: c[0], across: near, down: near, size: span{0.13, 0.19}},
				{kind: k[1-p], colour: c[1], across: far, down: far, size: span{0.13, 0.19}},
			}
			if rising {
				s[0].down, s[1].down = far, near
			}
			labels := make([]string, 4)
			for q := range labels { // question q says that k[q%2] comes first, from the left or from the top
				labels[q] = "false"
				if (q%2 == p) != (q >= 2 && rising) {
					labels[q] = "true"
				}
			}
			g.scenes, g.labels = append(g.scenes, s), append(g.labels, labels)
		}
		return g
	}}
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
