package suite

import (
	"fmt"
	"net"
	"net/http"
	"testing"
)

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	noError(t, free.Close())
	return free.Addr().String()
}

func TestProbesAnswer(t *testing.T) {
	operator.stop()
	operator.options.ProbeAddress = freeAddress(t)
	operator.start()
	defer func() {
		operator.stop()
		operator.options.ProbeAddress = "0"
		operator.start()
	}()
	for _, path := range []string{"/livez", "/readyz"} {
		eventually(t, soon, func() error {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+operator.options.ProbeAddress+path,
				http.NoBody)
			noError(t, err)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			noError(t, response.Body.Close())
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answers %d", path, response.StatusCode)
			}
			return nil
		})
	}
}
