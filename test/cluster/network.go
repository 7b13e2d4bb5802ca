package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// batch runs ip commands in one process, in the network namespace of pid where that is not 0.
func batch(ctx context.Context, pid int, lines ...string) error {
	args := []string{"ip", "-batch", "-"}
	if pid != 0 {
		args = append([]string{"nsenter", "-t", strconv.Itoa(pid), "-n", "--"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("setting up the lab's network: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// bridgeUp makes the bridge with every address that the lab answers on.
func (l *Lab) bridgeUp(ctx context.Context) error {
	br := l.state.bridge()
	lines := []string{"link add " + br + " type bridge", "link set " + br + " up"}
	for _, a := range bridgeAddresses(l.state.plan()) {
		lines = append(lines, "addr add "+a.String()+" dev "+br)
	}
	return batch(ctx, 0, lines...)
}

// cable gives the node whose first process is pid its eth0, its routes, and the host a route to its pods.
func (l *Lab) cable(ctx context.Context, i, pid int) error {
	br, veth, n := l.state.bridge(), l.state.veth(i), l.state.Nodes[i-1]
	err := batch(ctx, 0,
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", veth, pid),
		fmt.Sprintf("link set %s master %s up", veth, br),
		fmt.Sprintf("route add %s via %s dev %s", n.Pods, n.IP, br),
	)
	if err != nil {
		return err
	}
	lines := []string{"link set lo up", "addr add " + n.IP + "/24 dev eth0", "link set eth0 up",
		"route add default via " + l.state.plan().api().String()}
	for _, o := range l.state.Nodes {
		if o.Name != n.Name {
			lines = append(lines, "route add "+o.Pods+" via "+o.IP)
		}
	}
	return batch(ctx, pid, lines...)
}

// bridgeDown removes what bridgeUp and cable left in the host's namespace; routes go with the bridge.
func (l *Lab) bridgeDown(ctx context.Context) error {
	links := []string{l.state.bridge()}
	for i := range l.state.Nodes {
		links = append(links, l.state.veth(i+1))
	}
	for _, link := range links {
		if exec.CommandContext(ctx, "ip", "link", "show", "dev", link).Run() != nil {
			continue
		}
		// A veth may go by itself meanwhile, with its node's namespace.
		if err := batch(ctx, 0, "link del "+link); err != nil && exec.CommandContext(ctx, "ip", "link", "show", "dev", link).Run() == nil {
			return err
		}
	}
	return nil
}
