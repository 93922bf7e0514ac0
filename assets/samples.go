package assets

import (
	"fmt"
	"image"
	"strings"
)

// DefaultTask is the task that the default model learns.
const DefaultTask = "mixed"

// DefaultSize is the side of a drawn picture, in pixels.
const DefaultSize = 64

// MinSize and MaxSize bound the side of a drawn picture, in pixels.
const (
	MinSize = 16
	MaxSize = 2048
)

// Sample is one row of a drawn collection.
type Sample struct {
	Image *image.NRGBA // size × size, opaque
	Text  string       // a question or a statement
	Label string       // the answer, one of the task's Answers
	ID    string       // names the picture: rows with the same ID have the same picture
}

// Task describes a task of the sample collection.
type Task struct {
	Name    string
	About   string   // what is asked, in a phrase
	Answers []string // every label that occurs
}

// Tasks lists the tasks, that of the default model first.
func Tasks() []Task {
	var list []Task
	for _, t := range allTasks() {
		list = append(list, Task{t.name, t.about, t.answers})
	}
	return list
}

// TaskNames lists the names of the tasks, for messages and help.
func TaskNames() []string {
	var names []string
	for _, t := range allTasks() {
		names = append(names, t.name)
	}
	return names
}

// Corpus returns every question and statement that any task can ask, each once, in a fixed order: text for training a
// tokenizer.
func Corpus() []string {
	var all []string
	seen := map[string]bool{}
	for _, t := range allTasks() {
		for _, w := range t.wordings {
			for _, text := range w.expand() {
				if !seen[text] {
					seen[text] = true
					all = append(all, text)
				}
			}
		}
	}
	return all
}

// Draw draws row i (from 0, without end) of a task, on a picture of size × size pixels. The row depends on the task,
// the seed and i alone, and its picture's composition not on the size. Consecutive rows share a picture, and pictures
// come in groups that share their questions.
func Draw(task string, seed uint64, i, size int) (Sample, error) {
	t, err := findTask(task, size)
	if err != nil {
		return Sample{}, err
	}
	if i < 0 {
		return Sample{}, fmt.Errorf("assets: drawing a sample: row %d: rows count from 0", i)
	}
	at := t.locate(i)
	g := t.group(seed, at)
	return Sample{
		Image: t.picture(seed, at, g, size),
		Text:  g.texts[at.question],
		Label: g.labels[at.picture][at.question],
		ID:    t.id(seed, at),
	}, nil
}

func findTask(name string, size int) (task, error) {
	if size < MinSize || size > MaxSize {
		return task{}, fmt.Errorf("assets: drawing a sample: size %d: choose %d to %d pixels", size, MinSize, MaxSize)
	}
	for _, t := range allTasks() {
		if t.name == name {
			return t, nil
		}
	}
	return task{}, fmt.Errorf("assets: drawing a sample: no task %q: choose one of %s", name, strings.Join(TaskNames(), ", "))
}

// address says where a row stands: in which round of the designs, which design, and which picture and question of its
// group. first is the number of the group's first picture, counted from the start of the collection.
type address struct {
	round, design     int
	picture, question int
	first             int
}

// locate finds row i.
func (t *task) locate(i int) address {
	rows, pictures := 0, 0
	for _, d := range t.designs {
		rows, pictures = rows+d.rows(), pictures+d.pictures
	}
	at := address{round: i / rows}
	at.first = at.round * pictures
	i %= rows
	for _, d := range t.designs {
		if i < d.rows() {
			at.picture, at.question = i/d.questions, i%d.questions
			break
		}
		i -= d.rows()
		at.first += d.pictures
		at.design++
	}
	return at
}

// group draws the group at the address.
func (t *task) group(seed uint64, at address) group {
	return t.designs[at.design].draw(newRNG(seed, t.name+"/group", at.first))
}

// picture draws the picture at the address, of that address's group.
func (t *task) picture(seed uint64, at address, g group, size int) *image.NRGBA {
	r := newRNG(seed, t.name+"/picture", at.first+at.picture)
	figures := g.scenes[at.picture]
	arrange(r, figures)
	return paint(r, figures, size)
}

func (t *task) id(seed uint64, at address) string {
	return fmt.Sprintf("%s-%d-%06d", t.name, seed, at.first+at.picture)
}
