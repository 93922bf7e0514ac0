package view

var chinese = Texts{
	Language: "简体中文", Code: "zh",
	Comma: "，", Semicolon: "；", Colon: "：", Listed: "、",

	Classify: "识别", Train: "训练", Models: "模型", Settings: "设置",

	Starting:     "正在启动…",
	OnDiscrete:   "%s，独立显卡",
	OnIntegrated: "%s，本机集成显卡",
	OnSoftware:   "%s，软件计算：较慢，结果相同",
	OnUnknown:    "%s",

	DropHere: "把图片拖到这里", DropHint: "支持 JPEG、PNG、GIF、BMP 和 WebP，一张、多张或整个文件夹。任何内容都不会离开本机。",
	ChoosePictures: "选择图片…", Reading: "正在读取…",
	Words: "配套的文字", WordsHint: "可以写一个问题或一句说明", WordsFile: "来自同名文本文件", WordsInside: "来自图片自带的说明",
	NotSure: "不确定", Looking: "正在查看…", Waiting: "等待中", NoAnswer: "没有结果",
	Took: "%s，%s", Counts: "%d / %d 张图片", Skipped: "%d 个文件不是图片，已跳过",
	Camera: "拍照…", RemoveThis: "移除", ClearAll: "全部移除", Undo: "撤销", SaveCSV: "保存为 CSV", SaveJSON: "保存为 JSON",
	Picture: "图片", Answer: "结果", Probability: "概率",

	TrainLead:  "用自己的图片教模型认识自己的类别。训练从当前使用的模型开始。",
	DropFolder: "把文件夹或表格拖到这里", FolderHint: "每个类别一个文件夹；或者图片加上 metadata.csv、metadata.jsonl、CSV 或 TSV，含 file_name、text 和 label 三列。",
	ChooseFolder: "选择文件夹…", UseSample: "使用示例数据", SampleLead: "由 Duet 绘制的图形和问题：先看看训练如何进行，再用自己的图片。",
	PathHint: "或者输入它的位置", Open: "打开", Understanding: "正在查看“%s”…", Understood: "Duet 的理解如下",
	Examples: "%d 个样本，%d 张图片", Classes: "%d 个类别：%s", Captions: "文字：%s", Column: "列 %s，取自 %s", NoCaptions: "没有文字",
	Conventions: [len(conventions)]string{
		"每个类别一个文件夹", "每个类别一个文件夹的 ImageFolder", "带元数据的 ImageFolder", "文件夹中的表格", "一个表格", "WebDataset 格式的 tar 分片", "多份数据合在一起", "没有标签和文字的图片",
	}, Splits: [4]string{"样本", "用于训练", "用于验证", "用于测试"},
	SplitOf: "%s：%d", LeftOut: "跳过 %d 行：", Another: "换一份数据", HowMuch: "训练程度",
	Presets:     [3]string{"快速", "均衡", "彻底"},
	PresetLeads: [3]string{"只训练两个塔之后的部分，每张图片只看一次。", "同时训练两个塔的最后部分。", "训练整个模型。"},
	InputsTitle: "模型能看到", Inputs: [3]string{"图片和文字", "图片", "文字"},
	NameTitle: "名称", Start: "开始训练", EstimateBusy: "正在估算…", EstimateMemory: "需要 %s 显存。", EstimateTime: "大约需要 %s。",
	Preparing: "正在准备…", FeaturesOf: "正在查看第 %d / %d 个图片和文字，每个只看一次", StepOf: "第 %d / %d 步", EpochOf: "第 %d / %d 轮",
	Loss: "损失", Accuracy: "留出图片的正确率", Speed: "每秒 %.0f 个样本", Left: "大约还需 %s", Stop: "停止并保留", Stopping: "正在停止…", Unreadable: "%d 张图片无法读取",
	ResultTitle: "“%s”对 %.1f %% 的未学过图片判断正确（共 %d 张）", StoppedTitle: "提前停止：",
	PerClass: "各类别", Precision: "精确率", Recall: "召回率", Confusion: "混淆情况",
	ConfusionLead: "行是图片的真实类别，列是模型的回答。点击数字查看对应的图片。",
	Use:           "使用这个模型", InUse: "使用中", AgainAnother: "再训练一个",
	Unfinished: "“%s”的训练在第 %d 步中断。", GoOn: "继续", GiveUp: "放弃",

	ModelsLead: "模型是一个可以带走的文件夹：可导出为 zip。把 zip 拖到这里即可导入。", DefaultModel: "默认模型",
	ClassesOf: "%d 个类别：%s", Export: "导出…", Remove: "移除", Removed: "已移除“%s”。", Import: "导入 zip…",
	Loading: "正在加载…", SavedAt: "已保存为 %s",

	TipRemove: "只从列表中移除这张图片，文件保留在原处", TipClear: "从列表中移除全部图片，文件保留在原处",
	TipCSV: "表格：文件、文字、结果、概率、是否确定", TipJSON: "每行一个 JSON 对象，包含全部概率",
	TipUse: "之后用它来识别，下一次训练也从它开始", TipExport: "Hugging Face 格式的 zip：safetensors 权重、分词器、配置和模型卡",
	TipRemoveModel: "关闭 Duet 之前都可以撤销", TipStop: "到此为止，把已经学到的保存为模型",
	TipGoOn: "从最近保存的一步继续，如同没有中断", TipGiveUp: "丢弃已经学到的内容，图片不受影响",
	TipPrecision: "得到这个结果的图片中，判断正确的比例", TipRecall: "这个类别的图片中，得到这个结果的比例", TipF1: "精确率和召回率的调和平均",

	LanguageTitle: "语言", ThemeTitle: "外观", AsSystem: "跟随系统", Light: "浅色", Dark: "深色", About: "关于",
	AboutText: "Duet 把图片和它的文字放在一起识别，并在您自己的机器上学习您自己的类别。不上传任何内容。",

	Problems: [5]string{"无法打开图形适配器", "无法读取", "训练无法继续", "无法使用这个模型", "无法保存"},
	Dismiss:  "关闭", TryAgain: "再试一次",
}
