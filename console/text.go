package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

//go:embed locales
var localeFiles embed.FS

// languages are those of the console; the first one is the default.
var languages = []string{"en", "ru"}

// catalogs are the texts by language and key, plurals those that depend on a number, by its form in the language.
var catalogs, plurals = loadCatalogs()

// forms are those of numbers, as the catalogs name them.
var forms = map[string]plural.Form{
	"one": plural.One, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Russian})

func loadCatalogs() (texts map[string]map[string]string, counted map[string]map[string]map[plural.Form]string) {
	texts, counted = map[string]map[string]string{}, map[string]map[string]map[plural.Form]string{}
	for _, lang := range languages {
		content, err := localeFiles.ReadFile("locales/" + lang + ".json")
		if err != nil {
			panic(err) // The files are part of the program.
		}
		entries := map[string]json.RawMessage{}
		if err := json.Unmarshal(content, &entries); err != nil {
			panic(fmt.Errorf("locales/%s.json: %w", lang, err))
		}
		texts[lang], counted[lang] = map[string]string{}, map[string]map[plural.Form]string{}
		for key, entry := range entries {
			var text string
			var byForm map[string]string
			if json.Unmarshal(entry, &text) == nil {
				texts[lang][key] = text
				continue
			}
			if err := json.Unmarshal(entry, &byForm); err != nil {
				panic(fmt.Errorf("locales/%s.json: %s: %w", lang, key, err))
			}
			counted[lang][key] = map[plural.Form]string{}
			for name, text := range byForm {
				counted[lang][key][forms[name]] = text
			}
		}
	}
	return texts, counted
}

// formOf returns the form of a number in a language.
func formOf(lang string, n int) plural.Form {
	return plural.Cardinal.MatchPlural(language.Make(lang), max(n, -n), 0, 0, 0, 0)
}

// N returns a text that counts something, in the page's language.
func (p *page) N(key string, n int) string {
	texts := plurals[p.Lang][key]
	text, ok := texts[formOf(p.Lang, n)]
	if !ok {
		text = texts[plural.Other]
	}
	return strings.ReplaceAll(text, "%d", strconv.Itoa(n))
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

// Word explains a reason or a warning in the page's language; "" for one that is not known.
func (p *page) Word(word string) string { return Explain(p.Lang, word) }

// Explain says in a sentence what a reason or a warning means; "" for what is neither. The English sentences are those
// of the API, and what a language has no sentence for is said in English.
func Explain(lang, word string) string {
	if text, ok := catalogs[lang]["word."+word]; ok {
		return text
	}
	return read.Sentence(word)
}

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
