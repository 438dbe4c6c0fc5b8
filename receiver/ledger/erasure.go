package ledger

import (
	"errors"
	"net/netip"
	"strings"
)

// Selection says whose data to erase: one of SubID, IP and Value, of all endpoints or of one.
type Selection struct {
	// Endpoint is "namespace/name"; empty = all.
	Endpoint string
	// SubID selects what belongs to the click.
	SubID string
	// IP selects the clicks of that address, the postbacks that came from it, and all that belongs to either.
	IP netip.Addr
	// Parameter and Value select clicks and postbacks with that parameter, and all that belongs to them.
	Parameter, Value string
}

// By names the kind of the selection: subid, ip or parameter; an error if there is not exactly one.
func (s Selection) By() (kind string, err error) {
	n := 0
	for name, given := range map[string]bool{"subid": s.SubID != "", "ip": s.IP.IsValid(),
		"parameter": s.Parameter != "" && s.Value != ""} {
		if given {
			kind, n = name, n+1
		}
	}
	if strings.ContainsAny(s.Parameter, `"\`) {
		return "", errors.New("no parameter has such a name")
	}
	if n != 1 {
		return "", errors.New("a subid, an IP address or a parameter with its value is needed, and only one of them")
	}
	return kind, nil
}

// Erasure counts the rows from which something was erased.
type Erasure struct {
	Clicks, Conversions, Received, Held, Outbox int64
}
