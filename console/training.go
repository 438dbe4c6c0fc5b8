package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// statuses lists the words that no training knows, and the YAML to commit that trains them.
func (c *console) statuses(p *page) error {
	p.section("statuses")
	p.Section = "received"
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	words, err := c.API.Statuses(p.ctx, p.asked("endpoint", "preset", "from", "to"))
	if err != nil {
		return err
	}
	p.Statuses = &words
	p.Trained = p.train(words.Items)
	return nil
}

// trained is what to commit to an endpoint's declaration.
type trained struct{ Endpoint, YAML string }

// lesson is a word that is to mean a type, and why.
type lesson struct{ word, meaning, why string }

// train writes what to commit: the word and the type that the URL says, otherwise every proposal.
func (p *page) train(words []read.Status) []trained {
	lessons := map[string][]lesson{}
	if word, meaning := p.Value("word"), p.Value("type"); word != "" {
		if meaning != "" {
			lessons[p.Value("endpoint")] = []lesson{{word: word, meaning: meaning}}
		}
	} else {
		for _, s := range words {
			if s.Proposal.Type != nil {
				why := fmt.Sprintf("%d × since %s: %s", s.Count, s.First.In(p.Zone).Format("2006-01-02"), s.Proposal.Reason)
				lessons[s.Endpoint] = append(lessons[s.Endpoint], lesson{s.Word, *s.Proposal.Type, why})
			}
		}
	}
	var all []trained
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		if of := lessons[e.Name]; len(of) > 0 {
			all = append(all, trained{e.Name, trainingYAML(e, of)})
		}
	}
	return all
}

// trainingYAML returns the whole training of an endpoint with the lessons added: a list in a manifest is replaced as
// a whole.
func trainingYAML(e *read.Endpoint, lessons []lesson) string {
	rules := make([]read.TrainingRule, 0, len(e.Training))
	for _, rule := range e.Training {
		rules = append(rules, read.TrainingRule{Type: rule.Type, Statuses: slices.Clone(rule.Statuses)})
	}
	var b strings.Builder
	for _, l := range lessons {
		if l.why != "" {
			fmt.Fprintf(&b, "# %s: %s, %s\n", quoted(l.word), l.meaning, strings.Join(strings.Fields(l.why), " "))
		}
		i := slices.IndexFunc(rules, func(r read.TrainingRule) bool { return r.Type == l.meaning })
		if i < 0 {
			rules = append(rules, read.TrainingRule{Type: l.meaning})
			i = len(rules) - 1
		}
		rules[i].Statuses = append(rules[i].Statuses, l.word)
	}
	b.WriteString("spec:\n  training:\n")
	for _, rule := range rules {
		words := make([]string, len(rule.Statuses))
		for i, word := range rule.Statuses {
			words[i] = quoted(word)
		}
		fmt.Fprintf(&b, "  - type: %s\n    statuses: [%s]\n", quoted(rule.Type), strings.Join(words, ", "))
	}
	return b.String()
}

// quoted writes a word as a string of JSON, which is one of YAML: `no`, `1` and a line break stay what they are.
func quoted(word string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(word) // A string always encodes.
	return strings.TrimSuffix(b.String(), "\n")
}
