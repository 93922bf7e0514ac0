package view

var english = Texts{
	Language: "English", Code: "en",
	Comma: ", ", Semicolon: "; ", Colon: ": ", Listed: ", ",

	Classify: "Classify", Train: "Train", Models: "Models", Settings: "Settings",

	Starting:     "Starting…",
	OnDiscrete:   "%s, a graphics card",
	OnIntegrated: "%s, this machine’s graphics",
	OnSoftware:   "%s, in software: slow, with the same answers",
	OnUnknown:    "%s",

	DropHere: "Drop pictures here", DropHint: "JPEG, PNG, GIF, BMP or WebP, one or many, or whole folders. Nothing leaves this machine.",
	ChoosePictures: "Choose pictures…", Reading: "Reading…",
	Words: "Words that go with it", WordsHint: "a question or a caption, if you like", WordsFile: "from the text file beside it", WordsInside: "from the picture’s own description",
	NotSure: "not sure", Looking: "Looking…", Waiting: "waiting", NoAnswer: "No answer",
	Took: "%s, %s", Counts: "%d of %d pictures", Skipped: "%d files are no pictures and were left out",
	Camera: "Camera…", RemoveThis: "Remove", ClearAll: "Remove all", Undo: "Undo", SaveCSV: "Save as CSV", SaveJSON: "Save as JSON",
	Picture: "Picture", Answer: "Answer", Probability: "Probability",

	TrainLead:  "Teach a model your own classes, with your own pictures. It starts from the model in use.",
	DropFolder: "Drop a folder or a table here", FolderHint: "One folder per class; or pictures with a metadata.csv, metadata.jsonl, CSV or TSV of file_name, text and label.",
	ChooseFolder: "Choose a folder…", UseSample: "Use the sample collection", SampleLead: "Shapes with questions, drawn by Duet: see how training goes before you use your own pictures.",
	PathHint: "or type where it is", Open: "Open", Understanding: "Looking at %s…", Understood: "This is what Duet understood",
	Examples: "%d examples of %d pictures", Classes: "%d classes: %s", Captions: "with words: %s", Column: "column %s of %s", NoCaptions: "without words",
	Conventions: conventions, Splits: [4]string{"examples", "to train on", "to validate", "to test"},
	SplitOf: "%s: %d", LeftOut: "%d rows left out:", Another: "Another collection", HowMuch: "How thorough",
	Presets:     [3]string{"Quick", "Balanced", "Thorough"},
	PresetLeads: [3]string{"Trains what follows the two towers; each picture is looked at once.", "Trains the last parts of the towers, too.", "Trains the whole model."},
	InputsTitle: "What it sees", Inputs: [3]string{"Pictures and words", "Pictures", "Words"},
	NameTitle: "Name", Start: "Start training", EstimateBusy: "Estimating…", EstimateMemory: "Needs %s on the adapter.", EstimateTime: "Takes about %s.",
	Preparing: "Preparing…", FeaturesOf: "Looking at %d of %d pictures and texts, each once", StepOf: "Step %d of %d", EpochOf: "epoch %d of %d",
	Loss: "Loss", Accuracy: "Right, of the pictures held back", Speed: "%.0f examples a second", Left: "about %s left", Stop: "Stop and keep", Stopping: "Stopping…", Unreadable: "%d pictures could not be read",
	ResultTitle: "%s is right for %.1f %% of %d pictures it has not learnt from", StoppedTitle: "Stopped early: ",
	PerClass: "By class", Precision: "Precision", Recall: "Recall", Confusion: "What it takes for what",
	ConfusionLead: "A row is what a picture shows, a column what the model says. Click a number to see its pictures.",
	Use:           "Use this model", InUse: "in use", AgainAnother: "Train another",
	Unfinished: "The training of %s was interrupted after %d steps.", GoOn: "Go on", GiveUp: "Give it up",

	ModelsLead: "A model is a folder that you can take away: export it as a zip. Drop a zip here to bring one in.", DefaultModel: "The default model",
	ClassesOf: "%d classes: %s", Export: "Export…", Remove: "Remove", Removed: "%s was removed.", Import: "Bring in a zip…",
	Loading: "Loading…", SavedAt: "Saved as %s",

	TipRemove: "Takes this picture out of the list; the file stays where it is", TipClear: "Takes all pictures out of the list; the files stay where they are",
	TipCSV: "A table: file, words, answer, probability, sure or not", TipJSON: "One JSON object a line, with all probabilities",
	TipUse: "It then classifies, and the next training starts from it", TipExport: "A zip in the style of Hugging Face: safetensors, tokenizer, configuration and card",
	TipRemoveModel: "This can be undone until Duet is closed", TipStop: "Ends here and makes a model of what was learnt so far",
	TipGoOn: "From the last saved step, as if nothing had been", TipGiveUp: "What was learnt is thrown away; the pictures stay",
	TipPrecision: "Of the pictures that got this answer, how many are right", TipRecall: "Of the pictures of this class, how many got this answer", TipF1: "The harmonic mean of precision and recall",

	LanguageTitle: "Language", ThemeTitle: "Appearance", AsSystem: "As the system", Light: "Light", Dark: "Dark", About: "About",
	AboutText: "Duet classifies a picture together with its words and learns your own classes, on your own machine. Nothing is uploaded.",

	Problems: [5]string{"The graphics adapter could not be opened", "This could not be read", "The training could not go on", "This model could not be used", "This could not be saved"},
	Dismiss:  "Close", TryAgain: "Try again",
}
