package presets

import "slices"

// Kind says what an entry is about.
type Kind string

// The kinds.
const (
	KindPlatform Kind = "Platform" // software that many networks run on
	KindNetwork  Kind = "Network"  // an affiliate network or advertiser
	KindTracker  Kind = "Tracker"  // a tracker that sends its conversions on
	KindSource   Kind = "Source"   // a traffic source that takes S2S postbacks
)

// Confidence says how sure a fact is.
type Confidence string

// The confidences.
const (
	Documented Confidence = "Documented" // the owner's own page says it
	Inherited  Confidence = "Platform"   // its platform's page says it
	SecondHand Confidence = "SecondHand" // only somebody else's page says it
	Conflicted Confidence = "Conflict"   // pages disagree, see Entry.Conflicts
)

// State says what is to be done before an entry can be used.
type State string

// The states.
const (
	Complete    State = "Complete"    // nothing
	NeedsStatus State = "NeedsStatus" // look at which status words arrive
	NeedsEdit   State = "NeedsEdit"   // replace something by hand
)

// Place says where an offer link takes the subid.
type Place string

// The places.
const (
	PlaceQuery Place = "Query"
	PlacePath  Place = "Path"
)

// Per says what a transaction id is new for.
type Per string

// What can have a transaction id of its own.
const (
	PerConversion Per = "Conversion"
	PerPostback   Per = "Postback" // a change of status makes another conversion
	PerEvent      Per = "Event"
)

// SourceKind says whose page it is.
type SourceKind string

// The kinds of sources.
const (
	Primary   SourceKind = "Primary"   // the owner's own
	Secondary SourceKind = "Secondary" // somebody else's
)

// Quirk is one of [Quirks].
type Quirk string

// QuirkText is what a quirk means, in one sentence per language.
type QuirkText struct {
	Quirk Quirk  `json:"quirk"`
	En    string `json:"en"`
	Ru    string `json:"ru"`
}

var quirks = []QuirkText{
	{
		"digits_are_statuses",
		"Statuses are digits: without training none of them means anything.",
		"Статусы — цифры: без обучения ни одна из них ничего не значит.",
	},
	{
		"words_are_yours",
		"You write the status words into the network's form yourself: write the words of this preset.",
		"Слова статусов вы сами вписываете в форму сети: впишите слова из этого пресета.",
	},
	{
		"words_depend_on_offer",
		"The status is the name of an event of the offer: train the words that arrive.",
		"Статус — это имя события оффера: обучите слова, которые приходят.",
	},
	{
		"one_url_per_event",
		"No macro carries the status: paste one URL for each event.",
		"Статус не передаётся макросом: вставьте отдельный URL для каждого события.",
	},
	{
		"statuses_are_selected",
		"The network's owner selects which statuses are sent: ask for all of them.",
		"Какие статусы отправлять, выбирает владелец сети: попросите включить все.",
	},
	{
		"approval_needed",
		"The network has to allow or approve the postback before it is sent.",
		"Постбек отправляется только после того, как сеть его разрешит или одобрит.",
	},
	{
		"once_per_conversion",
		"Each conversion is reported once: later changes of its status do not arrive.",
		"Каждая конверсия передаётся один раз: последующие смены статуса не приходят.",
	},
	{
		"before_validation",
		"The postback is sent before the advertiser has validated the conversion.",
		"Постбек отправляется до того, как рекламодатель проверил конверсию.",
	},
	{
		"events_share_a_click",
		"Several events of one click arrive without a transaction id: the slot policy TidAndType keeps them apart.",
		"Несколько событий одного клика приходят без id транзакции: их различает политика слота TidAndType.",
	},
	{
		"payout_may_be_scaled",
		"The payout macro can carry a share of the payout: what arrives need not be what is paid.",
		"Макрос выплаты может передавать её долю: пришедшая сумма не обязательно равна выплате.",
	},
	{
		"payout_is_the_price",
		"The amount is the price of the order, not your commission.",
		"Сумма — это стоимость заказа, а не ваша комиссия.",
	},
	{
		"letter_case_matters",
		"Letter case counts in the macros: copy them as they are.",
		"Регистр букв в макросах важен: копируйте их как есть.",
	},
	{
		"click_id_is_cut",
		"A click id that is too long for its parameter goes on in the next one: keep it below 100 characters.",
		"Слишком длинный id клика продолжается в следующем параметре: не длиннее 100 символов.",
	},
	{
		"signs_by_hash",
		"The sender can add a digest of some parameters and a secret: declare access.signature to check it.",
		"Отправитель может добавить хеш параметров и секрета: проверку задаёт access.signature.",
	},
	{
		"amounts_in_dollars",
		"The amount has no currency: it is US dollars.",
		"Сумма передаётся без валюты: это доллары США.",
	},
	{
		"event_named_by_you",
		"You name the event at the traffic source: the URL must say the same name.",
		"Имя события вы задаёте в источнике трафика: в URL должно быть то же имя.",
	},
}

// Quirks returns the closed list of quirks, in a fixed order.
func Quirks() []QuirkText { return slices.Clone(quirks) }

// Text returns what a quirk means; the zero value for a quirk that is not in the list.
func (q Quirk) Text() QuirkText {
	for _, text := range quirks {
		if text.Quirk == q {
			return text
		}
	}
	return QuirkText{}
}
