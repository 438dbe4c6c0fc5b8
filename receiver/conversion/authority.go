package conversion

// Writer says by whose authority a version is written (docs/semantics.md §4, "Who may change what").
type Writer string

// The writers. An intent without one, as older programs stored it, is a network's.
const (
	// WriterKey is a network: it has the endpoint's key.
	WriterKey Writer = "key"
	// WriterPage is a web page, or anybody: everybody can read a client key in the page's source.
	WriterPage Writer = "page"
	// WriterPerson is a person who corrects what is recorded, which pins the slot.
	WriterPerson Writer = "person"
	// WriterImport is a person's list of conversions.
	WriterImport Writer = "import"
	// WriterReplay judges again what was received before.
	WriterReplay Writer = "replay"
)

// mayChange returns why the writer may not change the slot; empty if it may. Whether it would change anything is no
// question for a page: the answer would tell everybody what is recorded.
func (w Writer) mayChange(prev *Conversion) Reason {
	switch {
	case w == WriterPage && prev.Writer != WriterPage:
		return PageMayNotChange
	case prev.Pinned && w != WriterPerson:
		return CorrectedByHand
	}
	return ""
}

// takesOver reports whether the slot has been written by pages only, and now is by somebody else. What a page said
// first must not decide what a network may say later: neither repeat=Ignore, nor transitions=ForwardOnly, nor a newer
// stamp protects it.
func (w Writer) takesOver(prev *Conversion) bool { return prev.Writer == WriterPage && w != WriterPage }

// setter says who sets fields of a click.
type setter int

const (
	// byNetwork may set every field.
	byNetwork setter = iota
	// byVisitor has proof of being the click's own visitor. It may set every field.
	byVisitor
	// byAnybody only knows the subid. It may set fields that are empty or were set from a page.
	byAnybody
)

func (w Writer) setter() setter {
	if w == WriterPage {
		return byAnybody
	}
	return byNetwork
}
