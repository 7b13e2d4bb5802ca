//go:build linux

// Command measure runs a program with its output thrown away, and prints what it took as JSON.
//
// It stands between test/bench and what is measured because Linux counts the memory of the process that started a program
// into the program's peak: this one has a few MiB, the benchmark itself has many.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: measure PROGRAM [ARGUMENT...]")
		os.Exit(2)
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"wall": wall, "cpu": cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		"peak": usage.Maxrss << 10, "exit": cmd.ProcessState.ExitCode(),
	})
}
