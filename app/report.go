package app

import "duet/model/report"

// What the program tells is plain data, see package report.
type (
	Answer        = report.Answer
	Score         = report.Score
	Description   = report.Description
	Estimate      = report.Estimate
	Evaluation    = report.Evaluation
	PackedWeights = report.PackedWeights
)

// fewClasses gives an error its reason.
func fewClasses(err error) error { return report.Because(err, report.FewClasses) }
