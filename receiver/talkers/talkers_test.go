package talkers

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// address is the n-th of many.
func address(n int) netip.Addr {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 0x0a000000+uint32(n))
	return netip.AddrFrom4(ip)
}

func TestWhoSendsMostIsNamedFirst(t *testing.T) {
	talkers := New()
	for n := range 20 {
		for i := range 10 * (n + 1) {
			talkers.Count(address(n), fmt.Sprint("default/e", n%3), i%10 == 0, noon)
		}
	}
	talkers.Count(address(0), "", true, noon) // For no endpoint.
	sources, endpoints := talkers.Top(3, noon)
	if diff := cmp.Diff([]Talker{{"10.0.0.19", 200, 20}, {"10.0.0.18", 190, 19}, {"10.0.0.17", 180, 18}},
		sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Talker{{"default/e1", 770, 77}, {"default/e0", 700, 70}, {"default/e2", 630, 63}},
		endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if sources, _ := talkers.Top(100, noon); len(sources) != 20 || sources[19] != (Talker{"10.0.0.0", 11, 2}) {
		t.Errorf("%d sources, the last is %+v", len(sources), sources[len(sources)-1])
	}
}

func TestAddressesOfOneNetworkAreOneSource(t *testing.T) {
	talkers := New()
	for n := range 1000 {
		talkers.Count(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n)), "", false, noon)
	}
	sources, _ := talkers.Top(10, noon)
	if diff := cmp.Diff([]Talker{{"2001:db8::", 1000, 0}}, sources); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequestsAreForgottenAfterTenMinutes(t *testing.T) {
	talkers := New()
	for minute := range 30 {
		now := noon.Add(time.Duration(minute) * time.Minute)
		talkers.Count(address(1), "default/e", true, now)
		sources, endpoints := talkers.Top(10, now.Add(time.Minute-1))
		want := int64(min(minute+1, 10))
		if diff := cmp.Diff([]Talker{{"10.0.0.1", want, want}}, sources); diff != "" {
			t.Errorf("minute %d (-want +got):\n%s", minute, diff)
		}
		if len(endpoints) != 1 || endpoints[0].Requests != want {
			t.Errorf("minute %d: %+v", minute, endpoints)
		}
	}
	if sources, endpoints := talkers.Top(10, noon.Add(39*time.Minute)); len(sources)+len(endpoints) > 0 {
		t.Errorf("ten minutes later there are %v and %v", sources, endpoints)
	}
}

// TestMuchIsHeardAmongMany: a source with a 32nd of all requests, among a million that send one or two, in any order.
// What is said of a source is never more than it sent.
func TestMuchIsHeardAmongMany(t *testing.T) {
	talkers, random := New(), rand.New(rand.NewPCG(1, 2))
	sent := map[string]int64{}
	const requests = 200_000
	for range requests {
		source := address(1 + random.IntN(1_000_000))
		if random.IntN(32) == 0 {
			source = address(0)
		}
		sent[source.String()]++
		talkers.Count(source, "", false, noon)
	}
	sources, _ := talkers.Top(capacity, noon)
	if sources[0].Name != "10.0.0.0" || sources[0].Requests < sent["10.0.0.0"]-requests/capacity {
		t.Errorf("the first is %+v; 10.0.0.0 has sent %d", sources[0], sent["10.0.0.0"])
	}
	for _, source := range sources {
		if source.Requests > sent[source.Name] {
			t.Errorf("%s has sent %d, not %d", source.Name, sent[source.Name], source.Requests)
		}
	}
	for _, minute := range talkers.sources {
		if len(minute.counters) > capacity || len(minute.index) != len(minute.counters) {
			t.Errorf("%d are counted, %d found", len(minute.counters), len(minute.index))
		}
	}
}

func BenchmarkCountAmongMany(b *testing.B) {
	talkers := New()
	for n := range b.N {
		talkers.Count(address(n), "default/e", false, noon)
	}
}
