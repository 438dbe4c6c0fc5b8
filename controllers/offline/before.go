package offline

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
)

// rendered is what a fleet's folder holds since the last rendering.
type rendered struct {
	fleet     config.Fleet
	endpoints map[types.NamespacedName]config.Endpoint
}

// renderedBefore are the folders' contents by fleet.
type renderedBefore map[types.NamespacedName]rendered

// loadBefore reads the fleets' folders. What cannot be read, or is no longer valid, counts as never rendered.
func loadBefore(dir string) renderedBefore {
	before := renderedBefore{}
	manifests, _ := filepath.Glob(filepath.Join(dir, "*", config.ManifestFile))
	for _, path := range manifests {
		folder := filepath.Dir(path)
		var manifest config.Manifest
		data, err := os.ReadFile(path) //nolint:gosec // below the user's folder
		if err != nil || json.Unmarshal(data, &manifest) != nil || manifest.Fleet.Validate() != nil {
			continue
		}
		name := types.NamespacedName{Namespace: manifest.Fleet.Namespace, Name: manifest.Fleet.Name}
		if folderOf(name) != filepath.Base(folder) {
			continue
		}
		found := rendered{fleet: manifest.Fleet, endpoints: map[types.NamespacedName]config.Endpoint{}}
		for _, shard := range manifest.Shards {
			data, err := os.ReadFile(filepath.Join(folder, filepath.Base(shard.Name))) //nolint:gosec // below the user's folder
			if err == nil {
				render.DecodeShard(data, found.endpoints)
			}
		}
		before[name] = found
	}
	return before
}

// fleets returns the names of the fleets, those that are planned now first.
func (b renderedBefore) fleets(plans fleetPlans) []types.NamespacedName {
	names := slices.SortedFunc(maps.Keys(b), byName)
	slices.SortStableFunc(names, func(x, y types.NamespacedName) int {
		switch planned := plans[x] != nil; {
		case planned == (plans[y] != nil):
			return 0
		case planned:
			return -1
		}
		return 1
	})
	return names
}

// fleetOf returns the fleet in whose folder an endpoint is.
func (b renderedBefore) fleetOf(endpoint types.NamespacedName, plans fleetPlans) (types.NamespacedName, bool) {
	for _, fleet := range b.fleets(plans) {
		if _, found := b[fleet].endpoints[endpoint]; found {
			return fleet, true
		}
	}
	return types.NamespacedName{}, false
}

// endpointOf returns the endpoint with which a campaign was rendered, and the fleet in whose folder it is.
func (b renderedBefore) endpointOf(
	campaign types.NamespacedName, plans fleetPlans,
) (endpoint, fleet types.NamespacedName, found bool) {
	for _, fleet := range b.fleets(plans) {
		for name, endpoint := range b[fleet].endpoints {
			if name.Namespace == campaign.Namespace &&
				slices.ContainsFunc(endpoint.Campaigns, func(c config.Campaign) bool { return c.Name == campaign.Name }) {
				return name, fleet, true
			}
		}
	}
	return endpoint, fleet, false
}
