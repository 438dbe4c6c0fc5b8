// Package backup has the command `backup`: it copies the embedded store out of the receiver's pod, and gives the file
// its name only when it is whole.
package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// shownEvery is how often the progress is drawn.
const shownEvery = 200 * time.Millisecond

// New returns the command.
func New(flags *reach.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "backup ENDPOINT FILE",
		Short: "Copy the embedded store of an endpoint's receiver into a new file",
		Long: "Copy the embedded store of an endpoint's receiver into a new file, while the receiver serves.\n" +
			"All endpoints of the fleet are in it. The file gets its name when it is whole; one that exists is never\n" +
			"overwritten. It needs the right to run a program in the pod, which the role owner has.",
		Example:           "  kubectl postback backup shop postback-2026-11-28.db",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reach.Explain(run(cmd, flags, args[0], args[1]))
		},
	}
}

func run(cmd *cobra.Command, flags *reach.Flags, argument, target string) error {
	if err := flags.Check(); err != nil {
		return err
	}
	if flags.Direct() {
		return exit.WithUsage(errors.New("with --server there is no pod: receiver backup --store sqlite:///PATH --to FILE"))
	}
	if _, err := os.Lstat(target); err == nil {
		return exit.WithUsage(fmt.Errorf("%s exists already, and is not overwritten", target))
	}
	cluster, err := flags.Cluster()
	if err != nil {
		return err
	}
	endpoint, err := flags.Name(argument)
	if err != nil {
		return err
	}
	declared, err := cluster.Endpoint(cmd.Context(), endpoint)
	if err != nil {
		return err
	}
	fleet, err := cluster.Fleet(cmd.Context(), reach.FleetOf(declared))
	if err != nil {
		return err
	}
	if fleet.Spec.Store.Postgres != nil {
		return fmt.Errorf("the store of the fleet %s is PostgreSQL: back it up with PostgreSQL's own tools", fleet.Name)
	}
	pod, err := cluster.OneReady(cmd.Context(), endpoint)
	if err != nil {
		return err
	}
	size, err := whole(target, func(out io.Writer) error {
		progress := &progress{Writer: out, cmd: cmd, shown: output.IsTerminal(cmd.ErrOrStderr())}
		defer progress.clear()
		return cluster.Exec(cmd.Context(), pod, resources.ContainerName,
			[]string{"/receiver", "backup", "--store", resources.EmbeddedStore, "--to", "-"}, progress)
	})
	if err != nil {
		return err
	}
	return output.Write(cmd, fmt.Sprintf("%s holds everything that was recorded, %.1f MiB of the pod %s; it is whole\n",
		target, float64(size)/(1<<20), pod.Name))
}

// whole writes a store into a temporary file beside the target, which gets its name when the store is whole.
func whole(target string, copied func(io.Writer) error) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name()) // It has its other name by now, or is not wanted.
	}()
	if err := copied(file); err != nil {
		return 0, err
	}
	if size, err = sizeOf(file); err != nil {
		return 0, err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return 0, err
	}
	// A link fails if the target has come to exist meanwhile, which a rename would overwrite.
	if err := os.Link(file.Name(), target); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, err
	} else if err != nil {
		return size, os.Rename(file.Name(), target)
	}
	return size, nil
}

// magic begins every SQLite file. Its first headerSize bytes have the size of a page, at 16, and the number of pages,
// at 28.
const (
	magic      = "SQLite format 3\x00"
	headerSize = 100
)

// sizeOf returns the size of a store, and an error if it is not as long as its header says.
func sizeOf(file *os.File) (int64, error) {
	header := make([]byte, headerSize)
	if _, err := file.ReadAt(header, 0); err != nil || string(header[:len(magic)]) != magic {
		return 0, errors.New("what the pod sent is no store: nothing is written, ask again")
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 { // 65536 does not fit.
		page = 1 << 16
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if want := page * int64(binary.BigEndian.Uint32(header[28:])); want != info.Size() {
		return 0, fmt.Errorf("the copy broke off: %d of %d bytes have come; nothing is written, ask again", info.Size(), want)
	}
	return info.Size(), nil
}

// progress counts what passes, on a terminal.
type progress struct {
	io.Writer
	cmd    *cobra.Command
	shown  bool
	copied int64
	drawn  time.Time
}

func (p *progress) Write(data []byte) (int, error) {
	n, err := p.Writer.Write(data)
	p.copied += int64(n)
	if p.shown && time.Since(p.drawn) > shownEvery {
		p.drawn = time.Now()
		_ = output.Notes(p.cmd, fmt.Sprintf("\r%.1f MiB", float64(p.copied)/(1<<20))) // It is only for looking at.
	}
	return n, err
}

func (p *progress) clear() {
	if p.copied > 0 && p.shown {
		_ = output.Notes(p.cmd, "\r\x1b[K")
	}
}
