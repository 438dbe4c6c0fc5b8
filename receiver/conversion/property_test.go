package conversion_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

var (
	types      = []string{"lead", "sale", "rejected", "registration", "deposit", "trash", "upsell"}
	currencies = []string{"USD", "EUR", "RUB"}
	writers    = []conversion.Writer{
		conversion.WriterKey, conversion.WriterPage, conversion.WriterPerson, conversion.WriterImport,
		conversion.WriterReplay,
	}
)

// choices reads decisions from bytes; it answers 0 when they are used up.
type choices []byte

func (c *choices) pick(n int) int {
	if len(*c) == 0 {
		return 0
	}
	chosen := int((*c)[0]) % n
	*c = (*c)[1:]
	return chosen
}

func pickFrom[T any](c *choices, values ...T) T { return values[c.pick(len(values))] }

func randomRules(c *choices) *conversion.Rules {
	rules := defaults()
	rules.Repeat = pickFrom(c, config.RepeatOverwrite, config.RepeatIgnore, config.RepeatAdd)
	rules.Slot = pickFrom(c, config.SlotTid, config.SlotTidAndType)
	rules.Transitions = pickFrom(c, config.TransitionsAny, config.TransitionsForwardOnly)
	rules.UnknownClick = pickFrom(c, config.UnknownClickIgnore, config.UnknownClickHold, config.UnknownClickRecord)
	rules.MaxPayout = pickFrom(c, nil, number("50"))
	rules.DefaultPayout = pickFrom(c, nil, number("5"))
	return rules
}

func randomPostback(c *choices, n int, rules *conversion.Rules) *conversion.Intent {
	says := []option{tid(pickFrom(c, "", "1", "2"))}
	if c.pick(2) == 1 {
		says = append(says, payout(fmt.Sprint(c.pick(256)-100), pickFrom(c, currencies...)))
	}
	if c.pick(4) == 1 {
		says = append(says, cost(fmt.Sprint(c.pick(8)), pickFrom(c, currencies...)))
	}
	if c.pick(4) == 1 {
		says = append(says, date(noon.Add(time.Duration(c.pick(256))*time.Hour)))
	}
	if c.pick(4) == 1 {
		says = append(says, param(pickFrom(c, "keyword", "sub_id_1", "utm"), pickFrom(c, "", "a", "b")))
	}
	return postback(n, rules, pickFrom(c, types...), append(says, by(pickFrom(c, writers...)))...)
}

// play applies a sequence of postbacks that data decides, and checks after each what must always hold.
func play(t *testing.T, data []byte) {
	t.Helper()
	c := choices(data)
	rules := randomRules(&c)
	click := pickFrom(&c, demoClick(), nil)
	slots := map[conversion.SlotKey]*conversion.Conversion{}
	for n := 0; len(c) > 0; n++ {
		in := randomPostback(&c, n, rules)
		if c.pick(4) == 1 {
			again(n - c.pick(4))(in)
		}
		prev := slots[in.Slot]
		d := conversion.Apply(in, prev, click)
		checkDecision(t, in, prev, d)
		if d.Next != nil {
			checkAuthority(t, in, prev, d.Next)
			slots[in.Slot] = d.Next
			checkRepeat(t, in, d, click)
		}
		if d.Click != nil {
			click = d.Click
		}
	}
}

func checkDecision(t *testing.T, in *conversion.Intent, prev *conversion.Conversion, d conversion.Decision) {
	t.Helper()
	next := d.Next
	switch {
	case takesOver(in, prev) && d.Outcome == conversion.Duplicate && in.RequestID != prev.RequestID:
		checkConfirmation(t, prev, d)
	case (d.Outcome == conversion.Recorded) != (next != nil), (d.Outcome == conversion.Ignored) != (d.Reason != ""),
		(d.Outcome == conversion.Held) != !d.HoldUntil.IsZero():
		t.Fatalf("decision contradicts itself: %+v", d)
	case next == nil:
		if d.Click != nil || d.Forwards != nil {
			t.Fatalf("%s, but something changes: %+v", outcome(d), d)
		}
	case prev == nil:
		if next.Version != 1 || next.ID != in.RequestID || next.PreviousType != "" || next.Slot != in.Slot {
			t.Fatalf("first version: %+v", next)
		}
	default:
		checkSuccession(t, in, prev, next)
	}
}

// takesOver reports whether only pages have written the slot, and now somebody else does.
func takesOver(in *conversion.Intent, prev *conversion.Conversion) bool {
	return prev != nil && prev.Writer == conversion.WriterPage && in.Writer != conversion.WriterPage
}

// checkSuccession compares two versions of a slot.
func checkSuccession(t *testing.T, in *conversion.Intent, prev, next *conversion.Conversion) {
	t.Helper()
	switch {
	case next.Version != prev.Version+1, next.ID != prev.ID, next.Slot != prev.Slot, !next.CreatedAt.Equal(prev.CreatedAt),
		next.UpdatedAt.Before(prev.UpdatedAt):
		t.Fatalf("version %+v\nafter %+v", next, prev)
	case !prev.SaleTime.IsZero() && !next.SaleTime.Equal(prev.SaleTime):
		t.Fatalf("sale time %s became %s", prev.SaleTime, next.SaleTime)
	case takesOver(in, prev):
	case in.Rules.Transitions == config.TransitionsForwardOnly && rankOf(next) < rankOf(prev):
		t.Fatalf("%s became %s", prev.Type, next.Type)
	case !in.Redelivered && next.Stamp <= prev.Stamp:
		t.Fatalf("stamp %d after %d", next.Stamp, prev.Stamp)
	}
}

// checkConfirmation: a network said the same as pages had said.
func checkConfirmation(t *testing.T, prev *conversion.Conversion, d conversion.Decision) {
	t.Helper()
	next := d.Next
	if next == nil || next.Version != prev.Version+1 || next.Type != prev.Type || next.Status != prev.Status ||
		!next.Payout.Same(prev.Payout) || d.Forwards != nil {
		t.Fatalf("%+v\nconfirms %+v", next, prev)
	}
}

// checkAuthority: only those change a slot who may, and the version says who it was.
func checkAuthority(t *testing.T, in *conversion.Intent, prev *conversion.Conversion, next *conversion.Conversion) {
	t.Helper()
	switch {
	case next.Writer != in.Writer, next.Pinned != (in.Writer == conversion.WriterPerson):
		t.Fatalf("%s wrote %+v", in.Writer, next)
	case prev == nil:
	case prev.Writer != conversion.WriterPage && in.Writer == conversion.WriterPage:
		t.Fatalf("a page changed what %s had written: %+v", prev.Writer, next)
	case prev.Pinned && in.Writer != conversion.WriterPerson:
		t.Fatalf("%s changed what a person had corrected: %+v", in.Writer, next)
	}
}

func rankOf(c *conversion.Conversion) int {
	return map[string]int{"lead": 0, "registration": 0, "rejected": 2, "trash": 2, "sale": 1, "deposit": 1,
		"upsell": 1}[c.Type]
}

// checkRepeat sends the recorded postback once more: it says nothing new, unless its payout adds up.
func checkRepeat(t *testing.T, in *conversion.Intent, d conversion.Decision, click *conversion.Click) {
	t.Helper()
	if d.Click != nil {
		click = d.Click
	}
	again := *in
	again.RequestID, again.Redelivered = requestID(255), false
	again.Received = again.Received.Add(time.Second)
	addsUp := in.Rules.Repeat == config.RepeatAdd && in.Payout != nil && !in.Payout.Original.IsZero()
	late := in.Redelivered && d.Next.Stamp != in.Stamp
	if got := conversion.Apply(&again, d.Next, click); !late && (got.Outcome == conversion.Duplicate) == addsUp {
		t.Fatalf("the same again is %s; %+v", outcome(got), in)
	}
}

func TestAnySequenceKeepsTheBooksInOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), byte(seed >> 32)})
	data := make([]byte, 600)
	for range 2000 {
		_, _ = random.Read(data)
		play(t, data)
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x02\x00\x01\x02\x01\x01\x01every policy has its byte"))
	f.Add(slices.Repeat([]byte{1, 0, 3, 2}, 40))
	f.Fuzz(func(t *testing.T, data []byte) { play(t, data[:min(len(data), 4096)]) })
}

// Every postback says something of its own here: one that repeats an older one is a duplicate of it when nothing came
// between, and that depends on the order. So does, where statuses only go forward, which payouts a sum has taken in.
func TestRedeliveryInAnyOrderConverges(t *testing.T) {
	for _, tt := range []struct {
		name        string
		repeat      config.Repeat
		transitions config.Transitions
	}{
		{"the newest overwrites", config.RepeatOverwrite, config.TransitionsAny},
		{"the newest of the highest rank overwrites", config.RepeatOverwrite, config.TransitionsForwardOnly},
		{"every payout adds up", config.RepeatAdd, config.TransitionsAny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(11, 11))
			rules := defaults()
			rules.Repeat, rules.Transitions = tt.repeat, tt.transitions
			for range 300 {
				set := make([]*conversion.Intent, 1+random.IntN(6))
				for n := range set {
					set[n] = postback(n, rules, types[random.IntN(len(types))], payout(fmt.Sprint(n+1), "USD"),
						word(fmt.Sprint("word", n)), again(n))
				}
				want := settle(set)
				for range 6 {
					random.Shuffle(len(set), func(i, j int) { set[i], set[j] = set[j], set[i] })
					if got := settle(set); got != want {
						t.Fatalf("%s in order, %s in another", want, got)
					}
				}
			}
		})
	}
}

// settle applies the postbacks and describes what does not depend on how many of them were superseded.
func settle(set []*conversion.Intent) string {
	var c *conversion.Conversion
	for _, in := range set {
		if d := conversion.Apply(in, c, demoClick()); d.Next != nil {
			c = d.Next
		}
	}
	return fmt.Sprintf("%s %q %s stamp %d", c.Type, c.Status, c.Payout.Converted, c.Stamp)
}

func TestApplyIsDeterministic(t *testing.T) {
	in := postback(1, defaults(), "sale", payout("1", "EUR"), param("keyword", "k"))
	prev := conversion.Apply(postback(0, defaults(), "lead"), nil, demoClick()).Next
	if diff := cmp.Diff(conversion.Apply(in, prev, demoClick()), conversion.Apply(in, prev, demoClick())); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkApply(b *testing.B) {
	rules, click := defaults(), demoClick()
	lead := conversion.Apply(postback(0, rules, "lead", payout("10", "USD"), param("sub_id_1", "a")), nil, click).Next
	for _, bench := range []struct {
		name string
		in   *conversion.Intent
		prev *conversion.Conversion
	}{
		{"first", postback(0, rules, "lead", payout("10", "USD"), param("sub_id_1", "a")), nil},
		{"overwrite", postback(1, rules, "sale", payout("12", "USD"), param("sub_id_1", "b")), lead},
		{"duplicate", postback(1, rules, "lead", payout("10", "USD"), param("sub_id_1", "a")), lead},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				conversion.Apply(bench.in, bench.prev, click)
			}
		})
	}
}
