package upstream

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// tool is a program that the lab calls and the Debian package that brings it.
type tool struct{ program, pkg string }

var tools = []tool{
	{"ip", "iproute2"}, {"mkfs.ext4", "e2fsprogs"}, {"mount", "mount"}, {"nsenter", "util-linux"}, {"losetup", "mount"},
}

// MissingError says which Debian packages the lab needs and could not install.
type MissingError struct{ Packages []string }

func (e *MissingError) Error() string {
	return "missing packages: " + strings.Join(e.Packages, " ")
}

// packages installs what building the lab needs and this machine lacks.
func packages(ctx context.Context, progress io.Writer) error {
	missing := MissingTools()
	for _, t := range []tool{{"gcc", "gcc"}, {"pkg-config", "pkg-config"}} {
		if _, err := exec.LookPath(t.program); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	// Without pkg-config the answer is no as well, which is right: the headers are then worth nothing.
	if exec.CommandContext(ctx, "pkg-config", "--exists", "libseccomp").Run() != nil {
		missing = append(missing, "libseccomp-dev")
	}
	return Install(ctx, missing, progress)
}

// MissingTools lists the packages of the programs that running a lab needs and that are not in PATH.
func MissingTools() []string {
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.program); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	return missing
}

// Install brings Debian packages through apt-get where this process may, and otherwise names them in a MissingError.
func Install(ctx context.Context, pkgs []string, progress io.Writer) error {
	if len(pkgs) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return &MissingError{Packages: pkgs}
	}
	return shown(progress, "lab: installing "+strings.Join(pkgs, " "), func() error {
		args := append([]string{"install", "-y", "--no-install-recommends"}, pkgs...)
		if apt(ctx, args...) == nil {
			return nil
		}
		// The package lists of a fresh machine may be empty or old.
		if err := apt(ctx, "update"); err != nil {
			return err
		}
		return apt(ctx, args...)
	})
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, tail(out, 500))
	}
	return nil
}
