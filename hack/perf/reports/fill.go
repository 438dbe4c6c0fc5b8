package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// The conversions of a world: two for each click, over days days, of ten campaigns for each endpoint. The first
// endpoint has the square root of its share: of 50 endpoints 14 %.
const (
	days      = 90
	campaigns = 10 // of each endpoint
	perClick  = 2
	batchSize = 500 // clicks
)

// world says what a store is filled with.
type world struct {
	conversions, endpoints int
	until                  time.Time
}

func (w world) from() time.Time { return w.until.AddDate(0, 0, -days) }

// endpointName is the n-th endpoint's, from 0.
func endpointName(n int) string { return fmt.Sprintf("perf/e%d", n) }

var one = decimal.NewFromInt(1)

func amountOf(cents int64) money.Amount {
	value := decimal.New(cents, -2)
	return money.Amount{Original: value, Currency: "USD", Converted: &value, Rate: money.Rate{Value: one}}
}

// types as they come: half of all are leads.
var types = []string{
	"lead", "lead", "lead", "lead", "lead", "sale", "sale", "sale", "rejected", "deposit",
}

// click returns the n-th click with its conversions. It is the same at each call.
func (w world) click(n int) (*conversion.Click, []*conversion.Conversion) {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	share := random.Float64()
	endpoint := int(share * share * float64(w.endpoints))
	step := w.until.Sub(w.from()) / time.Duration(max(w.conversions/perClick, 1))
	at := w.from().Add(time.Duration(n) * step).Truncate(time.Microsecond)
	cost := amountOf(5)
	click := &conversion.Click{
		Endpoint:  endpointName(endpoint),
		SubID:     fmt.Sprintf("w%012x", n),
		Time:      at,
		Campaign:  fmt.Sprintf("campaign-%d-%d", endpoint, random.IntN(campaigns)),
		IP:        "203.0.113.7",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		Params: conversion.Params{
			{Name: "keyword", Value: fmt.Sprint("keyword ", random.IntN(200))},
			{Name: "source", Value: fmt.Sprint("source", random.IntN(20))},
			{Name: "sub_id_1", Value: fmt.Sprint("banner", random.IntN(1000))},
		},
		Cost:   &cost,
		Unique: random.IntN(4) > 0,
	}
	all := make([]*conversion.Conversion, perClick)
	for i := range all {
		all[i] = conversionOf(click, i, random)
	}
	return click, all
}

// conversionOf returns the i-th conversion of a click, at most a day after it.
func conversionOf(click *conversion.Click, i int, random *rand.Rand) *conversion.Conversion {
	late := random.Float64()
	at := click.Time.Add(time.Duration(late * late * float64(24*time.Hour))).Truncate(time.Microsecond)
	id := ledger.FirstID(at)
	binary.BigEndian.PutUint64(id[8:], random.Uint64())
	id[6], id[8] = id[6]|0x70, id[8]&0x3f|0x80
	typ := types[random.IntN(len(types))]
	return &conversion.Conversion{
		ID:               id,
		Endpoint:         click.Endpoint,
		SubID:            click.SubID,
		Slot:             conversion.SlotKey{TID: fmt.Sprint("t", i)},
		Type:             typ,
		Status:           typ,
		Payout:           amountOf(100 + random.Int64N(5000)),
		EndpointCurrency: "USD",
		Params:           conversion.Params{{Name: "sub_id_2", Value: fmt.Sprint("place", random.IntN(50))}},
		Campaign:         click.Campaign,
		Source:           click.Params.Get("source"),
		ClickTime:        click.Time,
		ConversionTime:   at,
		CreatedAt:        at,
		UpdatedAt:        at,
		Version:          1,
		Writer:           conversion.WriterKey,
		RequestID:        id,
		Stamp:            at.UnixMicro(),
	}
}

// fill writes all clicks and conversions, in so many batches at a time, without what the sums are kept by: they are
// made afterwards.
func (b *bench) fill(ctx context.Context, writers int) error {
	store, err := b.open(ctx)
	if err != nil {
		return err
	}
	start, clicks := time.Now(), b.world.conversions/perClick
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range writers {
		group.Go(func() error {
			for {
				first := int(next.Add(batchSize)) - batchSize
				if first >= clicks {
					return nil
				}
				changes := &ledger.Changes{}
				for n := first; n < min(first+batchSize, clicks); n++ {
					click, all := b.world.click(n)
					changes.NewClicks = append(changes.NewClicks, click)
					changes.Conversions = append(changes.Conversions, all...)
				}
				err := store.Transact(ctx, ledger.Want{}, func(*ledger.Book) *ledger.Changes { return changes })
				if err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("filling: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%s: %d conversions of %d clicks written in %s\n", b.name, clicks*perClick, clicks,
		time.Since(start).Round(time.Second))
	return store.Close()
}
