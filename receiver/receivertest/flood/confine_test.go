package flood

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memoryLimit is what the operator gives a receiver unless podTemplate says otherwise.
const memoryLimit = 256 << 20

// confined returns a program that is the receiver in a container of 256 MiB: a cgroup of its own where the test may
// make one, which kills the process that takes more. Elsewhere the receiver receives what it would read from its
// cgroup.
func confined(t *testing.T, program string) string {
	t.Helper()
	for _, hierarchy := range []struct{ root, controller, limit string }{
		{"/sys/fs/cgroup", "", "memory.max"},
		{"/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes"},
	} {
		parent, ok := ownCgroup(hierarchy.controller)
		if !ok {
			continue
		}
		dir := filepath.Join(hierarchy.root, parent,
			fmt.Sprint("flood-", os.Getpid(), "-", strings.ReplaceAll(t.Name(), "/", "-")))
		if os.Mkdir(dir, 0o700) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(dir) }) // Fails only if the process outlives the test.
		if !setLimit(filepath.Join(dir, hierarchy.limit)) {
			continue // No cgroup, or its parent does not hand the controller on.
		}
		t.Logf("the receiver runs in the cgroup %s", dir)
		return script(t, program, "echo $$ > "+filepath.Join(dir, "cgroup.procs"))
	}
	t.Log("no cgroup can be made here: the receiver receives its limit by GOMEMLIMIT")
	return script(t, program, fmt.Sprint("export GOMEMLIMIT=", memoryLimit/10*9))
}

// setLimit writes the limit to a file of a cgroup, which is there if the folder is one.
func setLimit(path string) bool {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	_, err = file.WriteString(strconv.Itoa(memoryLimit))
	return errors.Join(err, file.Close()) == nil
}

// ownCgroup returns the path of the test's own cgroup within the hierarchy of a controller, "" = version 2.
func ownCgroup(controller string) (path string, ok bool) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == controller {
			return fields[2], true
		}
	}
	return "", false
}

// script returns a program that does something before it becomes the given one.
func script(t *testing.T, program, first string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receiver.sh")
	text := "#!/bin/sh\nset -e\n" + first + "\nexec " + program + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
