package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/text/language"
)

//go:embed locales
var localeFiles embed.FS

// languages are those of the console; the first one is the default.
var languages = []string{"en", "ru"}

// catalogs are the texts by language and key.
var catalogs = loadCatalogs()

var matcher = language.NewMatcher([]language.Tag{language.English, language.Russian})

func loadCatalogs() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range languages {
		content, err := localeFiles.ReadFile("locales/" + lang + ".json")
		if err != nil {
			panic(err) // The files are part of the program.
		}
		texts := map[string]string{}
		if err := json.Unmarshal(content, &texts); err != nil {
			panic(fmt.Errorf("locales/%s.json: %w", lang, err))
		}
		all[lang] = texts
	}
	return all
}

// chooseLanguage prefers what the URL says, then what the browser does.
func chooseLanguage(fromURL, accepted string) string {
	if _, known := catalogs[fromURL]; known {
		return fromURL
	}
	_, at := language.MatchStrings(matcher, accepted)
	return languages[at]
}

// T returns a text in the page's language. args fill its verbs.
func (p *page) T(key string, args ...any) string {
	text, ok := catalogs[p.Lang][key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Word explains a reason in the page's language; "" for one that is not known.
func (p *page) Word(reason string) string { return Explain(p.Lang, reason) }

// Explain says in a sentence why a postback was ignored or refused; "" for a reason or a language that is not known.
func Explain(lang, reason string) string { return catalogs[lang]["word."+reason] }

// Dimension is a heading of a report.
func (p *page) Dimension(name string) string {
	if title, ok := catalogs[p.Lang]["dimension."+name]; ok {
		return title
	}
	return name
}

// Upper is a language as it is abbreviated.
func (p *page) Upper(lang string) string { return strings.ToUpper(lang) }

// Languages returns the languages to choose from.
func (p *page) Languages() []string { return languages }
