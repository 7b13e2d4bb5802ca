package rules

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const agent = "../../cmd/refloat-agent"

// TestAgentDependencies holds the modules that end up in the agent to a list, so that a new one is seen in review.
func TestAgentDependencies(t *testing.T) {
	t.Parallel()
	modules := strings.Fields(run(t, nil, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", agent))
	slices.Sort(modules)
	modules = slices.Compact(modules)
	for _, path := range modules {
		if strings.Contains(path, "controller-runtime") || path == "k8s.io/kubernetes" || strings.HasPrefix(path, "github.com/spf13/") && path != "github.com/spf13/pflag" {
			t.Errorf("the agent depends on %s", path)
		}
	}
	golden(t, "testdata/agent-modules.golden", strings.Join(modules, "\n")+"\n")
	for _, path := range strings.Fields(run(t, nil, "go", "list", "-deps", agent)) {
		if path == "k8s.io/client-go/kubernetes" || path == "k8s.io/client-go/tools/cache" {
			t.Errorf("the agent depends on %s, and its memory with it", path)
		}
	}
}

// TestAgentSize is TestPluginSize for the agent: each node has it.
func TestAgentSize(t *testing.T) {
	t.Parallel()
	size(t, agent, "testdata/agent-size.golden", "-tags=grpcnotrace")
}

// TestAgentBuildsElsewhere compiles the agent for the other architecture that nodes have.
func TestAgentBuildsElsewhere(t *testing.T) {
	t.Parallel()
	run(t, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64"}, "go", "build", "-trimpath", "-o", os.DevNull, agent)
}
