package report

import (
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

var now = time.Date(2026, 11, 29, 22, 30, 0, 0, time.UTC)

func query(t *testing.T, raw string) Query {
	t.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	q, err := Parse(values, now, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func facts(list ...Fact) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		for _, fact := range list {
			if !yield(fact, nil) {
				return
			}
		}
	}
}

// rules: the custom type "vip" of a/shop counts as confirmed, every endpoint is in USD, and only EUR has a rate.
var rules = Rules{
	CountsAs: func(endpoint, conversionType string) config.CountsAs {
		if endpoint == "a/shop" && conversionType == "vip" {
			return config.CountsAsConfirmed
		}
		return config.CountsAsNone
	},
	Currency: func(string) string { return "USD" },
	Convert: func(amount decimal.Decimal, from, _ string) (decimal.Decimal, bool) {
		return amount.Mul(dec("1.1")), from == "EUR"
	},
}

// shown makes the report and writes it as lines of groups, currency and metrics.
func shown(t *testing.T, raw string, list ...Fact) (*Report, []string) {
	t.Helper()
	r, err := Make(query(t, raw), facts(list...), rules)
	if err != nil {
		t.Fatal(err)
	}
	line := func(row Row) string {
		cells := append(slices.Clone(row.Groups), row.Currency)
		for _, m := range r.Query.Metrics {
			value := "-"
			if v := r.Value(m, row); v != nil {
				value = v.String()
			}
			cells = append(cells, m.Name+"="+value)
		}
		return strings.Join(cells, " ")
	}
	var lines []string
	for _, row := range r.Rows {
		lines = append(lines, line(row))
	}
	for _, row := range r.Totals {
		lines = append(lines, "total "+line(row))
	}
	return r, lines
}

// The worked example of docs/reports.md.
var worked = []Fact{
	{Endpoint: "a/shop", Currency: "USD", Rows: 200, Unique: 160, Amount: dec("100")},
	{Endpoint: "a/shop", Currency: "USD", Type: "lead", Rows: 3, Amount: dec("30")},
	{Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 5, Amount: dec("150")},
	{Endpoint: "a/shop", Currency: "USD", Type: "rejected", Rows: 2, Amount: dec("20")},
	{Endpoint: "a/shop", Currency: "USD", Type: "deposit", Rows: 1, Amount: dec("40")},
	{Endpoint: "a/shop", Currency: "USD", Type: "trash", Rows: 1, Amount: dec("10")},
	{Endpoint: "a/shop", Currency: "USD", Type: "vip", Rows: 1, Amount: dec("60")},
	{Endpoint: "a/shop", Currency: "USD", Type: "registration", Rows: 4, Amount: dec("4")},
}

func TestEveryMetricOfTheWorkedExampleIsRight(t *testing.T) {
	want := map[string]string{
		"clicks": "200", "unique_clicks": "160", "uepc": "1.75", "cost": "100",
		"conversions": "16", "leads": "3", "sales": "5", "rejected": "2", "registrations": "4", "deposits": "1", "trash": "1",
		"hold": "30", "confirmed": "210", "revenue_rejected": "20", "revenue_registration": "4", "revenue_deposit": "40",
		"revenue_trash": "10", "revenue_confirmed": "250", "revenue": "280", "profit": "180", "profit_confirmed": "150",
		"roi": "180", "roi_confirmed": "150", "cr": "8", "cr_lead": "1.5", "cr_sale": "2.5",
		"approve": "50", "approve_trash": "45.454545", "epc": "1.4", "epc_confirmed": "1.25",
		"ecpm": "1400", "ecpm_confirmed": "1250", "ec": "17.5", "ec_confirmed": "15.625", "cpc": "0.5", "cpa": "6.25",
		"cps": "20",
	}
	r, err := Make(query(t, "time=click"), facts(worked...), rules)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range Metrics() {
		got[m.Name] = r.Value(m, r.Totals[0]).String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"count.vip": "1", "revenue.vip": "60", "count.other": "0"} {
		m, _ := MetricNamed(name)
		if got := r.Value(m, r.Totals[0]).String(); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestFormulasNameOnlyWhatIsAboveThem(t *testing.T) {
	var above []string
	for _, m := range Metrics() {
		for _, name := range slices.Concat(m.Formula.Plus, m.Formula.Minus, m.Formula.Over) {
			if !slices.Contains(above, name) {
				t.Errorf("%s = %s: %s is not above it", m.Name, m.Formula, name)
			}
		}
		if (m.sum == nil) == (m.Formula.Plus == nil) {
			t.Errorf("%s must be either summed or made", m.Name)
		}
		above = append(above, m.Name)
	}
}

func TestWhatIsDividedByZeroIsEmpty(t *testing.T) {
	_, got := shown(t, "metrics=clicks,cr,roi,profit,ec",
		Fact{Endpoint: "a/shop", Currency: "USD", Type: "trash", Rows: 1, Amount: dec("1")})
	want := []string{"USD clicks=0 cr=- roi=- profit=0 ec=-", "total USD clicks=0 cr=- roi=- profit=0 ec=-"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestQuarterHoursBecomeDaysOfTheZone(t *testing.T) {
	at := func(hour, minute int, rows int64) Fact {
		return Fact{Slot: time.Date(2026, 10, 24, hour, minute, 0, 0, time.UTC), Endpoint: "a/shop", Currency: "USD",
			Rows: rows}
	}
	list := []Fact{at(18, 0, 1), at(18, 15, 2), at(18, 30, 4), at(23, 45, 8)}
	for raw, want := range map[string][]string{
		"group=day":                 {"2026-10-24 USD clicks=15"},
		"group=day&tz=Asia/Kolkata": {"2026-10-24 USD clicks=3", "2026-10-25 USD clicks=12"},
		"group=hour&tz=Asia/Kolkata": {"2026-10-24T23:00:00+05:30 USD clicks=3",
			"2026-10-25T00:00:00+05:30 USD clicks=4", "2026-10-25T05:00:00+05:30 USD clicks=8"},
		"group=day&tz=Asia/Kathmandu":              {"2026-10-24 USD clicks=1", "2026-10-25 USD clicks=14"},
		"group=week":                               {"2026-W43 USD clicks=15"},
		"group=month":                              {"2026-10 USD clicks=15"},
		"group=weekday&tz=Asia/Kolkata":            {"6 USD clicks=3", "7 USD clicks=12"},
		"filter=day eq 2026-10-25&tz=Asia/Kolkata": {"USD clicks=12"},
	} {
		_, got := shown(t, raw+"&metrics=clicks", list...)
		if got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "total") }); !slices.Equal(got,
			want) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestTheHourThatComesTwiceStaysTwo(t *testing.T) {
	berlin := func(hour int) Fact {
		return Fact{Slot: time.Date(2026, 10, 25, hour, 0, 0, 0, time.UTC), Endpoint: "a/shop", Currency: "USD", Rows: 1}
	}
	_, got := shown(t, "group=hour&tz=Europe/Berlin&metrics=clicks", berlin(0), berlin(1))
	want := []string{"2026-10-25T02:00:00+02:00 USD clicks=1", "2026-10-25T02:00:00+01:00 USD clicks=1",
		"total USD clicks=2"}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCurrenciesHaveNoSumUnlessOneIsWanted(t *testing.T) {
	list := []Fact{
		{Values: []string{"x"}, Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 1, Amount: dec("10")},
		{Values: []string{"x"}, Endpoint: "b/shop", Currency: "EUR", Type: "sale", Rows: 1, Amount: dec("10")},
		{Values: []string{"x"}, Endpoint: "c/shop", Currency: "XAG", Type: "sale", Rows: 1, Amount: dec("10")},
		{Values: []string{"x"}, Endpoint: "d/shop", Currency: "XAU", Type: "sale", Rows: 2, Pending: 2},
		{Values: []string{"x"}, Endpoint: "d/shop", Rows: 7},
	}
	_, got := shown(t, "group=campaign&metrics=clicks,revenue", list...)
	want := []string{
		"x EUR clicks=0 revenue=10", "x USD clicks=7 revenue=10", "x XAG clicks=0 revenue=10", "x XAU clicks=0 revenue=0",
		"total EUR clicks=0 revenue=10", "total USD clicks=7 revenue=10", "total XAG clicks=0 revenue=10",
		"total XAU clicks=0 revenue=0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r, got := shown(t, "group=campaign&metrics=clicks,conversions,revenue&currency=usd", list...)
	want = []string{
		"x USD clicks=7 conversions=4 revenue=21", "x XAG clicks=0 conversions=1 revenue=10",
		"total USD clicks=7 conversions=4 revenue=21", "total XAG clicks=0 conversions=1 revenue=10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(r.Unconverted, []string{"XAG"}) || r.Pending != 2 {
		t.Errorf("unconverted %v, pending %d", r.Unconverted, r.Pending)
	}
}

func TestWhereClicksHaveNoSuchFieldTheyAreNotCounted(t *testing.T) {
	sale := Fact{Values: []string{"sale"}, Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 2, Amount: dec("3")}
	_, got := shown(t, "group=type&metrics=clicks,cost,sales,cr,revenue,profit,ec", sale)
	want := []string{
		"sale USD clicks=- cost=- sales=2 cr=- revenue=3 profit=- ec=1.5",
		"total USD clicks=- cost=- sales=2 cr=- revenue=3 profit=- ec=1.5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if p := query(t, "group=campaign&filter=status eq hold").Plan(); !p.WithoutClicks {
		t.Error("a filter by the network's word counts clicks")
	}
}

func TestRowsAreSortedAndCutAndTotalsAreNot(t *testing.T) {
	list := []Fact{
		{Values: []string{"a"}, Endpoint: "a/shop", Currency: "USD", Rows: 1},
		{Values: []string{"b"}, Endpoint: "a/shop", Currency: "USD", Rows: 3},
		{Values: []string{"c"}, Endpoint: "a/shop", Currency: "USD", Rows: 2},
		{Values: []string{"d"}, Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 2},
	}
	r, got := shown(t, "group=source&metrics=clicks&sort=-clicks&limit=2", list...)
	if diff := cmp.Diff([]string{"b USD clicks=3", "c USD clicks=2", "total USD clicks=6"}, got); diff != "" ||
		!r.Truncated {
		t.Error(diff, r.Truncated)
	}
	_, got = shown(t, "group=source&metrics=cr&sort=cr", list...)
	if diff := cmp.Diff([]string{"d USD cr=-", "a USD cr=0", "b USD cr=0", "c USD cr=0"}, got[:4]); diff != "" {
		t.Error(diff)
	}
	_, got = shown(t, "group=source&metrics=clicks&sort=-source", list...)
	if got[0] != "d USD clicks=0" {
		t.Error(got)
	}
}

func TestAPlanHasWhatAStoreMustSum(t *testing.T) {
	got := query(t, "group=day,sub_id_3&endpoint=a/shop&filter=campaign in x,y&filter=weekday eq "+
		"1&time=conversion&from=2026-11-01&to=2026-11-02&tz=Europe/Moscow").Plan()
	want := Plan{
		Basis: ByConversion, Quarters: true, Fields: []Dimension{"sub_id_3"},
		From: time.Date(2026, 10, 31, 21, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 21, 0, 0, 0, time.UTC),
		Filters: []Filter{
			{Field: Endpoint, Op: Equal, Values: []string{"a/shop"}},
			{Field: Campaign, Op: In, Values: []string{"x", "y"}},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
}

func TestTheDefaultRangeIsTheLastSevenDaysOfTheZone(t *testing.T) {
	for raw, want := range map[string][2]string{
		"":                                 {"2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"tz=Europe/Moscow":                 {"2026-11-24T00:00:00+03:00", "2026-12-01T00:00:00+03:00"},
		"from=2026-11-28":                  {"2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"},
		"to=2026-03-02&tz=America/Chicago": {"2026-02-23T00:00:00-06:00", "2026-03-02T00:00:00-06:00"},
		"from=2026-11-28T10:00:00 01:00":   {"2026-11-28T10:00:00+01:00", "2026-11-30T00:00:00Z"},
	} {
		q := query(t, strings.ReplaceAll(raw, " 01", "%2B01"))
		if got := [2]string{q.From.Format(time.RFC3339), q.To.Format(time.RFC3339)}; got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
}

func TestAWrongQueryIsToldByTheNameOfItsParameter(t *testing.T) {
	for raw, want := range map[string]string{
		"groups=day":                    "groups: unknown parameter",
		"group=colour":                  `group: "colour" is no dimension`,
		"group=day,day":                 "group: day is named twice",
		"group=day,hour,week,month":     "group: at most 3",
		"metrics=profits":               `metrics: "profits" is no metric`,
		"metrics=cr,cr":                 "metrics: cr is named twice",
		"time=received":                 "time: must be click or conversion",
		"tz=Moscow":                     `tz: "Moscow" is no time zone`,
		"tz=Local":                      `tz: "Local" is no time zone`,
		"from=yesterday":                "from: must be a date",
		"from=2026-11-02&to=2026-11-02": "to: must be after from",
		"endpoint=shop":                 "endpoint: must be namespace/name",
		"endpoint=":                     "endpoint: is empty",
		"filter=campaign spring":        `filter: "spring" is no operator`,
		"filter=campaign eq":            "filter: eq needs a value",
		"filter=campaign empty x":       "filter: empty takes no value",
		"filter=colour eq red":          `filter: "colour" is no field here`,
		"filter=endpoint prefix a":      `filter: "prefix" is no operator`,
		"currency=%20":                  "currency: ",
		"sort=profit&metrics=clicks":    `sort: "profit" is neither`,
		"limit=0":                       "limit: must be 1 to",
		"limit=1&limit=2":               "limit: given more than once",
		"filter=campaign eq %00":        "filter: must be UTF-8",
		"without=[]":                    "without: must be a JSON array",
		`group=day&without=["a","b"]`:   "without: must be a JSON array",
		`group=day&without=x`:           "without: must be a JSON array",
		"group=day" + strings.Repeat(`&without=["a"]`, 201): "without: given more than 200 times",
		strings.Repeat("filter=campaign empty&", 21):        "filter: given more than 20 times",
	} {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(values, now, time.LoadLocation)
		var invalid *Invalid
		if !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", raw, err, want)
		}
	}
}

func TestRowsThatAreLeftOutAreInNoTotal(t *testing.T) {
	list := []Fact{
		{Values: []string{"a/shop", "spring"}, Endpoint: "a/shop", Rows: 10, Amount: dec("5")},
		{Values: []string{"a/shop", "summer"}, Endpoint: "a/shop", Rows: 30, Amount: dec("7")},
		{Values: []string{"a/shop", "spring"}, Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 2, Amount: dec("8")},
		{Values: []string{"a/shop", "summer"}, Endpoint: "a/shop", Currency: "USD", Type: "sale", Rows: 3, Amount: dec("9")},
	}
	const asked = "group=endpoint,campaign&metrics=clicks,cr,profit"
	r, lines := shown(t, asked+`&without=["a/shop","summer"]&without=["b/shop","spring"]`, list...)
	if diff := cmp.Diff([]string{"a/shop spring USD clicks=10 cr=20 profit=3"}, lines[:len(r.Rows)]); diff != "" {
		t.Error(diff)
	}
	if cr := r.Value(r.Query.Metrics[1], r.Totals[0]); cr.String() != "20" {
		t.Errorf("the rate of the rest is %s", cr)
	}
}

func TestFiltersHoldAsTheySay(t *testing.T) {
	for text, holds := range map[string][]string{
		"campaign eq spring":     {"spring"},
		"campaign ne spring":     {"", "springs", "a,b"},
		"campaign in spring,":    {"spring", ""},
		"campaign notin spring,": {"springs", "a,b"},
		"campaign contains pri":  {"spring", "springs"},
		"campaign empty":         {""},
		"campaign eq a,b":        {"a,b"},
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, value := range []string{"spring", "", "springs", "a,b"} {
			if f.Holds(value) {
				got = append(got, value)
			}
		}
		slices.Sort(got)
		slices.Sort(holds)
		if !slices.Equal(got, holds) {
			t.Errorf("%s holds for %q, want %q", text, got, holds)
		}
	}
}

func TestTheDimensionsOfClicksAreTheClickFields(t *testing.T) {
	var got []string
	for _, d := range Dimensions() {
		if d.IsClickField() {
			got = append(got, string(d))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(conversion.ClickFields(), got); diff != "" {
		t.Error(diff)
	}
}

func TestTooManyRowsAreRefusedNotCut(t *testing.T) {
	many := func(yield func(Fact, error) bool) {
		for i := range maxFolded + 2 {
			if !yield(Fact{Values: []string{decimal.NewFromInt(int64(i)).String()}, Endpoint: "a/shop", Rows: 1}, nil) {
				return
			}
		}
	}
	if _, err := Make(query(t, "group=keyword"), many, rules); !errors.Is(err, ErrTooManyRows) {
		t.Errorf("error %v", err)
	}
	broken := errors.New("broken")
	failing := func(yield func(Fact, error) bool) { yield(Fact{}, broken) }
	if _, err := Make(query(t, ""), failing, rules); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
