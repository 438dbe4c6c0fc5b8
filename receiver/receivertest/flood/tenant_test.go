package flood

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

const (
	// postbacks is how many the other tenant sends during a flood; none may be refused.
	postbacks = 200
	// gap is between two of them, so that the flood lasts.
	gap = 20 * time.Millisecond
	// tenantAddr is the environment variable that makes the test binary the other tenant of the receiver at that
	// address. The tenant is a process of its own: in the attackers' process its goroutine would wait for theirs, and
	// its latency would be the test's, not the receiver's.
	tenantAddr = "FLOOD_TENANT_ADDR"
)

// reply is what became of one postback.
type reply struct {
	// Got is the status and the outcome, or why there is none.
	Got  string        `json:"got"`
	Took time.Duration `json:"took"`
}

// sendAsTenant sends the tenant's postbacks one after the other and writes the replies to out.
func sendAsTenant(ctx context.Context, addr string, out io.Writer) error {
	client := &http.Client{Timeout: patience}
	replies := make([]reply, postbacks)
	for i := range replies {
		sent := time.Now()
		got := sendPostback(ctx, client, addr, i)
		replies[i] = reply{Got: got, Took: time.Since(sent)}
		time.Sleep(gap)
	}
	return json.NewEncoder(out).Encode(replies)
}

func sendPostback(ctx context.Context, client *http.Client, addr string, i int) string {
	url := fmt.Sprintf("http://%s/%s/postback?subid=c%d&status=sale&payout=1", addr, receivertest.Key, i)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("X-Postback-Outcome"))
}

// tenant runs the other tenant to its end. It fails the test for each postback that was not recorded and logs how long
// they took.
func (s *siege) tenant() {
	s.Helper()
	var out, failure bytes.Buffer
	cmd := exec.CommandContext(s.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), tenantAddr+"="+s.Addr)
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		s.Fatalf("the other tenant: %v\n%s", err, &failure)
	}
	var replies []reply
	if err := json.Unmarshal(out.Bytes(), &replies); err != nil || len(replies) != postbacks {
		s.Fatalf("the other tenant reported %d replies of %d: %v", len(replies), postbacks, err)
	}
	took := make([]time.Duration, len(replies))
	for i, r := range replies {
		if r.Got != "200 recorded" {
			s.Errorf("postback %d of the other tenant: %s", i, r.Got)
		}
		took[i] = r.Took.Round(time.Millisecond)
	}
	slices.Sort(took)
	s.Logf("%d postbacks: p50 %v, p99 %v, the slowest %v", postbacks, took[postbacks/2], took[postbacks*99/100],
		took[postbacks-1])
}
