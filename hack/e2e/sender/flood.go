package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/flood"
)

// Flood says whom to flood, and how.
type Flood struct {
	// URL of a campaign's link; http only.
	URL string `json:"url"`
	// Visitors send visits one after the other; Held connections send a part of a request.
	Visitors int     `json:"visitors"`
	Held     int     `json:"held"`
	Seconds  float64 `json:"seconds"`
}

// maxFlood bounds a flood, in seconds.
const maxFlood = 60

func inundate(f Flood) (flood.Summary, error) {
	target, err := url.Parse(f.URL)
	if err != nil || target.Scheme != "http" || f.Seconds <= 0 || f.Seconds > maxFlood {
		return flood.Summary{}, errors.New("url must begin with http://, and seconds be at most 60")
	}
	addr := target.Host
	if target.Port() == "" {
		addr = net.JoinHostPort(addr, "80")
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Duration(f.Seconds*float64(time.Second)))
	defer stop()
	return flood.Run(ctx, flood.Options{Addr: addr, Path: target.RequestURI(), Visitors: f.Visitors, Held: f.Held}), nil
}
