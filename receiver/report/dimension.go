package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Dimension is something to group or filter by. The fields of clicks are named as their parameters.
type Dimension string

// The dimensions; sub_id_1 to sub_id_30 are further ones.
const (
	Endpoint Dimension = "endpoint"
	Campaign Dimension = "campaign"

	Source       Dimension = config.ParamSource
	Keyword      Dimension = config.ParamKeyword
	ExternalID   Dimension = config.ParamExternalID
	CreativeID   Dimension = config.ParamCreativeID
	AdCampaignID Dimension = config.ParamAdCampaignID

	// Type, and Status, the network's word, exist for conversions only.
	Type   Dimension = "type"
	Status Dimension = "status"

	Hour    Dimension = "hour"
	Day     Dimension = "day"
	Week    Dimension = "week"
	Month   Dimension = "month"
	Weekday Dimension = "weekday"
)

var dimensions = listDimensions()

func listDimensions() []Dimension {
	all := []Dimension{Endpoint, Campaign, Source, Keyword, ExternalID, CreativeID, AdCampaignID}
	for n := range config.SubIDs {
		all = append(all, Dimension(config.ParamSubIDPrefix+strconv.Itoa(n+1)))
	}
	return append(all, Type, Status, Hour, Day, Week, Month, Weekday)
}

// labels name a time in the zone of the report, by dimension of time.
var labels = map[Dimension]func(time.Time) string{
	Hour: func(t time.Time) string {
		sinceHour := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
		return t.Add(-sinceHour).Format(time.RFC3339)
	},
	Day: func(t time.Time) string { return t.Format(time.DateOnly) },
	Week: func(t time.Time) string {
		year, week := t.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	},
	Month:   func(t time.Time) string { return t.Format("2006-01") },
	Weekday: func(t time.Time) string { return strconv.Itoa((int(t.Weekday())+6)%7 + 1) },
}

// Dimensions returns every dimension, in the order in which they are documented.
func Dimensions() []Dimension { return slices.Clone(dimensions) }

// Valid reports whether d is one of [Dimensions].
func (d Dimension) Valid() bool { return slices.Contains(dimensions, d) }

// OfTime reports whether d groups by time: an hour with its offset, a day, an ISO week (2026-W48), a month, or a
// weekday from 1, Monday, to 7.
func (d Dimension) OfTime() bool { return labels[d] != nil }

// OfClicks reports whether clicks have d, too.
func (d Dimension) OfClicks() bool { return d != Type && d != Status }

// IsClickField reports whether d is a field of the click that postbacks may overwrite.
func (d Dimension) IsClickField() bool { return conversion.IsClickField(string(d)) }
