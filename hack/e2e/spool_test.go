//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// With a spool not even a dead database fails a request: what was spooled is in the ledger once the database is back.
func TestASpoolAnswersWhileTheDatabaseIsAway(t *testing.T) {
	namespace := inNamespace(t, "e2e-spool")
	makeDatabase(t, namespace)
	apply(t, namespace, fleetOnStore("postgres: {dsnSecretRef: {name: db}, spool: {size: 1Gi}}", "replicas: 2"))
	shop := endpointOn(t, namespace, "shop")
	fleetReady(t, namespace, fleetName, 2)
	l := begin(t, shop, loadPerSecond)
	time.Sleep(settle)
	if err := database.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	if err := database.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(settle)
	got := l.end(t)
	if got.Failed > 0 {
		t.Errorf("%d requests failed: %v", got.Failed, got.Failures)
	}
	if got.Outcomes["200 spooled"] == 0 {
		t.Error("nothing was spooled")
	}
	var twice int
	eventually(t, func() error {
		var lost int
		if lost, twice = l.audit(t, got); lost > 0 {
			return fmt.Errorf("%d acknowledged postbacks are not in the ledger", lost)
		}
		return nil
	})
	if twice > 0 {
		t.Errorf("%d are there twice", twice)
	}
	t.Logf("%s; 0 of them lost, %d recorded twice", got, twice)
}
