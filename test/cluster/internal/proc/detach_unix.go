//go:build unix

package proc

import (
	"os/exec"
	"syscall"
)

// detach keeps the terminal's Ctrl-C from reaching the lab's processes: up cleans up in its own order.
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
}
