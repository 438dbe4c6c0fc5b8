package api

import (
	"net/http"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Answer is what clients up to version 3 read (docs/semantics.md §8). They print Body and Error on the page, send
// Status, ContentType and Headers as the page's own, and keep Cookies for CookiesTTL hours on the page's host. They
// keep the whole answer in the session as long; an answer without a click has 0, so that they ask again.
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

// Info is what the page's code may ask for. Clients up to version 3 get it only if `info=1` asks for it.
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

// AnswerV4 is what clients of version 4 read. TTL is in seconds.
type AnswerV4 struct {
	Body        string   `json:"body"`
	Error       string   `json:"error"`
	Status      int      `json:"status"`
	ContentType string   `json:"contentType"`
	Headers     []string `json:"headers"`
	Cookies     []Cookie `json:"cookies"`
	TTL         int      `json:"ttl"`
	Info        *InfoV4  `json:"info"`
}

// Cookie is one that the page sets. Expires is a date of HTTP: clients read it by PHP's strtotime, to which a number of
// seconds is no date.
type Cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Expires  string `json:"expires"`
	Path     string `json:"path"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httponly"`
	SameSite string `json:"samesite"`
}

// InfoV4 is [Info] with the stream, of which there is none.
type InfoV4 struct {
	Info
	StreamID *int `json:"stream_id"`
}

// answer tells the page its click; a click without a subid is not stored. The page is the landing page: the visitor is
// sent on only if the page says so, by `force_redirect_offer`.
func (c *call) answer(v visit.Visit, click *conversion.Click) any {
	url, age := v.OfferURL(click), time.Duration(0)
	token, cookies := "", map[string]string{}
	if click.SubID != "" {
		age, token = v.Campaign.CookieAge, visit.Token(v.Campaign, click)
		cookies[link.CookieSubID], cookies[link.CookieToken] = click.SubID, token
	}
	status, headers := http.StatusOK, []string{}
	if v.Values.Get("force_redirect_offer") == "1" {
		status, headers = http.StatusFound, []string{"Location: " + url}
		if c.v4 {
			headers = []string{"location: " + url}
		}
	}
	info := Info{
		SubID:      click.SubID,
		Token:      token,
		CampaignID: v.Campaign.Name,
		Type:       "http",
		URL:        url,
		IsBot:      visit.IsBot(v.UserAgent),
		Uniqueness: Uniqueness{c.isNew, c.isNew, c.isNew},
	}
	if c.v4 {
		return AnswerV4{
			Status:  status,
			Headers: headers,
			Cookies: c.cookies(cookies, age),
			TTL:     int(age / time.Second),
			Info:    &InfoV4{Info: info},
		}
	}
	a := Answer{Headers: headers, Status: status, Cookies: cookies, CookiesTTL: int(age / time.Hour)}
	if v.Values.Get("info") == "1" {
		a.Info = &info
	}
	return a
}

func (c *call) cookies(values map[string]string, age time.Duration) []Cookie {
	list := []Cookie{}
	for _, name := range []string{link.CookieSubID, link.CookieToken} {
		if values[name] == "" {
			continue
		}
		list = append(list, Cookie{
			Name:     name,
			Value:    values[name],
			Expires:  c.at.Add(age).Format(http.TimeFormat),
			Path:     "/",
			Secure:   c.secure,
			SameSite: "Lax",
		})
	}
	return list
}

// refusal is an answer without a click that says why.
func (c *call) refusal(message string) any {
	if c.v4 {
		return AnswerV4{Status: http.StatusOK, Headers: []string{}, Cookies: []Cookie{}, Error: message}
	}
	return Answer{Status: http.StatusOK, Headers: []string{}, Cookies: map[string]string{}, Error: message}
}
