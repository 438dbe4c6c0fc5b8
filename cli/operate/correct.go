package operate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

// one are the flags of commands that change one conversion.
type one struct {
	who
	subid, tid string
	format     output.Format
	what       read.Correction
}

func (o *one) flags(cmd *cobra.Command) {
	o.who.flags(cmd)
	set := cmd.Flags()
	set.StringVar(&o.subid, "subid", "", "in place of CONVERSION: that of this click")
	set.StringVar(&o.tid, "tid", "", "with --subid: that of this transaction id")
	set.StringVar(&o.what.Type, "type", "", "the conversion type")
	set.StringVar(&o.what.Payout, "payout", "", "the amount")
	set.StringVar(&o.what.Currency, "currency", "", "of the payout; without it the endpoint's")
	set.StringVar(&o.what.Forwards, "forwards", "", "send|skip: whether S2S postbacks are sent; without it they are")
	output.Flag(cmd, &o.format, output.JSON, output.YAML, output.Name)
}

// find returns the conversion that is meant.
func (o *one) find(ctx context.Context, w *work, args []string) (found read.Conversion, err error) {
	if len(args) > 1 {
		page, err := w.receiver.History(ctx, args[1])
		if err != nil {
			return found, err
		}
		if found = page.Items[len(page.Items)-1]; found.Endpoint != w.endpoint {
			return found, fmt.Errorf("the conversion is one of %s, not of %s", found.Endpoint, w.endpoint)
		}
		return found, nil
	}
	parameters := url.Values{"endpoint": {w.endpoint}, "subid": {o.subid}, "limit": {"2"}}
	if w.cmd.Flags().Changed("tid") {
		parameters.Set("tid", o.tid)
	}
	page, err := w.receiver.Conversions(ctx, parameters)
	switch {
	case err != nil:
		return found, err
	case len(page.Items) == 0:
		return found, fmt.Errorf("the click %s has no conversion that matches: kubectl postback clicks %s --subid %s",
			o.subid, w.endpoint, o.subid)
	case len(page.Items) > 1:
		return found, exit.WithUsage(fmt.Errorf("the click %s has several conversions: add --tid ('' for none), or name one "+
			"by its id: kubectl postback log %s --conversions --subid %s -o wide", o.subid, w.endpoint, o.subid))
	}
	return page.Items[0], nil
}

// run finds the conversion, says what would become of it, asks, and changes it.
func (o *one) run(env Env, cmd *cobra.Command, args []string, says func(read.Conversion) string,
	do func(ctx context.Context, w *work, c read.Conversion) (read.Conversion, error)) error {
	if (len(args) > 1) == (o.subid != "") {
		return exit.WithUsage(errors.New("say which: the id of a conversion, or --subid"))
	}
	if err := o.check(env, cmd); err != nil {
		return err
	}
	o.what.Note = o.note
	return env.open(cmd, args[0], o.actor, o.format, func(ctx context.Context, w *work) error {
		found, err := o.find(ctx, w, args)
		if err != nil {
			return err
		}
		if !o.yes || o.dryRun {
			if err := output.Notes(cmd, output.Printable(says(found))+"\n"); err != nil {
				return err
			}
		}
		if o.dryRun {
			return output.Notes(cmd, "nothing is changed\n")
		}
		if !o.yes {
			if err := output.Confirm(cmd, "Change it?"); err != nil {
				return err
			}
		}
		changed, err := do(ctx, w, found)
		if err != nil {
			return err
		}
		return w.changed(changed)
	})
}

// changed prints a conversion as it is now.
func (w *work) changed(c read.Conversion) error {
	switch w.format {
	case output.JSON, output.YAML:
		return output.Document(w.cmd.OutOrStdout(), w.format, c)
	case output.Name:
		return output.Write(w.cmd, c.ID+"\n")
	}
	return output.Write(w.cmd, output.Printable(fmt.Sprintf("%s is %s, version %d", c.ID, worth(c), c.Version))+"\n")
}

func worth(c read.Conversion) string {
	return valued(&c.Type, c.Payout, &c.Currency)
}

func newCorrect(env Env) *cobra.Command {
	var o one
	var noPin bool
	cmd := &cobra.Command{
		Use:   "correct ENDPOINT (CONVERSION | --subid SUBID)",
		Short: "Change one conversion by hand: its type, its payout",
		Long: "Change one conversion by hand. It makes a new version and is pinned: later postbacks for it are ignored, " +
			"unless\n--no-pin is given; --unpin lets them change it again. Nothing is deleted: what should not count is " +
			"rejected or\ntrash.",
		Example: "  kubectl postback correct shop CONVERSION --type rejected --note 'fraud, ticket 114'\n" +
			"  kubectl postback correct shop --subid c1 --payout 12 --note 'their mail of today'",
		Args:              exit.Args(cobra.RangeArgs(1, 2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if noPin && o.what.Unpin {
				return exit.WithUsage(errors.New("say either --no-pin or --unpin"))
			}
			if noPin {
				o.what.Pin = new(bool)
			}
			if o.what.Type == "" && o.what.Payout == "" && !o.what.Unpin {
				return exit.WithUsage(errors.New("say what to change: --type, --payout or --unpin"))
			}
			return o.run(env, cmd, args, o.corrected, func(ctx context.Context, w *work, c read.Conversion) (
				read.Conversion, error,
			) {
				changed, err := w.receiver.Correct(ctx, w.who, c.ID, c.Version, o.what)
				return changed, overtaken(err)
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&noPin, "no-pin", false, "leave it open to later postbacks")
	cmd.Flags().BoolVar(&o.what.Unpin, "unpin", false, "let postbacks change it again")
	return cmd
}

// corrected says what a correction makes of a conversion.
func (o *one) corrected(c read.Conversion) string {
	after := c
	if o.what.Type != "" {
		after.Type = o.what.Type
	}
	text := c.ID + ": " + worth(c) + " → "
	if o.what.Payout != "" {
		after.Payout, after.Currency = &o.what.Payout, o.what.Currency
		return text + valued(&after.Type, after.Payout, &o.what.Currency)
	}
	return text + worth(after)
}

// overtaken says what a refusal of a version means.
func overtaken(err error) error {
	var failure *client.Failure
	if errors.As(err, &failure) && failure.Status == http.StatusPreconditionFailed {
		return errors.New("somebody or a postback has just changed the conversion: nothing is changed, look at it again")
	}
	return err
}

func newAdjust(env Env) *cobra.Command {
	var o one
	var key string
	cmd := &cobra.Command{
		Use:   "adjust ENDPOINT (CONVERSION | --subid SUBID) --payout AMOUNT",
		Short: "Add to what a conversion brought, or take from it, as a conversion of its own",
		Long: "Record an amount with its sign as a further conversion of the same click, of the same type unless --type is " +
			"given.\nThe conversion itself stays as it is.",
		Example:           "  kubectl postback adjust shop --subid c1 --payout -3 --note 'chargeback fee'",
		Args:              exit.Args(cobra.RangeArgs(1, 2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.what.Payout == "" {
				return exit.WithUsage(errors.New("--payout is missing: the amount to add, such as -3"))
			}
			says := func(c read.Conversion) string {
				return fmt.Sprintf("%s: %s stays, and %s %s is added", c.ID, worth(c), o.what.Payout, o.what.Currency)
			}
			return o.run(env, cmd, args, says, func(ctx context.Context, w *work, c read.Conversion) (read.Conversion, error) {
				w.who.Key = key
				return w.receiver.Adjust(ctx, w.who, c.ID, o.what)
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "names the request: sent again with the same one it adds nothing more")
	return cmd
}
