package text

// queue is a binary heap: pop returns the element that comes before all others.
type queue[T interface{ Before(T) bool }] []T

func (q *queue[T]) push(x T) {
	h := append(*q, x)
	*q = h
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !x.Before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = x
}

// pop must not be called on an empty queue.
func (q *queue[T]) pop() T {
	h := *q
	top, x := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].Before(h[child]) {
			child++
		}
		if !h[child].Before(x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = x
	return top
}
