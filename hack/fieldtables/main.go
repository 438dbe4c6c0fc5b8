// Command fieldtables writes the tables of fields in docs/endpoint.md and docs/campaign.md from the comments of the
// kinds, which `kubectl explain` shows too. It runs from the repository's root, as a part of make generate.
//
// A table stands between two markers, the first of which names the fields of the spec that it is about, each with all
// below it:
//
//	<!-- fields of PostbackEndpoint: currency payout -->
//	<!-- end of fields -->
package main

import (
	"fmt"
	"os"
)

// Where the kinds are, and the pages.
const (
	kindsDir = "api/v1alpha1"
	docsDir  = "docs"
)

// pages have the tables of the kinds' specs.
var pages = map[string]map[string]string{
	"endpoint.md": {"PostbackEndpoint": "PostbackEndpointSpec", "ReceiverFleet": "ReceiverFleetSpec"},
	"campaign.md": {"Campaign": "CampaignSpec"},
}

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "fieldtables:", err)
		os.Exit(1)
	}
}

// write writes the tables of all pages of the repository at root.
func write(root string) error {
	return eachPage(root, func(path, _, generated string) error {
		return os.WriteFile(path, []byte(generated), 0o600) // which keeps the mode of a file that is there
	})
}

// eachPage generates each page and hands over what it is and what it should be.
func eachPage(root string, do func(path, current, generated string) error) error {
	structs, err := parse(root + "/" + kindsDir)
	if err != nil {
		return err
	}
	for name, kinds := range pages {
		path := root + "/" + docsDir + "/" + name
		current, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		generated, err := generate(string(current), structs, kinds)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := do(path, string(current), generated); err != nil {
			return err
		}
	}
	return nil
}
