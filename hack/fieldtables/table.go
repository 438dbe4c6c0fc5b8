package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// elsewhere are types whose fields have tables of their own.
var elsewhere = map[string]bool{"ReceiverSpec": true}

var table = regexp.MustCompile(`(?s)(<!-- fields of (\w+): ([\w ]+) -->\n).*?(<!-- end of fields -->)`)

// generate returns a page with its tables written again. It fails where a field of a kind has no table, or two, or no
// comment.
func generate(page string, all structs, kinds map[string]string) (string, error) {
	shown := map[string][]string{}
	var failed error
	generated := table.ReplaceAllStringFunc(page, func(found string) string {
		match := table.FindStringSubmatch(found)
		kind, names := match[2], strings.Fields(match[3])
		shown[kind] = append(shown[kind], names...)
		rows, err := all.rows(kinds[kind], "", names)
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", kind, err)
		}
		return match[1] + "| field | default | meaning |\n|---|---|---|\n" + rows + match[4]
	})
	if failed != nil {
		return "", failed
	}
	for kind, spec := range kinds {
		for _, f := range all.flat(spec) {
			if times := count(shown[kind], f.Name); times != 1 {
				return "", fmt.Errorf("%s: spec.%s is in %d tables", kind, f.Name, times)
			}
		}
	}
	return generated, nil
}

func count(names []string, name string) (times int) {
	for _, n := range names {
		if n == name {
			times++
		}
	}
	return times
}

// flat returns the fields of a struct, those of embedded structs in their place.
func (s structs) flat(name string) []field {
	var fields []field
	for _, f := range s[name] {
		if f.Name == "" {
			fields = append(fields, s.flat(f.Type)...)
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// rows are those of the named fields of a struct, or of all if there are no names, each followed by those below it.
func (s structs) rows(structure, path string, names []string) (string, error) {
	fields := s.flat(structure)
	if len(fields) == 0 {
		return "", fmt.Errorf("there is no type %q", structure)
	}
	if names == nil {
		for _, f := range fields {
			names = append(names, f.Name)
		}
	}
	var b strings.Builder
	for _, name := range names {
		at := slices.IndexFunc(fields, func(f field) bool { return f.Name == name })
		if at < 0 {
			return "", fmt.Errorf("%s has no field %s", structure, name)
		}
		f := fields[at]
		meaning := f.meaning()
		if meaning == "" {
			return "", fmt.Errorf("%s.%s has no comment", structure, f.GoName)
		}
		fmt.Fprintf(&b, "| `%s` |%s | %s |\n", path+name, f.whenAbsent(), meaning)
		if _, known := s[f.Type]; !known || elsewhere[f.Type] {
			continue
		}
		below := path + name + "."
		if f.List {
			below = path + name + "[]."
		}
		rows, err := s.rows(f.Type, below, nil)
		if err != nil {
			return "", err
		}
		b.WriteString(rows)
	}
	return b.String(), nil
}

// whenAbsent is what a field is that is not declared.
func (f *field) whenAbsent() string {
	switch {
	case f.Required:
		return " *required*"
	case f.Default != "":
		return " `" + f.Default + "`"
	}
	return ""
}
