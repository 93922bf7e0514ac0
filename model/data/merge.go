package data

// Merge puts collections together. Classes of the same name are one class; they
// are numbered as they first come. Each collection keeps its splits, so those
// without any should be drawn first (see [Collection.HoldOut]). Captions, copies
// and the like can be changed in the merged examples without changing those of
// the parts.
func Merge(name string, parts ...*Collection) *Collection {
	all := &Collection{Report: Report{Path: name, Convention: "several collections together"}}
	number := map[string]int{}
	for _, c := range parts {
		for _, class := range c.Classes {
			if _, ok := number[class]; !ok {
				number[class] = len(all.Classes)
				all.Classes = append(all.Classes, class)
			}
		}
		for _, e := range c.Examples {
			if e.Label >= 0 {
				e.Label = number[c.Classes[e.Label]]
			}
			all.Examples = append(all.Examples, e)
		}
		all.pictures = append(all.pictures, c.pictures...)
		addSource(&all.Report.ClassesFrom, c.Report.ClassesFrom)
		addSource(&all.Report.CaptionsFrom, c.Report.CaptionsFrom)
		addSource(&all.Report.SplitsFrom, c.Report.SplitsFrom)
	}
	all.count()
	return all
}
