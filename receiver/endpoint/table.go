package endpoint

// table finds the names that all endpoints share. Every parameter of every request is looked up in it, so it is faster
// than a map: it hashes the length of a name and three of its bytes only.
type table struct {
	// slots hold 1 above the number of an entry, 0 where there is none. A name is in its slot or in the first free one
	// after.
	slots   [1 << tableBits]uint8
	entries []tableEntry
}

type tableEntry struct {
	text string
	name name
}

// tableBits leaves most slots free: there are fewer than a hundred names.
const tableBits = 9

func newTable(names map[string]name) *table {
	t := &table{}
	for text, name := range names {
		t.entries = append(t.entries, tableEntry{text, name})
		at := slot(text)
		for t.slots[at] != 0 {
			at = (at + 1) % uint32(len(t.slots))
		}
		t.slots[at] = uint8(len(t.entries)) //nolint:gosec // There are fewer than a hundred; a test looks all of them up.
	}
	return t
}

// slot returns where the search for a name begins. The names of numbered fields differ in their last two bytes.
func slot(text string) uint32 {
	if len(text) < 2 {
		return 0
	}
	last := len(text) - 1
	//nolint:gosec // It may wrap.
	hash := uint32(text[0]) | uint32(text[last-1])<<8 | uint32(text[last])<<16 | uint32(last)<<24
	return hash * 0x9E3779B1 >> (32 - tableBits)
}

func (t *table) lookup(text string) (name, bool) {
	for at := slot(text); t.slots[at] != 0; at = (at + 1) % uint32(len(t.slots)) {
		if entry := &t.entries[t.slots[at]-1]; entry.text == text {
			return entry.name, true
		}
	}
	return name{}, false
}
