package api

import (
	"net/http"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// listedTalkers bounds the sources, and the endpoints, that are listed.
const listedTalkers = 64

func (a *api) topTalkers(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	sources, endpoints := a.Talkers(listedTalkers)
	WriteJSON(w, http.StatusOK, read.Talkers{
		WindowSeconds: int(talkers.Window.Seconds()),
		Sources:       viewTalkers(sources),
		Endpoints:     viewTalkers(endpoints),
	})
	return nil
}

func viewTalkers(all []talkers.Talker) []read.Talker {
	views := make([]read.Talker, len(all))
	for i, t := range all {
		views[i] = read.Talker(t)
	}
	return views
}
