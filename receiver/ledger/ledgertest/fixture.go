package ledgertest

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const shop = "shop/main"

// noon has microseconds, which every engine keeps.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 123456000, time.UTC)

// id is a UUIDv7 of the moment; n tells those of one millisecond apart and orders them.
func id(at time.Time, n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], 1<<63|uint64(n))
	return id
}

func number(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func dollars(s string) money.Amount {
	value := number(s)
	return money.Amount{Original: value, Currency: "USD", Converted: &value, Rate: money.Rate{Value: number("1")}}
}

// longAmount has more digits than a float or a 64-bit integer holds.
func longAmount() *money.Amount {
	converted := number("-987654321098765.123457")
	return &money.Amount{
		Original: number("123456789012345.123456789012"), Currency: "XAU", Converted: &converted,
		Rate: money.Rate{Value: number("0.000123456789012345678901234567"), Date: noon.Truncate(24 * time.Hour),
			Source: "fixed+ecb"},
	}
}

func pendingAmount() *money.Amount {
	return &money.Amount{Original: number("0.000000000001"), Currency: "USDT"}
}

// awkward is text that tends to get lost or changed on its way.
const awkward = "Ünï \"çødé\" \\ ' 𝄞 \u2028 %00 {json} \t\r\n $1 ?"

func bareClick(subid string) *conversion.Click {
	return &conversion.Click{Endpoint: shop, SubID: subid, Time: noon}
}

func fullClick(subid string) *conversion.Click {
	return &conversion.Click{
		Endpoint: shop, SubID: subid, Time: noon.Add(-time.Hour), Campaign: awkward, IP: "2001:db8::1", UserAgent: awkward,
		Params: conversion.Params{{Name: "keyword", Value: awkward}, {Name: "sub_id_30", Value: "30"}}, Cost: longAmount(),
		VisitorFields: []string{"cost", "sub_id_30"}, Unique: true, Test: true,
	}
}

func bareConversion(subid, tid string, at time.Time, n int) *conversion.Conversion {
	return &conversion.Conversion{
		ID: id(at, n), Endpoint: shop, SubID: subid, Slot: conversion.SlotKey{TID: tid}, Type: "lead", Payout: dollars("0"),
		EndpointCurrency: "USD", ConversionTime: at, CreatedAt: at, UpdatedAt: at, Version: 1, RequestID: id(at, n),
		Stamp: at.UnixMicro(),
	}
}

func fullConversion(subid, tid string) *conversion.Conversion {
	return &conversion.Conversion{
		ID: id(noon, 1), Endpoint: shop, SubID: subid, Slot: conversion.SlotKey{TID: tid, Type: "sale"},
		Type: "sale", PreviousType: "lead", Status: awkward, Payout: *longAmount(), Cost: pendingAmount(),
		EndpointCurrency: "USD",
		Params:           conversion.Params{{Name: "a", Value: awkward}, {Name: awkward, Value: "b"}},
		Campaign:         awkward, Source: awkward, Test: true, From: awkward,
		Warnings:  []conversion.Warning{conversion.PayoutAmbiguous, conversion.OverwroteOtherType},
		ClickTime: noon.Add(-time.Hour), ConversionTime: noon.Add(-time.Minute), SaleTime: noon.Add(-time.Second),
		CreatedAt: noon, UpdatedAt: noon.Add(time.Microsecond), Version: 7, RequestID: id(noon, 2),
		Stamp:  noon.UnixMicro() + 3,
		Writer: conversion.WriterPerson, Pinned: true,
	}
}

func bareReceived(at time.Time, n int) ledger.Received {
	return ledger.Received{ID: id(at, n), Endpoint: shop, At: at, Outcome: conversion.Ignored,
		Reason: conversion.SubIDMissing}
}

// fullReceived has a query and a body of any bytes: they are what somebody sent.
func fullReceived(at time.Time, n int) ledger.Received {
	return ledger.Received{
		ID:          id(at, n),
		Endpoint:    shop,
		Kind:        ledger.KindReplay,
		KeyID:       "k1",
		At:          at,
		Stamp:       at.UnixMicro(),
		IP:          "192.0.2.1",
		Method:      "POST",
		ContentType: awkward,
		Query:       "a=%00&b=\xff\xfe",
		Body:        "\x00\xff" + awkward,
		SubID:       "c1",
		SubIDFrom:   awkward,
		TID:         awkward,
		Type:        "sale",
		Outcome:     conversion.Recorded,
		Warnings:    []conversion.Warning{conversion.DateInFuture},
		Test:        true,
		Signature:   id(noon, n+1000),
		Conversion:  id(noon, 1),
		Version:     3,
		Status:      awkward,
		Actor:       awkward,
		Note:        awkward,
		Operation:   id(noon, 4),
		Origin:      id(noon, 5),
	}
}

func heldPostback(subid string, at time.Time, n int) ledger.HeldPostback {
	limit := number("99.5")
	return ledger.HeldPostback{Until: at.Add(time.Hour), Intent: &conversion.Intent{
		Endpoint: shop, SubID: subid, Slot: conversion.SlotKey{TID: awkward}, Type: "sale", Status: awkward,
		Payout: longAmount(),
		Cost:   pendingAmount(), Date: at.Add(-time.Minute), Params: conversion.Params{{Name: "p", Value: awkward}},
		From:     "f",
		Warnings: []conversion.Warning{conversion.CostAmbiguous}, Received: at, ReceivedIP: "192.0.2.7", RequestID: id(at, n),
		Stamp: at.UnixMicro() + int64(n), Redelivered: true, Writer: conversion.WriterPage,
		Rules: &conversion.Rules{
			Currency: "USD", MaxPayout: &limit,
			Forwards: []conversion.ForwardRule{{Name: "f", Types: []string{"sale"}, Resend: config.ResendOnStatusChange}},
			Policies: config.Policies{
				UnknownClick: config.UnknownClickHold,
				HoldFor:      config.Duration(time.Hour),
				Repeat:       config.RepeatAdd,
				Slot:         config.SlotTidAndType,
				Transitions:  config.TransitionsForwardOnly,
			},
		},
	}}
}

func pendingRate(subid, tid, currency string) ledger.PendingRate {
	return ledger.PendingRate{
		Key: ledger.KeyOf(shop, subid), Slot: conversion.SlotKey{TID: tid}, Currency: currency, ToCurrency: "USD",
	}
}

func subid(n int) string { return fmt.Sprintf("click-%03d", n) }
