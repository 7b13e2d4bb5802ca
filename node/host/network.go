package host

import (
	"fmt"
	"os"
	"path/filepath"
)

// Networked reports whether this program is on the node's own network, as a pod with hostNetwork is: from another the node's way to
// a registry is not seen. In a pod it takes the node's processes in view and CAP_SYS_PTRACE.
func (h *Host) Networked() (bool, error) {
	node, err := os.Stat(filepath.Join(h.proc(), "1", "ns", "net"))
	if err != nil {
		return false, fmt.Errorf("looking at the node's network: %w", err)
	}
	own, err := os.Stat(filepath.Join(h.proc(), "self", "ns", "net"))
	if err != nil {
		return false, fmt.Errorf("looking at the network of this program: %w", err)
	}
	return os.SameFile(node, own), nil
}
