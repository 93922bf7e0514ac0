package view

import (
	"fmt"
	"strings"

	"duet/app/ui"
	"duet/model/report"

	"gioui.org/layout"
)

// notices are a new version that has come, and what the user is told once.
func (v *View) notices(gtx C, s *ui.State) D {
	var cards []layout.Widget
	switch version := s.Page.Version; {
	case version != ui.VersionNew && version != ui.VersionHeld:
	case s.Busy():
		cards = append(cards, v.notice("", v.Texts.NewVersionBusy, v.do("later", v.Texts.Later, quiet, true, ui.PutOffVersion{})))
	default:
		text := v.Texts.NewVersion
		if version == ui.VersionHeld {
			text = v.Texts.NewVersionHeld
		}
		cards = append(cards, v.notice("", text,
			v.do("reload", v.Texts.Reload, quiet, true, ui.TakeVersion{}),
			v.do("later", v.Texts.Later, quiet, true, ui.PutOffVersion{})))
	}
	if s.Hint == ui.HintSoftware {
		cards = append(cards, v.notice(v.Texts.SoftwareTitle, v.Texts.SoftwareWhy, v.do("hint", v.Texts.Dismiss, quiet, true, ui.DismissHint{})))
	}
	return rows(gtx, 0, cards...)
}

// notice is a text with what one can do about it.
func (v *View) notice(title, text string, actions ...layout.Widget) layout.Widget {
	return func(gtx C) D {
		return layout.Inset{Bottom: gap}.Layout(gtx, func(gtx C) D {
			return v.card(gtx, func(gtx C) D {
				words := func(gtx C) D {
					if title == "" {
						return v.body(text).Layout(gtx)
					}
					return rows(gtx, 2, v.body(title).strong().Layout, v.body(text).Layout)
				}
				if gtx.Constraints.Max.X < gtx.Dp(narrow) {
					return rows(gtx, 2, words, func(gtx C) D { return v.wrap(gtx, gapSmall, actions...) })
				}
				children := []layout.FlexChild{layout.Flexed(1, words)}
				for _, a := range actions {
					children = append(children, layout.Rigid(a))
				}
				return layout.Flex{Alignment: layout.Middle}.Layout(gtx, children...)
			})
		})
	}
}

// because says in the user's language why something failed, and details in
// English where there are more.
func (t *Texts) because(f ui.Failure) (words, details string) {
	words = t.Reasons[f.Reason]
	if f.Reason == report.DiskFull && !hasPaths { // a page has no disk of its own
		words = t.BrowserRoom
	}
	if f.Reason == report.NoReason || strings.Count(words, "%s") > len(f.Names) {
		return f.Text, ""
	}
	for _, name := range f.Names {
		words = strings.Replace(words, "%s", name, 1)
	}
	switch f.Reason {
	case report.NoPictures, report.Elsewhere, report.EmptyFolder:
		return words, "" // that is all
	}
	return words, f.Text
}

// advice says what one can do about a problem, where its code or reason tells,
// else what it is; and details in English where there are some.
func (t *Texts) advice(p *ui.Problem, browser string) (words, details string) {
	if words := t.noEngine(p, browser); words != "" {
		return words, ""
	}
	return t.because(p.Failure)
}

// noEngine says what one can do where the tab has no engine.
func (t *Texts) noEngine(p *ui.Problem, browser string) string {
	switch p.Code {
	case "insecure":
		return t.Insecure
	case "no-webgpu":
		how := map[string]string{"chrome": t.WebGPUInChrome, "chrome-linux": t.WebGPUInChromeLinux, "firefox": t.WebGPUInFirefox, "safari": t.WebGPUInSafari}[browser]
		if how == "" {
			how = t.WebGPUElsewhere
		}
		return fmt.Sprintf(t.NoWebGPU, how)
	case "no-adapter":
		return t.NoAdapter
	case "limit":
		return fmt.Sprintf(t.Limit, p.Text)
	case "device":
		return fmt.Sprintf(t.Device, p.Text)
	case "lost":
		return t.Lost
	case "no-dialog":
		return t.NoDialog
	case "internal":
		return fmt.Sprintf(t.Internal, p.Text)
	}
	return ""
}

// storage says what room the models take.
func (v *View) storage(gtx C, s *ui.State) D {
	room := s.Page.Storage
	if room == nil {
		sum := int64(0)
		for _, m := range s.Models.List {
			if !m.Embedded {
				sum += m.Bytes
			}
		}
		if sum == 0 {
			return D{}
		}
		return v.muted(fmt.Sprintf(v.Texts.StorageModels, memory(sum))).Layout(gtx)
	}
	if !room.Lasting {
		return v.label(sizeBody, v.Theme.Warn, v.Texts.StorageNone).Layout(gtx)
	}
	used := fmt.Sprintf(v.Texts.StorageUsed, memory(room.Used))
	if room.Quota > 0 {
		used += " " + fmt.Sprintf(v.Texts.StorageQuota, memory(room.Quota))
	}
	if room.Persistent {
		return rows(gtx, 2, v.muted(used).Layout, v.muted(v.Texts.StorageKept).Layout)
	}
	return rows(gtx, 2, v.muted(used).Layout, v.muted(v.Texts.StorageMayGo).Layout,
		v.do("persist", v.Texts.KeepStorage, plain, true, ui.Persist{}))
}

// sent says in the tab how much has left the page; a window opens no connection.
func (v *View) sent(s *ui.State) layout.Widget {
	if s.Page.Traffic == nil {
		return func(C) D { return D{} }
	}
	return v.muted(fmt.Sprintf(v.Texts.Sent, s.Page.Traffic.Sent)).Layout
}

// traffic says it at length.
func (v *View) traffic(gtx C, s *ui.State) D {
	t := s.Page.Traffic
	if t == nil {
		return D{}
	}
	return rows(gtx, gapSmall, v.heading(v.Texts.TrafficTitle).Layout, v.body(fmt.Sprintf(v.Texts.Sent, t.Sent)).Layout,
		v.body(fmt.Sprintf(v.Texts.Elsewhere, t.Elsewhere)).Layout,
		v.muted(fmt.Sprintf(v.Texts.Fetched, t.Files, memory(t.Fetched))).Layout, v.muted(v.Texts.TrafficLead).Layout)
}
