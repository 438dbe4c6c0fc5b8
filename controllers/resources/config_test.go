package resources

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

func documents(shards int) config.Documents {
	all := config.Documents{config.ManifestFile: []byte(`{"kind":"Manifest"}`)}
	for i := range shards {
		all[fmt.Sprintf("shard-%03d.json", i)] = fmt.Appendf(nil, `{"kind":"Shard","n":%d}`, i)
	}
	return all
}

func TestTheManifestIsWrittenAfterItsShards(t *testing.T) {
	fleet := ownFleetOf(t)
	children, err := ConfigSecrets(fleet, documents(2), "0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	built := files(t, children)
	for _, c := range children[:3] {
		built[c.Name+".yaml"] = asYAML(t, c.Apply)
	}
	delete(built, "Secret.yaml")
	golden(t, "config", built)
}

func TestAConfigurationThatFitsIsOneSecret(t *testing.T) {
	fleet := ownFleetOf(t)
	children, err := ConfigSecrets(fleet, documents(1), "0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "config-one", files(t, children))

	large := documents(1)
	large["shard-000.json"] = make([]byte, maxOneSecretBytes)
	if children, err = ConfigSecrets(fleet, large, ""); err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, c := range children {
		if c.Apply != nil {
			written = append(written, c.Name)
		}
	}
	if diff := cmp.Diff([]string{"shop-config-0", "shop-config"}, written); diff != "" {
		t.Errorf("Secrets of a larger one (-want +got):\n%s", diff)
	}
}

func TestPodsHaveAPlaceForEveryShard(t *testing.T) {
	for name, test := range map[string]struct {
		fleet *v1alpha1.ReceiverFleet
		most  int
	}{
		"a declared fleet":      {fleetOf(t, `{}`), 32},
		"an endpoint's own one": {ownFleetOf(t), 4},
	} {
		t.Run(name, func(t *testing.T) {
			children, err := ConfigSecrets(test.fleet, documents(test.most), "")
			if err != nil {
				t.Fatal(err)
			}
			var written, mounted []string
			for _, c := range children {
				written = append(written, c.Name)
			}
			for _, volume := range podOf(t, test.fleet).Spec.Volumes {
				if volume.Name == configVolume {
					for _, source := range volume.Projected.Sources[1:] {
						mounted = append(mounted, source.Secret.Name)
					}
					mounted = append(mounted, volume.Projected.Sources[0].Secret.Name)
				}
			}
			if diff := cmp.Diff(written, mounted); diff != "" {
				t.Errorf("Secrets (-written +mounted):\n%s", diff)
			}
			if _, err := ConfigSecrets(test.fleet, documents(test.most+1), ""); err == nil {
				t.Errorf("%d shards are taken, pods mount %d", test.most+1, test.most)
			}
		})
	}
}
