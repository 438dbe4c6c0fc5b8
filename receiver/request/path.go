package request

import (
	"net/url"
	"strings"
)

// Clean writes the path of a request as docs/semantics.md §2 has it: repeated slashes are one, and one at the end is
// dropped. It looks at the escaped path, so that `%2F` is no slash: a path with one names nothing. It reports whether
// the path held the query behind `&`, as senders write who think that every parameter begins with it.
func Clean(u *url.URL) (repaired bool) {
	path := u.EscapedPath()
	for _, name := range []string{"/postback", "/postback.gif"} {
		rest, hidden, found := strings.Cut(path, name+"&")
		if found && strings.Count(strings.Trim(rest, "/"), "/") == 0 { // Before it is nothing but the key.
			path, repaired = rest+name, true
			u.RawQuery = strings.TrimSuffix(hidden+"&"+u.RawQuery, "&")
		}
	}
	var cleaned strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		cleaned.WriteByte('/')
		text, err := url.PathUnescape(segment)
		if err != nil || strings.Contains(text, "/") {
			text = segment
		}
		cleaned.WriteString(text)
	}
	if u.Path, u.RawPath = cleaned.String(), ""; u.Path == "" {
		u.Path = "/"
	}
	return repaired
}

// PostbackName ends the path of a postback.
const PostbackName = "postback"

// PostbackPath is /{key}/{name} or /{key}/{name}.gif. The name is [PostbackName] or a campaign's alias.
type PostbackPath struct {
	Key, Name string
	GIF       bool
}

// SplitPath takes a clean path apart. The result is empty for one of another form.
func SplitPath(path string) PostbackPath {
	key, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if key == "" {
		return PostbackPath{}
	}
	name, gif := strings.CutSuffix(name, ".gif")
	return PostbackPath{Key: key, Name: name, GIF: gif}
}
