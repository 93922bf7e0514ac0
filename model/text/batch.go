package text

import "fmt"

// Batch is a batch of encodings, padded to one length.
type Batch struct {
	B, T    int     // encodings and length
	IDs     []int32 // [B T], rows filled up with <pad>
	Lengths []int32 // [B], ids before the padding
}

// Collate pads encodings to length, or to the longest of them where length is
// 0. A longer encoding is an error: cut it with Encode's maxLen.
func (t *Tokenizer) Collate(encodings [][]int32, length int) (Batch, error) {
	if length == 0 {
		for _, e := range encodings {
			length = max(length, len(e))
		}
	}
	b := Batch{B: len(encodings), T: length, Lengths: make([]int32, len(encodings))}
	for i, e := range encodings {
		if len(e) > length {
			return Batch{}, fmt.Errorf("text: padding a batch: encoding %d has %d ids, the length is %d", i, len(e), length)
		}
		b.Lengths[i] = int32(len(e))
	}
	b.IDs = make([]int32, b.B*b.T)
	for i, e := range encodings {
		row := b.IDs[i*length : (i+1)*length]
		for j := copy(row, e); j < length; j++ {
			row[j] = t.Pad
		}
	}
	return b, nil
}

// Mask is the attention mask [B T]: 1 for an id, 0 for padding.
func (b Batch) Mask() []int32 {
	mask := make([]int32, b.B*b.T)
	for i, n := range b.Lengths {
		for j := range n {
			mask[i*b.T+int(j)] = 1
		}
	}
	return mask
}
