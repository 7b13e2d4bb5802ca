package host

import (
	"bufio"
	"bytes"
	"path/filepath"
	"strings"
)

// Sees reports whether what is not found at a path of the node is not there: whether a folder that it would be in is seen
// from here. In a pod only some of the node's folders are mounted.
func (h *Host) Sees(path string) bool {
	root := h.root()
	if root == "/" {
		return true
	}
	at, err := h.Path(path)
	if err != nil {
		return false
	}
	mounts, err := readBounded("/proc/self/mountinfo", 8<<20)
	if err != nil {
		return false
	}
	return sees(mounts, root, at)
}

// sees takes what mountinfo lists: with nothing mounted below the root the root is the node's whole tree.
func sees(mountinfo []byte, root, at string) bool {
	below := false
	for sc := bufio.NewScanner(bytes.NewReader(mountinfo)); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) < 5 {
			continue
		}
		point := filepath.Clean(fields[4])
		switch {
		case point == root || within(point, at) && within(root, point):
			return true
		case within(root, point):
			below = true
		}
	}
	return !below
}

// within reports whether path is dir or below it.
func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
