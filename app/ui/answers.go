package ui

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
)

// answersFile writes the answers of items as a table or as a list of objects,
// those of the command line.
func answersFile(format string, items []Item) (name string, content []byte, err error) {
	var out bytes.Buffer
	switch format {
	case "csv":
		table := csv.NewWriter(&out)
		table.Write([]string{"file", "caption", "answer", "p", "sure"})
		for _, x := range items {
			if x.Status == Done {
				best := x.Answer.Top[0]
				table.Write([]string{x.File.Name, x.Caption, best.Label, strconv.FormatFloat(float64(best.P), 'f', 4, 32), strconv.FormatBool(x.Answer.Sure)})
			}
		}
		table.Flush()
	case "json":
		for _, x := range items {
			if x.Status == Done {
				if err := json.NewEncoder(&out).Encode(x.Answer); err != nil {
					return "", nil, err
				}
			}
		}
	default:
		return "", nil, fmt.Errorf("answers as %q; csv and json are known", format)
	}
	return "duet-answers." + map[string]string{"csv": "csv", "json": "jsonl"}[format], out.Bytes(), nil
}
