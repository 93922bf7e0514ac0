package view

import (
	"fmt"
	"strings"

	"duet/app/ui"

	"gioui.org/layout"
)

// towers are the published models: those that can be used, each with what one
// can do about it, and below them those that are known only.
func (v *View) towers(m *ui.Models) []layout.Widget {
	if len(m.Towers) == 0 {
		return nil
	}
	parts := []layout.Widget{func(gtx C) D {
		return rows(gtx, gapSmall, v.heading(v.Texts.Towers).Layout, v.body(v.Texts.TowersLead).Layout)
	}}
	var later []layout.Widget
	for i := range m.Towers {
		t := &m.Towers[i]
		if why := v.Texts.lack(t.Lacks); why != "" {
			later = append(later, v.body(t.Name+v.Texts.Colon+why).Layout)
			continue
		}
		parts = append(parts, func(gtx C) D { return v.card(gtx, func(gtx C) D { return v.tower(gtx, t) }) })
	}
	if len(later) > 0 {
		parts = append(parts, func(gtx C) D {
			return v.card(gtx, func(gtx C) D {
				return rows(gtx, gapSmall, append([]layout.Widget{v.label(sizeBody, v.Theme.Ink, v.Texts.TowersLater).strong().Layout}, later...)...)
			})
		})
	}
	return parts
}

// tower is one tower.
func (v *View) tower(gtx C, t *ui.Tower) D {
	parts := []layout.Widget{
		v.label(sizeBody, v.Theme.Ink, t.Name).strong().Layout,
		v.muted(v.Texts.towerFacts(t)).Layout,
	}
	bar := func(gtx C) D { return v.bar(gtx, t.Share(), v.Theme.Accent, 6) }
	name, fetch := t.Name, v.Texts.Fetch
	switch {
	case t.Fetching && t.Total == 0:
		parts = append(parts, v.body(v.Texts.Connecting).Layout)
	case t.Fetching:
		parts = append(parts, v.body(fmt.Sprintf(v.Texts.FetchedOf, memory(t.Done), memory(t.Total), int(100*t.Share()))).Layout, bar)
	case t.Here:
		parts = append(parts, v.body(v.Texts.TowerHere).Layout)
	case t.Partial > 0:
		fetch = v.Texts.GoOn
		parts = append(parts, v.body(fmt.Sprintf(v.Texts.TowerPartly, memory(t.Partial))).Layout, bar)
	}
	if t.Problem != nil {
		parts = append(parts, v.label(sizeBody, v.Theme.Bad, v.Texts.towerProblem(t.Problem)).Layout)
	}
	var actions []layout.Widget
	switch {
	case t.Fetching:
		actions = append(actions, v.tip("stop "+name, v.Texts.TipStopFetch, v.doTo("stop", v.Texts.StopFetch, name, plain, ui.StopPull{Name: name})))
	case !t.Here:
		actions = append(actions, v.tip("fetch "+name, v.Texts.TipFetch, v.doTo("fetch", fetch, name, primary, ui.Pull{Name: name})))
	}
	if !t.Fetching && (t.Here || t.Partial > 0) {
		actions = append(actions, v.tip("remove tower "+name, v.Texts.TipRemoveTower, v.doTo("remove tower", v.Texts.Remove, name, danger, ui.RemoveTower{Name: name})))
	}
	return rows(gtx, gapSmall, append(parts, func(gtx C) D { return v.wrap(gtx, gapSmall, actions...) })...)
}

// doTo returns a button that sends a message about a tower.
func (v *View) doTo(what, text, tower string, k kind, m ui.Message) layout.Widget {
	return func(gtx C) D {
		d, clicked := v.buttonOn(gtx, what+" "+tower, text, tower, k, true)
		if clicked {
			v.Send(m)
		}
		return d
	}
}

// towerStatus tells what the fetching that ended last came to.
func (v *View) towerStatus(m *ui.Models) string {
	t := m.Tower(m.Ended)
	switch {
	case t == nil:
		return ""
	case t.Problem != nil:
		return t.Name + v.Texts.Colon + v.Texts.towerProblem(t.Problem)
	case t.Here:
		return t.Name + v.Texts.Colon + v.Texts.TowerHere
	}
	return ""
}

// towerFacts are what a tower is for, its size and licence.
func (t *Texts) towerFacts(x *ui.Tower) string {
	var facts []string
	for i, kind := range []string{"vision", "text", "pair"} {
		if kind == x.Kind {
			facts = append(facts, t.TowerKinds[i])
		}
	}
	if x.Bytes > 0 {
		facts = append(facts, fmt.Sprintf(t.TowerAbout, memory(x.Bytes)))
	}
	if x.Licence != "" {
		facts = append(facts, x.Licence)
	}
	return strings.Join(facts, t.Comma)
}

// lack says what Duet lacks to run a tower, or nothing.
func (t *Texts) lack(of string) string {
	switch of {
	case "":
		return ""
	case "tokenizer":
		return t.TowerLacks[0]
	}
	return t.TowerLacks[1]
}

// towerProblem says why a tower could not be fetched, and what to do.
func (t *Texts) towerProblem(p *ui.Problem) string {
	switch p.Code {
	case "offline":
		return t.TowerOffline
	case "unreachable":
		return t.TowerUnreachable
	case "gated":
		return t.TowerGated
	case "absent":
		return t.TowerAbsent
	case "room":
		return t.TowerRoom
	case "corrupt":
		return t.TowerCorrupt
	case "elsewhere":
		return t.TowerBusy
	case "closed":
		return t.TowerClosed
	}
	words, _ := t.because(p.Failure)
	return words
}
