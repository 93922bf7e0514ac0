package data

import (
	"strings"
	"testing"

	"duet/model/shared"
)

// Every folder of the shared data opens and is understood as its SOURCE.txt
// and the index describe it.
func TestSharedData(t *testing.T) {
	for _, c := range []struct {
		path, images                          string
		options                               Options
		examples, pictures, captions, classes int
		splits                                map[Split]int // examples
		convention                            string
		notes                                 []string
	}{
		{path: "flickr8k", examples: 7086, pictures: 7086, captions: 5 * 7086, splits: map[Split]int{Train: 5996, Validation: 1090},
			convention: "an ImageFolder with metadata", notes: []string{"matching_dev.tsv, matching_train.tsv"}},
		{path: "flickr8k/matching_train.tsv", images: "flickr8k/train", examples: 15277, pictures: 3009, captions: 15277, classes: 2, splits: map[Split]int{Unsplit: 15277}, convention: "a table"},
		{path: "flickr8k/matching_dev.tsv", examples: 2596, pictures: 509, captions: 2596, classes: 2, splits: map[Split]int{Unsplit: 2596}, convention: "a table", notes: []string{"lie in dev/"}},
		{path: "tiny_imagenet", examples: 24000, pictures: 24000, classes: 200, splits: map[Split]int{Train: 24000}, convention: "tar shards of the WebDataset convention"},
		{path: "tiny_imagenet/train-00001.tar", examples: 8000, pictures: 8000, classes: 200, splits: map[Split]int{Unsplit: 8000}, convention: "tar shards of the WebDataset convention"},
		{path: "caltech101", examples: 7356, pictures: 7356, classes: 102, splits: map[Split]int{Train: 7356}, convention: "an ImageFolder with a folder per class"},
		{path: "grocery_store", examples: 2936, pictures: 2936, classes: 81, splits: map[Split]int{Train: 2640, Validation: 296}, convention: "an ImageFolder with a folder per class",
			notes: []string{"81 pictures in iconic", "labels.tsv"}},
		{path: "grocery_store", options: Options{ClassLevel: 1}, examples: 2936, pictures: 2936, classes: 43, splits: map[Split]int{Train: 2640, Validation: 296}, convention: "an ImageFolder with a folder per class"},
		{path: "grocery_store/labels.tsv", options: Options{LabelColumn: "coarse"}, examples: 2936, pictures: 2936, classes: 43, splits: map[Split]int{Train: 2640, Validation: 296}, convention: "a table"},
		{path: "nlvr", examples: 1979, pictures: 1979, captions: 1979, classes: 2, splits: map[Split]int{Validation: 989, Test: 990}, convention: "a table in the folder", notes: []string{"on both sides of the given splits"}},
		{path: "nlvr/dev.tsv", images: "nlvr/images", examples: 989, pictures: 989, captions: 989, classes: 2, splits: map[Split]int{Unsplit: 989}, convention: "a table"},
		{path: "easy_vqa", examples: 38575, pictures: 4000, captions: 38575, classes: 13, splits: map[Split]int{Train: 38575}, convention: "an ImageFolder with metadata"},
		{path: "photos", examples: 12, pictures: 12, captions: 12, splits: map[Split]int{Unsplit: 12}, convention: "a table in the folder"},
		{path: "photos/photos.tsv", examples: 12, pictures: 12, captions: 12, splits: map[Split]int{Unsplit: 12}, convention: "a table"},
		{path: "coco_mini", examples: 159, pictures: 159, captions: 795, splits: map[Split]int{Train: 80, Validation: 79}, convention: "a table in the folder", notes: []string{"80 pictures without a row"}},
		{path: "coco_mini/captions.tsv", images: "coco_mini/images", examples: 159, pictures: 159, captions: 795, splits: map[Split]int{Train: 80, Validation: 79}, convention: "a table"},
	} {
		t.Run(strings.TrimSuffix(c.path+" "+c.images, " "), func(t *testing.T) {
			path, images := shared.Path(t, "data", c.path), ""
			if c.images != "" {
				images = shared.Path(t, "data", c.images)
			}
			got, err := OpenPath(t.Context(), path, images, c.options)
			if err != nil {
				t.Fatal(err)
			}
			r := got.Report
			if r.Examples != c.examples || r.Pictures != c.pictures || r.Captions != c.captions || len(r.Classes) != c.classes || r.Convention != c.convention {
				t.Errorf("%s", r.String())
			}
			if len(r.Splits) != len(c.splits) {
				t.Errorf("splits %+v", r.Splits)
			}
			for _, s := range r.Splits {
				if s.Examples != c.splits[s.Split] {
					t.Errorf("%s has %d examples, want %d", s.Split, s.Examples, c.splits[s.Split])
				}
			}
			if r.SkippedRows != 0 {
				t.Errorf("skipped %v", r.Skipped)
			}
			mustContain(t, r.String(), c.notes...)
			h, err := got.HoldOut(t.Context(), 1, 0)
			if err != nil {
				if c.splits[Train]+c.splits[Unsplit] > 0 {
					t.Error(err)
				}
				return
			}
			if share := float64(len(got.Select(Validation))) / float64(c.examples); !h.Given && (share < 0.13 || share > 0.18) {
				t.Errorf("%.3f of the examples are held out, want about 0.15", share)
			}
		})
	}
	for path, want := range map[string]string{
		"text":                                 "have no column for pictures or words",
		"text/sst2_dev.tsv":                    "the first line should name the columns",
		"text/imdb_train_10k.tsv.gz":           "the first line should name the columns",
		"text/coco_val2017_captions.txt.gz":    "neither a folder nor a table",
		"video":                                "holds no pictures",
		"teacher":                              "holds no pictures",
		"photos/cat.jpg":                       "this is one picture",
		"tiny_imagenet/no-such-shard-here.tar": "no such file",
	} {
		t.Run(path, func(t *testing.T) {
			root := shared.Path(t, "data")
			_, err := OpenPath(t.Context(), root+"/"+path, "", Options{})
			if err == nil {
				t.Fatal("accepted")
			}
			mustContain(t, err.Error(), want, path)
		})
	}
}

// The sample of pictures in the collections decodes, whole.
func TestSharedPicturesDecode(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes some thousand pictures")
	}
	for _, name := range []string{"photos", "coco_mini", "grocery_store", "nlvr"} {
		c, err := OpenPath(t.Context(), shared.Path(t, "data", name), "", Options{})
		if err != nil {
			t.Fatal(err)
		}
		before := c.Report.Pictures
		if err := c.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.Report.Pictures != before {
			t.Errorf("%s: %v", name, c.Report.Skipped)
		}
	}
}
