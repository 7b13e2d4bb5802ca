package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/test/cluster"
)

// machine says what the figures were measured on.
func machine() string {
	model := field("/proc/cpuinfo", "model name")
	if model == "" {
		model = runtime.GOARCH
	}
	return fmt.Sprintf("%d cores (%s), %d GiB of memory, %s, the API server and its etcd on the same cores",
		runtime.NumCPU(), model, (memory("MemTotal")+1<<29)>>30, runtime.Version())
}

// available is how many bytes of memory programs can still have.
func available() int { return memory("MemAvailable") }

func memory(name string) int {
	kb, _ := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", name), " kB"))
	return kb << 10
}

// field is the first value of a name in a file of `name: value` lines, or empty.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is that of the last minute, of which the benchmark's own filling is a part.
func loadAverage() string {
	data, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

func serverVersion(ctx context.Context, lab *cluster.Lab) (string, error) {
	raw, err := lab.Client().Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("asking for the version: %w", err)
	}
	var info struct{ GitVersion string }
	err = json.Unmarshal(raw, &info)
	return info.GitVersion, err
}

func number(s string) float64 {
	n, _ := strconv.ParseFloat(s, 64)
	return n
}
