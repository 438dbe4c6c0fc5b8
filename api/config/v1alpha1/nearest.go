package v1alpha1

import (
	"slices"
	"strings"
)

// didYouMean names the known words that a misspelt one is nearest to, as the end of an error's sentence; "" if none is
// near.
func didYouMean(word string, known []string) string {
	const most = 3
	found := nearest(word, known)
	if len(found) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(found[:min(len(found), most)], " or ") + "?"
}

// nearest returns those of the known words that are the fewest typing errors away, at most two, in their order. Letter
// case is none.
func nearest(word string, known []string) []string {
	const farthest, longest = 2, 32
	word = strings.ToLower(word)
	if word == "" || len(word) > longest {
		return nil
	}
	best := min(farthest, len(word)/2)
	var found []string
	for _, candidate := range known {
		switch d := typingErrors(word, strings.ToLower(candidate)); {
		case d < best:
			best, found = d, []string{candidate}
		case d == best:
			found = append(found, candidate)
		}
	}
	return found
}

// typingErrors counts the letters that are missing, too many, wrong, or swapped with the next one.
func typingErrors(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
