package pages

import (
	"context"
	"strings"

	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/console"
)

// declaredViews are ConfigMaps of the endpoint's namespace: they are reviewed in git like everything else.
type declaredViews struct {
	cluster   *reach.Cluster
	namespace string
}

// List implements [console.Views].
func (v declaredViews) List(ctx context.Context) ([]console.View, error) {
	maps, err := v.cluster.ConfigMaps(ctx, v.namespace, console.ViewLabel)
	if err != nil {
		return nil, err
	}
	views := make([]console.View, 0, len(maps))
	for _, m := range maps {
		views = append(views, console.View{Name: m.Data["name"], URL: m.Data["url"]})
	}
	return views, nil
}

func namespaceOf(endpoint string) string {
	namespace, _, _ := strings.Cut(endpoint, "/")
	return namespace
}
