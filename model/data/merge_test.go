package data

import (
	"context"
	"slices"
	"testing"
)

func TestMerge(t *testing.T) {
	birds := tree{"t.csv": "image,text,label,split\na.png,one,crow,train\nb.png,two,gull,val"}
	boats := tree{"t.csv": "image,text,label\nc.png,three,ketch\nd.png,four,gull"}
	for name, tr := range map[string]tree{"a.png": birds, "b.png": birds, "c.png": boats, "d.png": boats} {
		tr[name] = string(pngOf(drawn(hashString(name), 20, 20)))
	}
	a, b := birds.open(t, "t.csv", Options{}), boats.open(t, "t.csv", Options{})
	all := Merge("birds and boats", a, b)
	if !slices.Equal(all.Classes, []string{"crow", "gull", "ketch"}) {
		t.Fatalf("classes %v", all.Classes)
	}
	var labels []int
	var splits []Split
	for _, e := range all.Examples {
		labels, splits = append(labels, e.Label), append(splits, e.Split)
	}
	if !slices.Equal(labels, []int{0, 1, 2, 1}) || !slices.Equal(splits, []Split{Train, Validation, Unsplit, Unsplit}) {
		t.Errorf("labels %v, splits %v", labels, splits)
	}
	if b.Examples[1].Label != slices.Index(b.Classes, "gull") {
		t.Error("merging changed the part's own labels")
	}
	all.Examples[0].Captions = nil
	if len(a.Examples[0].Captions) != 1 {
		t.Error("changing a merged example changed the part's")
	}
	held, err := all.HoldOut(context.Background(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !held.Given || len(held.Hashes) != 1 || len(all.Select(Train)) != 3 {
		t.Errorf("held out %+v; %d to train on", held, len(all.Select(Train)))
	}
	if r := all.Report; r.Examples != 4 || r.Pictures != 4 {
		t.Errorf("reported %d examples of %d pictures", r.Examples, r.Pictures)
	}
}
