package console

// keyHelp is a line of the help: which keys are pressed, one after the other, and what they do, a key of the catalog.
type keyHelp struct {
	Press []string
	Text  string
}

// Keys returns what keys do. The script has them: static/console.js.
func (p *page) Keys() []keyHelp {
	return []keyHelp{
		{[]string{"j", "k"}, "keys.move"},
		{[]string{"Enter"}, "keys.open"},
		{[]string{"y"}, "keys.copy"},
		{[]string{"/"}, "keys.search"},
		{[]string{"Esc"}, "keys.leave"},
		{[]string{"g", "o"}, "title.overview"},
		{[]string{"g", "c"}, "title.conversions"},
		{[]string{"g", "p"}, "title.received"},
		{[]string{"g", "k"}, "title.clicks"},
		{[]string{"g", "m"}, "title.campaigns"},
		{[]string{"g", "f"}, "title.s2s"},
		{[]string{"g", "r"}, "title.reports"},
		{[]string{"g", "u"}, "title.url"},
		{[]string{"g", "e"}, "title.endpoints"},
		{[]string{"g", "x"}, "title.operations"},
		{[]string{"?"}, "keys.title"},
	}
}
