// A block is 64 words of an arena, 16 vec4s: the low 24 bits of its entry are
// its group, the high 8 how many of its words belong to the tensor. hyper is
// two vec4s of globals, then one for each group (AdamHyper.Words):
//   0: β1, 1 − β1, β2, 1 − β2
//   1: 1/(1 − β1^t), 1/√(1 − β2^t), ε, max norm
//   2 + group: learning rate, weight decay, 1 if trained
fn group_of(block: u32) -> vec4<f32> { return hyper[2u + (blocks[block] & 0xffffffu)]; }

// Which of the four words of vec4 i (counted over the arena) are data.
fn valid(i: u32) -> vec4<bool> {
  let word = (i % 16u) * 4u;
  return vec4<u32>(word, word + 1u, word + 2u, word + 3u) < vec4<u32>(blocks[i / 16u] >> 24u);
}
