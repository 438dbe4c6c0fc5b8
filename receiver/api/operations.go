package api

import (
	"net/http"
	"reflect"
	"slices"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// operation is one thing that can be asked of the API: the OpenAPI document describes what is served, because both are
// made of this.
type operation struct {
	method, path, summary string
	parameters            []string
	// sorts are the values of the parameter `sort` where they are known.
	sorts []string
	// answer is the type of a JSON answer; nil for a text of the media type.
	answer reflect.Type
	media  string
	// status of success; 0 = 200.
	status int
	// body is the type of a JSON body; nil for none, or a form of the parameters. headers are further ones that count.
	body    reflect.Type
	headers []string
	handler http.Handler
}

func bodyOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func answering[T any](path, summary string, parameters []string, handler http.Handler) operation {
	return operation{
		method:     http.MethodGet,
		path:       "/api/v1/" + path,
		summary:    summary,
		parameters: parameters,
		answer:     reflect.TypeFor[T](),
		media:      mediaJSON,
		handler:    handler,
	}
}

// operations are all that there are, in the order of docs/api.md.
func (a *api) operations() []operation {
	reads := func(answer resource) http.Handler { return a.scoped(read.ScopeRead, a.handle(answer)) }
	postbacks := lists(a, "postbacks", "The log of received postbacks, the newest first unless sorted", a.postbackList())
	a.followed(&postbacks[0])
	postbacks[0].handler = a.scoped(read.ScopeRead, postbacks[0].handler)
	all := slices.Concat(
		lists(a, "conversions", "Conversions, the newest first unless sorted", a.conversionList()),
		[]operation{answering[read.Page[read.Conversion]]("conversions/{id}/history",
			"Every version of a conversion, the oldest first", noFilters, reads(a.history))},
		postbacks,
		lists(a, "forwards", "S2S postbacks with their attempts, the newest first unless sorted", a.forwardList()),
		lists(a, "clicks", "Clicks, in the order of the store's keys unless sorted", a.clickList()),
		[]operation{
			answering[read.ClickDetails]("clicks/{namespace}/{name}/{subid}", "One click with its conversions", noFilters,
				reads(a.click)),
			answering[read.Page[read.Revenue]]("revenue", "Sums by endpoint and currency", revenueFilters, reads(a.revenue)),
			answering[read.Talkers]("talkers", "Who sends most to this receiver", noFilters, a.ofFleet(a.topTalkers)),
		})
	all = append(all, a.reports()...)
	if a.Explainer != nil {
		explain := answering[read.Explanation]("explain", "What would become of a postback, step by step", explainParameters,
			reads(a.explain))
		asked := explain
		asked.method = http.MethodPost
		all = append(all, explain, asked,
			answering[read.Page[read.Endpoint]]("endpoints", "What this receiver serves, by name", noFilters,
				reads(a.endpoints)),
			answering[read.Statuses]("statuses", "The status words that no training knew, with proposals", statusFilters,
				reads(a.statuses)))
	}
	if a.Operator != nil {
		all = append(append(append(all, a.work()...), a.corrections()...), a.tests())
	}
	all = append(all, answering[map[string]any]("openapi.json", "This API as OpenAPI 3.1", noFilters, reads(a.openAPI)))
	resend := answering[read.Forward]("forwards/{id}/resend", "Sends a failed S2S postback again", noFilters,
		a.changes(a.resendForward))
	resend.method, resend.status = http.MethodPost, http.StatusAccepted
	return append(all, resend)
}

// reportParameters of a report: see docs/reports.md.
var reportParameters = []string{
	"endpoint", "namespace", "group", "metrics", "time", "tz", "from", "to", "filter", "without", "currency", "sort",
	"limit",
}

// reports are the three forms of a report.
func (a *api) reports() []operation {
	reads := func(answer resource) http.Handler { return a.scoped(read.ScopeRead, a.handle(answer)) }
	page := answering[read.Report]("report", "Clicks and conversions, grouped and summed", reportParameters,
		reads(a.report))
	lines := answering[read.ReportRow]("report.ndjson", "The rows of a report, an object a line", reportParameters,
		reads(a.reportLines))
	lines.media = mediaLines
	table := answering[read.ReportRow]("report.csv", "A report as a table",
		slices.Concat(reportParameters, []string{"separator", "bom"}), reads(a.reportCSV))
	table.media, table.answer = mediaTable, nil
	return []operation{page, table, lines}
}

// lists are the three forms of a list: a page, a table and lines.
func lists[T, V any](a *api, name, summary string, l *listing[T, V]) []operation {
	selecting := slices.Concat(l.parameters, []string{"filter"})
	page := answering[read.Page[V]](name, summary, selecting, a.scoped(read.ScopeRead, a.handle(l.page)))
	lines := answering[V](name+".ndjson", summary+", all of them, an object a line", selecting,
		a.scoped(read.ScopeRead, a.handleError(l.lines(a))))
	lines.media = mediaLines
	table := answering[V](name+".csv", summary+", all of them, as a table",
		slices.Concat(selecting, []string{"separator", "bom"}),
		a.scoped(read.ScopeRead, a.handleError(l.table(a, name))))
	table.media, table.answer = mediaTable, nil
	page.sorts, lines.sorts, table.sorts = l.sorts, l.sorts, l.sorts
	return []operation{page, table, lines}
}

// parameterWords say what a parameter means, and which values it may have; nil = any.
var parameterWords = map[string]struct {
	text   string
	values func() []string
}{
	"endpoint":  {"namespace/name of an endpoint", nil},
	"subid":     {"the click's id", nil},
	"tid":       {"a transaction id; empty selects the slots without one", nil},
	"type":      {"a conversion type", nil},
	"outcome":   {"an outcome", work.Outcomes},
	"reason":    {"a reason for ignoring or refusing", func() []string { return names(conversion.Reasons()) }},
	"rule":      {"the name of a forward", nil},
	"state":     {"a state of S2S postbacks, or of operations", nil},
	"kind":      {"a kind of operations", work.Kinds},
	"from":      {"the first moment, RFC 3339 or a date in UTC", nil},
	"to":        {"the moment before which, RFC 3339 or a date in UTC", nil},
	"limit":     {"1 to 1000 rows; a page has 100 without it, a table or lines all", nil},
	"cursor":    {"the next_cursor of a page, to continue after it", nil},
	"namespace": {"a namespace", nil},
	"group":     {"dimensions by which rows are grouped, separated by commas", nil},
	"metrics":   {"columns, separated by commas", nil},
	"time":      {"by which time conversions count", func() []string { return []string{"click", "conversion"} }},
	"tz":        {"the time zone of days and hours, such as Europe/Moscow", nil},
	"currency":  {"converts all amounts by the rates of today", nil},
	"sort":      {"what rows are sorted by, in a report a group or a metric; a minus in front: the greatest first", nil},
	"filter":    {"FIELD OP VALUE, with one of eq, ne, in, notin, gt, lt, contains, or empty without a value", nil},
	"without":   {"a row of a report to leave out: a JSON array with a value for each group", nil},
	"follow": {"1 streams what is committed from now on, an object a line",
		func() []string { return []string{"1"} }},
	"separator":    {"what parts the cells", func() []string { return []string{",", ";"} }},
	"bom":          {"1 begins with a BOM, so that Excel reads UTF-8", func() []string { return []string{"0", "1"} }},
	"preset":       {"the preset of the endpoint's network", nil},
	"url":          {"a whole postback URL", nil},
	"query":        {"a postback's query, with the endpoint in place of a url", nil},
	"method":       {"the postback's method; POST if there is a body, else GET", nil},
	"content_type": {"the Content-Type of its body", nil},
	"body":         {"its body", nil},
	"ip":           {"who sends it; without it the address counts as allowed", nil},
	"origin":       {"the origin of the page that sends it", nil},
	"cookie":       {"the subid in the browser's cookie", nil},
	"client":       {"true: a page sends it", func() []string { return []string{"false", "true"} }},
	"access": {"skip: whether the sender may send is not asked",
		func() []string { return []string{"check", "skip"} }},
	"at":            {"when it arrives; now without it", nil},
	"configuration": {"an endpoint of api/config/v1alpha1, as JSON, in place of the present one", nil},
}

func names[S ~string](values []S) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
