package offline

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/snippets"
)

// snippetsDir has a folder per endpoint and campaign, below the output folder, with a file per field of the Secret that
// holds its snippets in a cluster.
const snippetsDir = "snippets"

func endpointFolder(name types.NamespacedName) string { return name.Namespace + "." + name.Name }

func campaignFolder(name types.NamespacedName) string { return endpointFolder(name) + ".campaign" }

// endpointTexts makes the snippets of an endpoint that was rendered as declared.
func (p *planner) endpointTexts(m *member, base string) {
	if base == "" || m.decision.Key == "" {
		return
	}
	p.texts[endpointFolder(m.Name)] = snippets.Endpoint(snippets.EndpointInput{
		Base:      base,
		Key:       m.decision.Key,
		ClientKey: m.decision.ClientKey,
		Status:    render.ReportedType(m.Declared),
	})
}

// campaignTexts makes the snippets of a campaign, with the addresses of its endpoint where that has them.
func (p *planner) campaignTexts(c *memberCampaign, endpoint types.NamespacedName, base string) {
	urls := p.texts[endpointFolder(endpoint)]
	if base == "" || urls == nil {
		return
	}
	p.texts[campaignFolder(c.Name)] = snippets.Campaign(snippets.CampaignInput{
		Base:        base,
		Alias:       c.Declared.LinkAlias(),
		Token:       c.decision.Key,
		PostbackURL: string(urls[snippets.PostbackURLField]),
		ClientURL:   string(urls[snippets.ClientURLField]),
	})
}

// served returns the folders of everything that the fleets' folders hold now.
func (p *planner) served() map[string]bool {
	folders := map[string]bool{}
	add := func(endpoint config.Endpoint) {
		folders[endpointFolder(types.NamespacedName{Namespace: endpoint.Namespace, Name: endpoint.Name})] = true
		for _, campaign := range endpoint.Campaigns {
			folders[campaignFolder(types.NamespacedName{Namespace: endpoint.Namespace, Name: campaign.Name})] = true
		}
	}
	for _, plan := range p.plans {
		for _, endpoint := range plan.endpoints {
			add(endpoint)
		}
	}
	for fleet, before := range p.before {
		if p.plans[fleet] == nil {
			for _, endpoint := range before.endpoints {
				add(endpoint)
			}
		}
	}
	return folders
}

// writeSnippets writes the files, readable by their owner only, and removes those of nothing that is served.
func writeSnippets(dir string, texts map[string]map[string][]byte, served map[string]bool) error {
	root := filepath.Join(dir, snippetsDir)
	for _, folder := range slices.Sorted(maps.Keys(texts)) {
		if !served[folder] {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(texts[folder])) {
			if err := replaceFile(filepath.Join(root, folder, name), texts[folder][name]); err != nil {
				return err
			}
		}
		held, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			return err
		}
		for _, entry := range held {
			if _, wanted := texts[folder][entry.Name()]; !wanted {
				if err := os.RemoveAll(filepath.Join(root, folder, entry.Name())); err != nil {
					return err
				}
			}
		}
	}
	folders, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range folders {
		if !served[entry.Name()] {
			err = cmp.Or(err, os.RemoveAll(filepath.Join(root, entry.Name())))
		}
	}
	return err
}
