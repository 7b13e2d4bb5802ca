package alternative

// far is any distance that is more than a caller wants to know.
const far = 1 << 10

// distance is how many single bytes are to be put in, left out, replaced or swapped with their neighbour to make a into b,
// no byte being touched twice; far where it is more than limit. It looks only at the band in which the answer can lie, so
// that a hostile list costs little.
func distance(a, b string, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return far
	}
	var before, last, row []int
	for i := range len(a) + 1 {
		before, last, row = last, row, make([]int, len(b)+1)
		least := far
		for j := range row {
			if j < i-limit || j > i+limit {
				row[j] = far
				continue
			}
			row[j] = cell(a, b, i, j, before, last, row)
			least = min(least, row[j])
		}
		if least > limit {
			return far
		}
	}
	if row[len(b)] > limit {
		return far
	}
	return row[len(b)]
}

// cell is the distance of the first i bytes of a from the first j of b.
func cell(a, b string, i, j int, before, last, row []int) int {
	if i == 0 || j == 0 {
		return i + j
	}
	d := min(last[j]+1, row[j-1]+1)
	if a[i-1] == b[j-1] {
		d = min(d, last[j-1])
	} else {
		d = min(d, last[j-1]+1)
	}
	if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
		d = min(d, before[j-2]+1)
	}
	return d
}
