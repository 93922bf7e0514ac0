// Package assets holds what the program carries inside itself, and draws what it needs no file for.
//
// Carried: the default model ([DefaultModel]) and the demonstration photograph ([DemoPhoto]). The photograph is fetched
// at build time; a committed README.md beside it lets the package compile while it is absent.
// SOURCES.md lists origin, licence and hash of each. Named, not carried: the published models that a user may bring
// ([duet/assets/known]).
//
// Drawn: the sample collection ([Draw], [WriteCollection]) and the icon ([Icon]). A sample is a picture of one to
// three coloured shapes with one question or statement about it and the answer. It is drawn from a task, a seed and
// an index, and nothing else, so that sample i is the same whatever was drawn before. [Tasks] lists the tasks.
//
// # Why neither the words nor the picture is enough
//
// A task is a cycle of designs. A design draws a group: a few pictures that are all asked the same few questions,
// with the answers in a Latin square. In a group of four pictures and four questions with the answers red, blue,
// green and none, every question has each answer once and every picture has each answer once. So the best answer to
// a known question, and the best answer to a known picture, are right no more often than the commonest answer of the
// whole task. Where a design has fewer things to show than questions, the answer "none" (there is no such shape)
// fills the square. The task that the default model learns, "mixed", needs no squares: it asks five questions about each
// picture whose answers differ, but for "none", which is as common for a question as it is in a picture.
//
// # How to add one
//
// A shape: a [kind] with its name and a signed distance in figures.go. A colour: one line in palette.go. A ground: a
// case in grounds.go. A task: its wordings and designs in tasks.go; TestBalance and TestAnswersAreTrue then hold it
// to the property above. A fetched file: one line in fetch/main.go and one in SOURCES.md.
package assets
