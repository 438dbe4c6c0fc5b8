package endpoint

import (
	"fmt"
	"strconv"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Field numbers what a postback can say to an endpoint, whichever parameter name it says it by. The training parameters
// of the endpoint's types follow after the last constant, see [Endpoint.TrainingField].
type Field int

// The fields. Those from FieldKeyword to the last sub id stay with the conversion under their canonical names.
const (
	FieldSubid Field = iota
	FieldStatus
	FieldTid
	FieldPayout
	FieldCost
	FieldCurrency
	FieldDate
	FieldReturn
	FieldFrom
	FieldIgnoreStatus
	FieldSignature
	FieldKeyword
	FieldExternalID
	FieldCreativeID
	FieldAdCampaignID
	FieldSource
	FieldSubID1

	// FieldKept and FieldKeptEnd bound the fields that stay with the conversion.
	FieldKept    = FieldKeyword
	FieldKeptEnd = FieldSubID1 + config.SubIDs
)

// name is what a parameter's name stands for.
type name struct {
	field Field
	// rank orders the names of one field: the canonical one is 0.
	rank int
}

// ownRank is above the rank of every built-in alias.
const ownRank = 100

var (
	fieldNames = listFieldNames()
	// commonNames are the canonical names and built-in aliases, which all endpoints share.
	commonNames = listCommonNames()
	commonTable = newTable(commonNames)
)

func listFieldNames() []string {
	names := make([]string, FieldKeptEnd)
	for field, param := range map[Field]string{
		FieldSubid: config.ParamSubid, FieldStatus: config.ParamStatus, FieldTid: config.ParamTid,
		FieldPayout: config.ParamPayout, FieldCost: config.ParamCost, FieldCurrency: config.ParamCurrency,
		FieldDate: config.ParamDate, FieldReturn: config.ParamReturn, FieldFrom: config.ParamFrom,
		FieldIgnoreStatus: config.ParamIgnoreStatus,
		FieldKeyword:      config.ParamKeyword,
		FieldExternalID:   config.ParamExternalID,
		FieldCreativeID:   config.ParamCreativeID,
		FieldAdCampaignID: config.ParamAdCampaignID, FieldSource: config.ParamSource,
	} {
		names[field] = param
	}
	for n := range config.SubIDs {
		names[FieldSubID1+Field(n)] = config.ParamSubIDPrefix + strconv.Itoa(n+1)
	}
	for _, builtin := range config.BuiltinTypes() {
		names = append(names, builtin+config.ParamStatusSuffix)
	}
	return names
}

func listCommonNames() map[string]name {
	names := map[string]name{}
	aliases := config.BuiltinAliases()
	for field, param := range fieldNames {
		if Field(field) == FieldSignature {
			continue // its name is the endpoint's own choice
		}
		names[param] = name{field: Field(field)}
		for i, alias := range aliases[param] {
			names[alias] = name{field: Field(field), rank: i + 1}
		}
	}
	return names
}

// compileNames returns the names that only this endpoint knows: its aliases, its types' training parameters, and the
// signature's.
func compileNames(c *config.Endpoint) (map[string]name, error) {
	names := map[string]name{}
	builtins := len(config.BuiltinTypes())
	for i, custom := range c.ConversionTypes {
		names[custom.Parameter+config.ParamStatusSuffix] = name{field: FieldKeptEnd + Field(builtins+i)}
	}
	if parameter, _ := c.Access.Signing(); parameter != "" {
		names[parameter] = name{field: FieldSignature}
	}
	for param, aliases := range c.Aliases {
		canonical, known := commonNames[param]
		if !known || canonical.rank != 0 {
			return nil, fmt.Errorf("aliases[%q]: no such parameter", param)
		}
		for i, alias := range aliases {
			if _, builtin := commonNames[alias]; builtin {
				continue // valid only where it repeats what is built in
			}
			names[alias] = name{field: canonical.field, rank: ownRank + i}
		}
	}
	return names, nil
}

// commonRequestNames are the names that all endpoints share, for reading requests.
var commonRequestNames = request.NewNames(nil, numbers(commonNames))

// requestNames puts an endpoint's own names on top of those that all share.
func requestNames(own map[string]name) *request.Names {
	if len(own) == 0 {
		return commonRequestNames
	}
	return request.NewNames(commonRequestNames, numbers(own))
}

func numbers(names map[string]name) map[string]int {
	fields := make(map[string]int, len(names))
	for text, name := range names {
		fields[text] = int(name.field)
	}
	return fields
}

// Lookup returns the field for which a parameter name stands. Among the names of one field the lowest rank counts
// first: the canonical name, the built-in aliases, the endpoint's own in their listed order (docs/semantics.md §2).
func (e *Endpoint) Lookup(param string) (field Field, rank int, ok bool) {
	n, ok := commonTable.lookup(param)
	if !ok {
		n, ok = e.names[param]
	}
	return n.field, n.rank, ok
}

// Alias says which kind of name has that rank among those of its field; empty for the canonical one.
func Alias(rank int) string {
	switch {
	case rank == 0:
		return ""
	case rank < ownRank:
		return "built-in alias"
	}
	return "alias of the endpoint"
}

// Fields is how many fields the endpoint knows: all are below it.
func (e *Endpoint) Fields() int { return int(FieldKeptEnd) + len(e.Types) }

// TrainingField returns the field of the training parameter of the i-th of [Endpoint.Types].
func (e *Endpoint) TrainingField(i int) Field { return FieldKeptEnd + Field(i) }

// FieldName returns the canonical name of a parameter of the endpoint; "signature" for that of a signature.
func (e *Endpoint) FieldName(f Field) string {
	switch training := int(f - FieldKeptEnd); {
	case f == FieldSignature:
		return "signature"
	case training >= 0:
		return e.Types[training] + config.ParamStatusSuffix
	}
	return f.Name()
}

// Name returns the field's canonical parameter name; the field must be one of the constants or of the sub ids.
func (f Field) Name() string { return fieldNames[f] }
