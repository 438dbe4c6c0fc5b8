package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	senders          = 6
	batchesPerSender = 25
	// hotKeys are what all senders write to: the first half have a click, the others are orphans, for which there is a
	// placeholder to lock at best.
	hotKeys = 4
)

func testConcurrentBatches(d *desk) { d.crowd(d.store) }

func testTwoStores(d *desk) {
	second := d.another()
	defer func() {
		if err := second.Close(); err != nil {
			d.Errorf("closing the second store: %v", err)
		}
	}()
	d.crowd(d.store, second)
}

// crowd lets senders write to few keys through all stores at once. Then the history must tell one sequential story.
func (d *desk) crowd(stores ...ledger.Store) {
	for n := range hotKeys / 2 {
		d.write(&ledger.Changes{NewClicks: []*conversion.Click{bareClick(subid(n))}})
	}
	sent := make([][]*conversion.Intent, senders)
	recorded := make([]int, senders)
	followers := d.follow(stores[0], 1, 7, 1000)
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(sender), 7))
			for batch := range batchesPerSender {
				intents := randomBatch(random, 10*(sender*batchesPerSender+batch))
				made := 0
				err := persist(d.Context(), stores[sender%len(stores)], wantIntents(intents),
					func(book *ledger.Book) *ledger.Changes {
						changes := applyAll(book, intents)
						made = len(changes.Forwards)
						return changes
					})
				if err != nil {
					d.Errorf("sender %d: %v", sender, err)
					return
				}
				sent[sender] = append(sent[sender], intents...)
				recorded[sender] += made
			}
		})
	}
	group.Wait()
	d.audit(sent, recorded)
	for _, f := range followers {
		d.auditJournal(f.stop())
	}
}

func randomBatch(random *rand.Rand, n int) []*conversion.Intent {
	rules := &conversion.Rules{
		Currency: "USD",
		Forwards: []conversion.ForwardRule{{Name: "all",
			Resend: config.ResendOnAnyChange}},
		Policies: config.Policies{
			UnknownClick: config.UnknownClickRecord,
			Repeat:       config.RepeatOverwrite,
			Slot:         config.SlotTid,
			Transitions:  config.TransitionsAny,
		},
	}
	intents := make([]*conversion.Intent, 1+random.IntN(4))
	for i := range intents {
		at := noon.Add(time.Duration(n+i) * time.Millisecond)
		payout := dollars(fmt.Sprint(random.IntN(2)))
		in := &conversion.Intent{
			Endpoint: shop, SubID: subid(random.IntN(hotKeys)), Slot: conversion.SlotKey{TID: []string{"", "t"}[random.IntN(2)]},
			Type: []string{"lead", "sale", "rejected"}[random.IntN(3)], Payout: &payout,
			Received: at, RequestID: id(at, n+i), Stamp: at.UnixMicro(), Rules: rules,
		}
		if random.IntN(2) == 0 {
			in.Params = conversion.Params{{Name: "sub_id_1", Value: in.RequestID.String()}}
		}
		intents[i] = in
	}
	return intents
}

func wantIntents(intents []*conversion.Intent) ledger.Want {
	var want ledger.Want
	slots := map[ledger.Slot]bool{}
	for _, in := range intents {
		slot := slotOf(in)
		if !slots[slot] {
			slots[slot] = true
			want.Slots = append(want.Slots, slot)
		}
		want.Keys = append(want.Keys, slot.Key)
	}
	want.Keys = sorted(want.Keys)
	want.Create = want.Keys
	return want
}

func slotOf(in *conversion.Intent) ledger.Slot {
	return ledger.Slot{Key: ledger.KeyOf(in.Endpoint, in.SubID), SlotKey: in.Slot}
}

// applyAll decides the intents one after the other, each on what the ones before left.
func applyAll(book *ledger.Book, intents []*conversion.Intent) *ledger.Changes {
	changes := &ledger.Changes{}
	slots, clicks := map[ledger.Slot]*conversion.Conversion{}, map[ledger.Key]*conversion.Click{}
	for i, in := range intents {
		slot := slotOf(in)
		prev, inBatch := slots[slot]
		if !inBatch {
			prev = book.Conversions[slot]
		}
		click := clicks[slot.Key]
		if click == nil {
			click = book.Clicks[slot.Key]
		}
		decided := conversion.Apply(in, prev, click)
		row := ledger.Received{
			ID:       in.RequestID,
			Kind:     ledger.KindPostback,
			Endpoint: in.Endpoint,
			SubID:    in.SubID,
			At:       in.Received,
			Outcome:  decided.Outcome,
		}
		if decided.Next != nil {
			row.Conversion, row.Version = decided.Next.ID, decided.Next.Version
		}
		changes.Received = append(changes.Received, row)
		if decided.Click != nil {
			clicks[slot.Key] = decided.Click
		}
		if decided.Next == nil {
			continue
		}
		if prev != nil {
			changes.History = append(changes.History, prev)
		}
		slots[slot] = decided.Next
		changes.Forwards = append(changes.Forwards, ledger.Forward{
			ID: id(in.Received, 1000+i), Rule: "all", Conversion: decided.Next, Click: click, Due: in.Received,
		})
	}
	for _, c := range slots {
		changes.Conversions = append(changes.Conversions, c)
	}
	for _, click := range clicks {
		changes.UpdatedClicks = append(changes.UpdatedClicks, click)
	}
	return changes
}

// audit replays each slot's postbacks in the order that its history shows, and must arrive at the same versions.
func (d *desk) audit(sent [][]*conversion.Intent, recorded []int) {
	d.Helper()
	intents := map[uuid.UUID]*conversion.Intent{}
	for _, some := range sent {
		for _, in := range some {
			intents[in.RequestID] = in
		}
	}
	versions, lastWords := 0, map[string][]string{}
	for _, c := range d.conversions(ledger.ConversionFilter{}) {
		history := d.history(c)
		d.same("the last version", c, history[len(history)-1])
		var replayed []*conversion.Conversion
		var prev *conversion.Conversion
		for _, version := range history {
			in := intents[version.RequestID]
			if in == nil {
				d.Fatalf("version %d of %s was made by a postback that nobody sent, or by one for the second time", version.Version,
					c.ID)
			}
			delete(intents, version.RequestID)
			prev = conversion.Apply(in, prev, d.clickAtStart(c.SubID)).Next
			replayed = append(replayed, prev)
		}
		d.same("history of "+c.SubID+" "+c.Slot.TID, replayed, history)
		versions += len(history)
		lastWords[c.SubID] = append(lastWords[c.SubID], c.Params.Get("sub_id_1"))
	}
	made, rows := 0, 0
	for sender := range sent {
		made += recorded[sender]
		rows += len(sent[sender])
	}
	d.same("versions", made, versions)
	d.same("forwards", made, len(d.forwards(ledger.OutboxFilter{})))
	d.same("received", rows, len(d.received(ledger.ReceivedFilter{})))
	d.auditClicks(lastWords)
}

// clickAtStart is the click that the senders found; what they changed in it makes no difference to a conversion.
func (d *desk) clickAtStart(of string) *conversion.Click {
	for n := range hotKeys / 2 {
		if of == subid(n) {
			return bareClick(of)
		}
	}
	return nil
}

// auditClicks checks that each click has the value that one of its slots was told last, and that orphans stay so.
func (d *desk) auditClicks(lastWords map[string][]string) {
	d.Helper()
	for n := range hotKeys {
		click := d.clicks(subid(n))[ledger.KeyOf(shop, subid(n))]
		if n >= hotKeys/2 {
			d.same("an orphan's click", (*conversion.Click)(nil), click)
			continue
		}
		if click == nil || len(click.Params) != 1 || !slices.Contains(lastWords[subid(n)], click.Params[0].Value) {
			d.Errorf("click %+v, want one of %q", click, lastWords[subid(n)])
		}
	}
}
