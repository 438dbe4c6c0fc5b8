package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
)

var forwarding = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) ->`)

// Forward forwards a port of a pod or Service, like service/shop and http, to this machine until ctx is done, and
// returns the local address.
func (b *Bed) Forward(ctx context.Context, namespace, target, port string) (string, error) {
	command := exec.CommandContext(ctx, "kubectl", "port-forward", "-n", namespace, "--address", "127.0.0.1", target,
		":"+port)
	out, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if match := forwarding.FindStringSubmatch(lines.Text()); match != nil {
			go func() {
				for lines.Scan() { // it prints a line per connection
				}
				_ = command.Wait() // it is killed when ctx is done
			}()
			return match[1], nil
		}
	}
	return "", fmt.Errorf("forwarding %s of %s: %w", port, target,
		errors.Join(errors.New("kubectl port-forward ended"), command.Wait()))
}
