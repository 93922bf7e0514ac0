package train

import "duet/model/report"

// What a training tells is plain data, see package report.
type (
	Event       = report.Event
	Result      = report.Result
	ClassResult = report.ClassResult
)
