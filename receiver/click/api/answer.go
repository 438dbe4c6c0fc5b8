package api

import (
	"net/http"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Answer is what the client reads (docs/semantics.md §8). It prints Body and Error on the page, sends Status, ContentType
// and Headers as the page's own, and keeps Cookies for CookiesTTL hours on the page's host.
type Answer struct {
	Body        string            `json:"body"`
	ContentType string            `json:"contentType"`
	Headers     []string          `json:"headers"`
	Status      int               `json:"status"`
	Info        *Info             `json:"info,omitempty"`
	Cookies     map[string]string `json:"cookies"`
	CookiesTTL  int               `json:"cookies_ttl"`
	Error       string            `json:"error"`
}

// Info is what the page's code may ask for; only there when `info=1` asks for it.
type Info struct {
	SubID      string     `json:"sub_id"`
	Token      string     `json:"token"`
	CampaignID string     `json:"campaign_id"`
	Type       string     `json:"type"`
	URL        string     `json:"url"`
	IsBot      bool       `json:"is_bot"`
	Uniqueness Uniqueness `json:"uniqueness"`
}

// Uniqueness says whether the visitor is new. A campaign has one stream, so that the levels do not differ.
type Uniqueness struct {
	Campaign bool `json:"campaign"`
	Stream   bool `json:"stream"`
	Global   bool `json:"global"`
}

// answerOf tells a click to the page; one without a subid is none. The visitor is sent on only when the page says so, by
// `force_redirect_offer`: it is the landing page itself that asks.
func answerOf(v visit.Visit, click *conversion.Click, isNew bool) Answer {
	url := v.OfferURL(click)
	a := Answer{
		Headers: []string{}, Status: http.StatusOK, Cookies: map[string]string{}, CookiesTTL: int(link.CookieAge / time.Hour),
	}
	if v.Values.Get("force_redirect_offer") == "1" {
		a.Status, a.Headers = http.StatusFound, []string{"Location: " + url}
	}
	token := ""
	if click.SubID != "" {
		token = visit.Token(v.Campaign, click)
		a.Cookies[link.CookieSubID], a.Cookies[link.CookieToken] = click.SubID, token
	}
	if v.Values.Get("info") == "1" {
		a.Info = &Info{
			SubID: click.SubID, Token: token, CampaignID: v.Campaign.Name, Type: "http", URL: url,
			IsBot: visit.IsBot(v.UserAgent), Uniqueness: Uniqueness{isNew, isNew, isNew},
		}
	}
	return a
}
