package config

import (
	"strings"
	"testing"

	"duet/model"
)

func TestNamedConfigurations(t *testing.T) {
	for _, name := range Names() {
		c, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		c.SetLabels([]string{"a", "b"})
		if _, err := model.NewVLM(c.Shape()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.Recipe.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Named("huge"); err == nil || !strings.Contains(err.Error(), "small") {
		t.Errorf("an unknown name gives %v", err)
	}
}

func TestLabelsRoundTrip(t *testing.T) {
	c, err := Named("small")
	if err != nil {
		t.Fatal(err)
	}
	labels := []string{"zero", "one", "two", "3", "four", "five", "six", "seven", "eight", "nine", "ten"}
	c.SetLabels(labels)
	got, err := c.Labels()
	if err != nil || strings.Join(got, " ") != strings.Join(labels, " ") {
		t.Errorf("labels %v, error %v", got, err)
	}
}
