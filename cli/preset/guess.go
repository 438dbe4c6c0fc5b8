package preset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

func newGuess(g *group) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "guess URL",
		Short:   "Recognise whose macros a URL has; exit code 3 if nobody's",
		Example: "  kubectl postback preset guess 'https://tracker.example/pb?cid={sub1}&sum={sum}&st={status}'",
		Args:    exit.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.catalog()
			if err != nil {
				return err
			}
			guesses := c.Guess(args[0])
			if err := printGuesses(cmd, format, guesses); err != nil {
				return err
			}
			if len(guesses) == 0 {
				return exit.WithNotAsExpected(errors.New("nothing in it is known: no macro, bracket or host of an entry"))
			}
			return nil
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}

func printGuesses(cmd *cobra.Command, format output.Format, guesses []presets.Guess) error {
	switch format {
	case output.JSON, output.YAML:
		if guesses == nil {
			guesses = []presets.Guess{}
		}
		return output.Data(cmd.OutOrStdout(), format, guesses)
	case output.Name:
		var ids []string
		for _, guess := range guesses {
			ids = append(ids, guess.ID)
		}
		return output.Write(cmd, output.Lines(ids))
	}
	var rows [][]string
	for _, guess := range guesses {
		var because []string
		if guess.Host != "" {
			because = append(because, "host "+guess.Host)
		}
		if guess.Brackets != "" {
			because = append(because, "brackets "+guess.Brackets)
		}
		if len(guess.Macros) > 0 {
			because = append(because, strings.Join(guess.Macros, " "))
		}
		rows = append(rows, []string{guess.ID, string(guess.Kind), fmt.Sprint(guess.Score), strings.Join(because, ", ")})
	}
	return output.Write(cmd, output.Table([]string{"PRESET", "KIND", "SCORE", "BECAUSE OF"}, rows))
}
