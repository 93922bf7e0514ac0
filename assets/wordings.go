package assets

import "strings"

// wording is a question or statement with places to fill: {shape}, {shapes} (its plural), {other} (another shape)
// and {color}. affirms is false where the wording says the opposite of its list's first one (smaller for bigger,
// right for left), so that yes and no, or the two shapes, change places.
type wording struct {
	text    string
	affirms bool
}

// words are the words for the places of a wording; those it has no place for are not looked at.
type words struct {
	shape, other kind
	color        colour
}

func (w wording) ask(fill words) string {
	return strings.NewReplacer(
		"{shape}", fill.shape.String(), "{shapes}", fill.shape.plural(),
		"{other}", fill.other.String(), "{color}", fill.color.String(),
	).Replace(w.text)
}

// expand returns the wording with every choice of words.
func (w wording) expand() []string {
	shapes, others, colors := kinds, kinds, colours
	if !strings.Contains(w.text, "{shape") {
		shapes = 1
	}
	if !strings.Contains(w.text, "{other}") {
		others = 1
	}
	if !strings.Contains(w.text, "{color}") {
		colors = 1
	}
	var all []string
	for s := range shapes {
		for o := range others {
			if others > 1 && s == o {
				continue
			}
			for c := range colors {
				all = append(all, w.ask(words{s, o, c}))
			}
		}
	}
	return all
}

// Both spellings of colour are asked, since people will write both.
var (
	colorWordings = []wording{
		{"what colour is the {shape}?", true},
		{"what color is the {shape}?", true},
		{"which colour does the {shape} have?", true},
		{"tell me the color of the {shape}.", true},
	}
	shapeWordings = []wording{
		{"which shape is {color}?", true},
		{"what is the {color} shape?", true},
		{"what shape is the {color} thing?", true},
		{"name the {color} shape.", true},
	}
	countKindWordings = []wording{
		{"how many {shapes} are there?", true},
		{"how many {shapes} do you see?", true},
		{"count the {shapes}.", true},
	}
	countColorWordings = []wording{
		{"how many shapes are {color}?", true},
		{"how many {color} shapes are there?", true},
		{"count the {color} shapes.", true},
	}
	colorOfItWordings = []wording{
		{"what colour is it?", true},
		{"what color is this?", true},
		{"which colour does the shape have?", true},
	}
	shapeOfItWordings = []wording{
		{"what shape is it?", true},
		{"which shape is this?", true},
		{"name the shape.", true},
	}
	colorOfWordings = []wording{
		{"what colour are the {shapes}?", true},
		{"what color are the {shapes}?", true},
		{"which colour do the {shapes} have?", true},
	}
	colorOfThemWordings = []wording{
		{"what colour are they?", true},
		{"what color are these?", true},
		{"which colour do the shapes have?", true},
	}
	shapeOfThemWordings = []wording{
		{"what shape are they?", true},
		{"which shapes are these?", true},
		{"name the shapes.", true},
	}
	whereIsItWordings = []wording{
		{"where is it?", true},
		{"where is the shape?", true},
		{"on which side is it?", true},
	}
	countAllWordings = []wording{
		{"how many shapes are there?", true},
		{"how many shapes do you see?", true},
		{"count the shapes.", true},
	}
	whereWordings = []wording{
		{"where is the {shape}?", true},
		{"where do you see the {shape}?", true},
		{"on which side is the {shape}?", true},
	}
	yesnoWordings = []wording{
		{"is the {shape} {color}?", true},
		{"does the {shape} have the colour {color}?", true},
		{"is {color} the color of the {shape}?", true},
	}
	compareWordings = []wording{
		{"is the {shape} bigger than the {other}?", true},
		{"is the {shape} larger than the {other}?", true},
		{"is the {shape} smaller than the {other}?", false},
	}
	existsWordings = []wording{
		{"is there a {color} {shape}?", true},
		{"do you see a {color} {shape}?", true},
		{"does the picture show a {color} {shape}?", true},
	}
	relationWordings = []wording{
		{"the {shape} is left of the {other}.", true},
		{"the {shape} is further left than the {other}.", true},
		{"the {shape} is right of the {other}.", false},
		{"the {shape} is above the {other}.", true},
		{"the {shape} is higher than the {other}.", true},
		{"the {shape} is below the {other}.", false},
	}
	ruleWordings = []wording{
		{"what kind of colour does the {shape} have?", true},
		{"is the color of the {shape} warm, cool or neutral?", true},
		{"which family is the colour of the {shape} from?", true},
	}
)
