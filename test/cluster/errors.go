package cluster

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/refloat-dev/refloat/test/cluster/internal/upstream"
)

// ErrUnsupported is in every error that says the lab cannot run on this machine at all.
var ErrUnsupported = errors.New("the lab cannot run here")

// UserError is two lines for a person: what is wrong, and what to do.
type UserError struct {
	What, Do string
	Err      error
}

func (e *UserError) Error() string {
	what := e.What
	if e.Err != nil && !errors.Is(e.Err, ErrUnsupported) {
		what += ": " + e.Err.Error()
	}
	return what + "\n" + e.Do
}

func (e *UserError) Unwrap() error { return e.Err }

func unsupported(what, do string) error {
	return &UserError{What: "the lab cannot run here: " + what, Do: do, Err: ErrUnsupported}
}

func notUp(name string) error {
	return &UserError{What: fmt.Sprintf("no lab called %q is up", name), Do: "start it: test/cluster/lab up --name " + name}
}

func badName(name string) error {
	return &UserError{What: fmt.Sprintf("%q is no name for a lab", name), Do: "use 1 to 20 lower-case letters, digits and dashes"}
}

func noNode(node string, have []string) error {
	return &UserError{What: fmt.Sprintf("the lab has no node %q", node), Do: "it has: " + strings.Join(have, ", ")}
}

// Supported says whether a lab can run on this machine; the error is ErrUnsupported.
func Supported() error {
	if runtime.GOOS != "linux" {
		return unsupported("it needs Linux, this is "+runtime.GOOS, "run it on Linux as root, or replay a saved case")
	}
	if os.Geteuid() != 0 {
		return unsupported("it needs root, for network namespaces and loop devices", "run it as root, or replay a saved case")
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return unsupported("there is no /dev/loop-control", "load the kernel's loop module, or replay a saved case")
	}
	if _, err := os.Stat("/sys/fs/cgroup"); err != nil {
		return unsupported("there are no cgroups", "mount them at /sys/fs/cgroup, or replay a saved case")
	}
	return nil
}

func explainBuild(err error) error {
	var missing *upstream.MissingError
	if errors.As(err, &missing) {
		return unsupported("missing packages: "+strings.Join(missing.Packages, " "), "install them: apt-get install "+strings.Join(missing.Packages, " "))
	}
	return err
}
