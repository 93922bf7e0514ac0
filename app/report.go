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
