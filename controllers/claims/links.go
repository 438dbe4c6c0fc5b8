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
}

// Conflict says what an older campaign has of one that lost.
type Conflict struct {
	// Owner is namespace/name.
	Owner string
	// Alias: it is the alias; else it is a token.
	Alias bool
}

// Links settles who has which alias and which token. kept are, by campaign, the tokens of those that lose nothing but
// retiring tokens: an older campaign has those. Age is Created, then Campaign. One who loses keeps nobody else from anything.
func Links(links []Link) (kept map[string][]config.Key, lost map[string]Conflict) {
	byAge := slices.SortedFunc(slices.Values(links), func(a, b Link) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Campaign, b.Campaign))
	})
	kept, lost = map[string][]config.Key{}, map[string]Conflict{}
	aliases, tokens := map[string]string{}, map[string]string{}
	for _, link := range byAge {
		if owner, taken := aliases[link.Alias]; taken {
			lost[link.Campaign] = Conflict{Owner: owner, Alias: true}
			continue
		}
		active := slices.IndexFunc(link.Tokens, func(key config.Key) bool { return key.RetireAt == nil && tokens[key.SHA256] != "" })
		if active >= 0 {
			lost[link.Campaign] = Conflict{Owner: tokens[link.Tokens[active].SHA256]}
			continue
		}
		own := slices.DeleteFunc(slices.Clone(link.Tokens), func(key config.Key) bool { return tokens[key.SHA256] != "" })
		aliases[link.Alias] = link.Campaign
		for _, key := range own {
			tokens[key.SHA256] = link.Campaign
		}
		kept[link.Campaign] = own
	}
	return kept, lost
}
