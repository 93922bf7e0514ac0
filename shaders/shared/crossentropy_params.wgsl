struct Params { rows: u32, classes: u32, splits: u32, ignore_index: i32, smoothing: f32 }
