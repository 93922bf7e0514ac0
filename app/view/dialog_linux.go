package view

import "os/exec"

// dialogs are the desktop's, the most wanted first.
func dialogs() (all []dialog) {
	if hasPortal() {
		all = append(all, portalDialog)
	}
	for _, name := range []string{"zenity", "kdialog"} {
		if path, err := exec.LookPath(name); err == nil {
			all = append(all, programDialog(path, dialogArguments[name]))
		}
	}
	return all
}

// dialogArguments are what programs that show dialogs are called with; %s is the
// title.
var dialogArguments = map[string]map[Choice][]string{
	"zenity": {
		ChoosePictures: {"--file-selection", "--multiple", "--separator=\n"},
		ChooseFolder:   {"--file-selection", "--directory"},
		ChooseModel:    {"--file-selection", "--file-filter=*.zip"},
	},
	"kdialog": {
		ChoosePictures: {"--getopenfilename", "--multiple", "--separate-output", "."},
		ChooseFolder:   {"--getexistingdirectory"},
		ChooseModel:    {"--getopenfilename", ".", "*.zip"},
	},
}

// programDialog asks by way of a program that prints what was chosen.
func programDialog(path string, arguments map[Choice][]string) dialog {
	return func(what Choice, title string) ([]string, error) {
		out, err := exec.Command(path, append(arguments[what], "--title="+title)...).Output()
		if exitCode(err) == 1 {
			return nil, nil // the user closed the dialog
		}
		if err != nil {
			return nil, err
		}
		return lines(out), nil
	}
}
