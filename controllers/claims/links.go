package claims

import (
	"cmp"
	"slices"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Link is one campaign's claim to its alias and its tokens.
type Link struct {
	// Campaign is namespace/name.
	Campaign string
	// Created is when the campaign was created; the zero time where nobody knows.
	Created time.Time
	Alias   string
	Tokens  []config.Key
	// Previous returns the alias and the tokens with which it is served now, if it is; nil where it never is.
	Previous func() (alias string, tokens []config.Key, found bool)
}

// Conflict says what an older campaign has of one that lost.
type Conflict struct {
	// Owner is namespace/name.
	Owner string
	// Alias: it is the alias; else it is a token.
	Alias bool
	// Previous: the campaign keeps the alias and the tokens that it has now.
	Previous bool
}

// Links settles who has which alias and which token. kept are, by campaign, its tokens without retiring ones that an older
// campaign has. Age is Created, then Campaign. A campaign that loses keeps what it has now, where that is nobody else's; it
// keeps no other from anything.
func Links(links []Link) (kept map[string][]config.Key, lost map[string]Conflict) {
	byAge := slices.SortedFunc(slices.Values(links), func(a, b Link) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Campaign, b.Campaign))
	})
	kept, lost = map[string][]config.Key{}, map[string]Conflict{}
	owners := linkOwners{map[string]string{}, map[string]string{}}
	for _, link := range byAge {
		if own, conflict := owners.take(link.Campaign, link.Alias, link.Tokens); conflict != nil {
			lost[link.Campaign] = *conflict
		} else {
			kept[link.Campaign] = own
		}
	}
	for _, link := range byAge {
		conflict, loses := lost[link.Campaign]
		if !loses || link.Previous == nil {
			continue
		}
		if alias, tokens, found := link.Previous(); found {
			if own, again := owners.take(link.Campaign, alias, tokens); again == nil {
				conflict.Previous = true
				kept[link.Campaign], lost[link.Campaign] = own, conflict
			}
		}
	}
	return kept, lost
}

// linkOwners are campaigns by alias and by token's digest.
type linkOwners struct{ aliases, tokens map[string]string }

// take gives a campaign its alias and those of its tokens that are free, unless the alias or an active token is taken.
func (o linkOwners) take(campaign, alias string, tokens []config.Key) ([]config.Key, *Conflict) {
	if owner, taken := o.aliases[alias]; taken {
		return nil, &Conflict{Owner: owner, Alias: true}
	}
	active := slices.IndexFunc(tokens, func(key config.Key) bool { return key.RetireAt == nil && o.tokens[key.SHA256] != "" })
	if active >= 0 {
		return nil, &Conflict{Owner: o.tokens[tokens[active].SHA256]}
	}
	own := slices.DeleteFunc(slices.Clone(tokens), func(key config.Key) bool { return o.tokens[key.SHA256] != "" })
	o.aliases[alias] = campaign
	for _, key := range own {
		o.tokens[key.SHA256] = campaign
	}
	return own, nil
}
