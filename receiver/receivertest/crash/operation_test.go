package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// TestKillDuringAnImportCountsEachLineOnce kills the receiver in the middle of an import, where payouts add up.
func TestKillDuringAnImportCountsEachLineOnce(t *testing.T) {
	const lines, kills, token = 1500, 3, "ops-token-k4m8q2z7"
	ctx, dir := t.Context(), t.TempDir()
	program, err := receivertest.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	e := receivertest.Endpoint()
	e.Policies.Repeat = config.RepeatAdd
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), e); err != nil {
		t.Fatal(err)
	}
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	var receiver *receivertest.Process
	start := func() *client.Client {
		receiver, err = receivertest.Start(ctx, receivertest.Options{
			Program: program, Config: dir, Store: "sqlite://" + filepath.Join(dir, "postback.db"),
			Args: []string{"--ops-token-file", tokenFile},
		})
		if err != nil {
			t.Fatal(err)
		}
		return client.New("http://"+receiver.OpsAddr, token, nil)
	}
	c := start()
	if err := receiver.AddClicks(ctx, 10, subid); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "%s,1\n", subid(i%10))
	}
	op, err := c.Operate(ctx, client.Who{Actor: "ann", Key: "k"}, read.NewOperation{
		Kind: "import", Endpoint: "default/test", Note: "a test", Text: text.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for kill := range kills {
		before := await(ctx, t, c, op.ID, func(now read.Operation) bool { return now.Done > 300*(kill+1) })
		receiver.Kill()
		t.Logf("killed after %d rows", before.Done)
		c = start()
	}
	op = await(ctx, t, c, op.ID, func(now read.Operation) bool { return now.State != "running" })
	if op.State != "done" || op.Outcomes["recorded"] != lines || op.Money[0].Amount != fmt.Sprint(lines) {
		t.Errorf("%+v", op)
	}
	countsOnce(ctx, t, c, lines)
	if err := receiver.Stop(); err != nil {
		t.Error(err)
	}
}

// countsOnce checks that the lines, of a payout of 1 each, are in the conversions and in the log once.
func countsOnce(ctx context.Context, t *testing.T, c *client.Client, lines int) {
	t.Helper()
	sum := decimal.Zero
	page, err := c.Conversions(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range page.Items {
		sum = sum.Add(decimal.RequireFromString(*one.Payout))
	}
	if !sum.Equal(decimal.NewFromInt(int64(lines))) {
		t.Errorf("%d lines of 1 add up to %s", lines, sum)
	}
	log, err := c.Stream(ctx, "postbacks.ndjson", nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := io.ReadAll(log)
	_ = log.Close()
	if n := bytes.Count(rows, []byte("\n")); err != nil || n != lines {
		t.Errorf("the log has %d rows (%v)", n, err)
	}
	var first read.Postback
	if err := json.NewDecoder(bytes.NewReader(rows)).Decode(&first); err != nil || first.Kind != "import" {
		t.Errorf("%+v (%v)", first, err)
	}
}

// await asks until the operation is as wanted.
func await(
	ctx context.Context, t *testing.T, c *client.Client, id string, wanted func(read.Operation) bool,
) read.Operation {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		op, err := c.Operation(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(op) {
			return op
		}
		if op.State != "running" || time.Now().After(deadline) {
			t.Fatalf("it does not come about: %+v", op)
		}
	}
}
