package paramtext

import "strings"

// JoinWords writes words that have no comma, such as warnings, as one text; none are the empty text.
func JoinWords[W ~string](words []W) string {
	if len(words) == 0 {
		return ""
	}
	text := string(words[0])
	for _, word := range words[1:] {
		text += "," + string(word)
	}
	return text
}

// SplitWords reads what JoinWords wrote.
func SplitWords[W ~string](text string) []W {
	if text == "" {
		return nil
	}
	words := make([]W, 0, 1+strings.Count(text, ","))
	for word := range strings.SplitSeq(text, ",") {
		words = append(words, W(word))
	}
	return words
}
