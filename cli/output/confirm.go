package output

import (
	"bufio"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
)

// CanConfirm returns an error if there is no terminal to ask at. A command that asks has the flag --yes, which is then
// needed.
func CanConfirm(cmd *cobra.Command) error {
	if !IsTerminal(cmd.InOrStdin()) {
		return exit.WithUsage(errors.New("there is no terminal to ask at: add --yes to write"))
	}
	return nil
}

// Confirm asks a question on stderr, and returns an error unless the answer is yes.
func Confirm(cmd *cobra.Command, question string) error {
	if err := CanConfirm(cmd); err != nil {
		return err
	}
	if err := Notes(cmd, question+" [y/N] "); err != nil {
		return err
	}
	answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was written")
	}
	return nil
}
