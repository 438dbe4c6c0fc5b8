// Package snippets writes what users paste into pages, sites and networks: one text per client (docs/semantics.md §8),
// with their URLs and credentials in place. A reader of the Secrets that it goes into can read those. It is pure.
package snippets

import (
	"bytes"
	"encoding/json"
	htmltemplate "html/template"
	"strings"
	"text/template"

	"github.com/postback-dev/postback-operator/api/browser"
)

// Fields that hold an address alone, for use with something else.
const (
	// PostbackURLField is the address for networks and servers, with the postback key.
	PostbackURLField = "postback-url"
	// ClientURLField is the address for pages, with the client key; missing where pages can't report.
	ClientURLField = "client-postback-url"
)

// EndpointInput is what an endpoint's snippets are made from.
type EndpointInput struct {
	// Base is the address of the receivers, without a slash at its end.
	Base string
	// Key is the postback key, ClientKey the key of pages, which may be empty.
	Key, ClientKey string
	// Status is what the examples for pages report.
	Status string
}

// CampaignInput is what a campaign's snippets are made from.
type CampaignInput struct {
	// Base is the address of the receivers, without a slash at its end.
	Base, Alias string
	// Token of the click API; empty where there is none.
	Token string
	// PostbackURL and ClientURL are those of its endpoint; each may be empty.
	PostbackURL, ClientURL string
}

// values are what the templates know.
type values struct {
	Link, Tracker, Token, Status string
	PostbackURL, ClientURL       string
	Script, ScriptIntegrity      string
	Adapter, AdapterIntegrity    string
	SubidMacro                   string
}

// Endpoint returns the snippets of an endpoint by file name. Those for pages are there only with a client key.
func Endpoint(in EndpointInput) map[string][]byte {
	v := scripts(in.Base)
	v.PostbackURL, v.Status = in.Base+"/"+in.Key+"/postback", in.Status
	made := map[string][]byte{
		PostbackURLField: []byte(v.PostbackURL),
		"s2s.txt": []byte(v.PostbackURL +
			"?subid={subid}&status={status}&payout={payout}&currency={currency}&tid={tid}\n"),
		"wordpress.txt":   []byte(v.PostbackURL + "\n"),
		"js-adapter.html": html("js-adapter.html", v),
	}
	if in.ClientKey != "" {
		v.ClientURL = in.Base + "/" + in.ClientKey + "/postback"
		made[ClientURLField] = []byte(v.ClientURL)
		for _, name := range []string{"pixel-image.html", "pixel-script.html"} {
			made[name] = html(name, v)
		}
	}
	return made
}

// Campaign returns the snippets of a campaign by file name. What needs a credential that is not there is left out.
func Campaign(in CampaignInput) map[string][]byte {
	v := scripts(in.Base)
	v.Link, v.Tracker, v.Token = in.Base+"/"+in.Alias, in.Base+"/", in.Token
	v.PostbackURL, v.ClientURL = in.PostbackURL, in.ClientURL
	made := map[string][]byte{
		"link.txt":             []byte(v.Link + "\n"),
		"tracking-script.html": html("tracking-script.html", v),
	}
	if in.Token != "" {
		var out bytes.Buffer
		run(kclient.Execute(&out, v))
		made["kclient.php"] = out.Bytes()
	}
	if in.Token != "" && in.PostbackURL != "" {
		made["wordpress.json"] = wordpress(v)
	}
	return made
}

// wordpressSettings are what the import box of Keitaro's WordPress plugin reads: each member fills the setting of its
// name.
type wordpressSettings struct {
	TrackerURL string `json:"tracker_url"`
	Token      string `json:"token"`
	// PostbackURL says the status, which the plugin does not; a status of the page's shortcode goes before it.
	PostbackURL string `json:"postback_url"`
	Enabled     string `json:"enabled"`
	// TrackHits is "Track non-unique visits": with `no` a visitor is one click as long as the session lasts.
	TrackHits string `json:"track_hits"`
}

func wordpress(v values) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	run(encoder.Encode(wordpressSettings{
		TrackerURL:  v.Tracker,
		Token:       v.Token,
		PostbackURL: v.PostbackURL + "?status=sale",
		Enabled:     "yes",
		TrackHits:   "no",
	}))
	return out.Bytes()
}

func scripts(base string) values {
	return values{
		Script: base + browser.ScriptPath, ScriptIntegrity: browser.ScriptIntegrity(),
		Adapter: base + browser.AdapterPath, AdapterIntegrity: browser.AdapterIntegrity(),
		SubidMacro: "{subid}",
	}
}

// pages are escaped by where a value stands.
var pages = htmltemplate.Must(htmltemplate.New("pages").Funcs(htmltemplate.FuncMap{"comment": comment}).Parse(`
{{- define "tracking-script.html" -}}
{{comment "Records the visit, and lets the page report: KTracking.reportConversion(revenue, 'lead', {tid: '1'})"}}
<script src="{{.Script}}" integrity="{{.ScriptIntegrity}}" crossorigin="anonymous" referrerpolicy="origin" data-click="{{.Link}}"{{with .ClientURL}} data-postback="{{.}}"{{end}}></script>
{{end -}}
{{- define "js-adapter.html" -}}
{{comment "Puts the visit's subid into the page's links, forms and hidden inputs. An offer URL may fill data-subid in."}}
<script src="{{.Adapter}}" integrity="{{.AdapterIntegrity}}" crossorigin="anonymous" data-subid="{{.SubidMacro}}"></script>
{{end -}}
{{- define "pixel-image.html" -}}
{{comment "For the page that a visitor sees afterwards. Put the visit's subid in place of {subid}."}}
<img src="{{.ClientURL}}.gif?subid={subid}&amp;status={{.Status}}" width="1" height="1" alt="" referrerpolicy="origin">
{{end -}}
{{- define "pixel-script.html" -}}
{{comment "For the page that a visitor sees afterwards. Put the visit's subid in place of {subid}."}}
<script>window.KTracking = window.KTracking || {response: function () {}};</script>
<script src="{{.ClientURL}}?return=jsonp&amp;subid={subid}&amp;status={{.Status}}" referrerpolicy="origin"></script>
{{end -}}
`))

// comment writes a comment of the templates' own, which html/template would drop.
func comment(text string) htmltemplate.HTML {
	return htmltemplate.HTML("<!-- " + text + " -->") //nolint:gosec // the templates call it with texts of their own only
}

func html(name string, v values) []byte {
	var out bytes.Buffer
	run(pages.ExecuteTemplate(&out, name, v))
	return out.Bytes()
}

var kclient = template.Must(template.New("kclient.php").Funcs(template.FuncMap{"php": phpString}).Parse(`<?php
// The official kclient.php lies beside this file.
require_once __DIR__ . '/kclient.php';
$client = new KClient({{php .Tracker}}, {{php .Token}});
$client->sendAllParams();
$client->execute();
{{- if .PostbackURL}}

// Once the visitor has become a lead, on the server, where nobody sees the key:
// $query = http_build_query(['subid' => $client->getSubId(), 'status' => 'lead', 'payout' => '0']);
// file_get_contents({{php .PostbackURL}} . '?' . $query);
{{- end}}
`))

// phpString returns a literal of PHP in single quotes.
func phpString(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", " ", "\r", " ").Replace(value) + "'"
}

// run stops on what can't happen: a template that does not fit its values, or a buffer that does not take bytes.
func run(err error) {
	if err != nil {
		panic(err)
	}
}
