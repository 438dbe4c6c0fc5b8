package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// paths finds what a page names in backticks and is a path of the repository: it begins with one of its folders.
var paths = regexp.MustCompile("`((?:api|charts|cli|config|controllers|docs|hack|receiver)/[A-Za-z0-9_./-]*|README\\.md)`")

func TestEveryFileThatThePageForDevelopersNamesExists(t *testing.T) {
	page, err := os.ReadFile("develop.md")
	if err != nil {
		t.Fatal(err)
	}
	named := paths.FindAllStringSubmatch(string(page), -1)
	if len(named) < 50 {
		t.Fatalf("only %d files are found in the page", len(named))
	}
	for _, match := range named {
		path := strings.TrimSuffix(match[1], "/")
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
