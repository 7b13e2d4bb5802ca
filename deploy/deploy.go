// Package deploy holds what is installed in a cluster, and reads from the
// agent's manifest what each of its privileges is for, so that the manifest
// alone says so.
//
// The package installs nothing: kubectl apply -k does.
package deploy

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

//go:embed agent/*.yaml
var files embed.FS

// Privilege is one thing that the agent's pod may do or see on its node.
type Privilege struct {
	// Name is hostNetwork, hostPID, a capability such as SYS_PTRACE, or a mount by its volume's name.
	Name string
	// Checks are those that report a gap without it, by their names in package node.
	Checks []string
	drop   func(*corev1.PodSpec)
}

// Drop takes it away from a pod made from the agent's.
func (p Privilege) Drop(spec *corev1.PodSpec) { p.drop(spec) }

// DaemonSet is the agent's.
func DaemonSet() (*appsv1.DaemonSet, error) {
	data, err := files.ReadFile("agent/daemonset.yaml")
	if err != nil {
		return nil, err
	}
	ds := &appsv1.DaemonSet{}
	if err := yaml.UnmarshalStrict(data, ds); err != nil {
		return nil, fmt.Errorf("reading the agent's DaemonSet: %w", err)
	}
	return ds, nil
}

// Privileges lists those of the agent's pod, and fails where the manifest does not say what one is for.
func Privileges() ([]Privilege, error) {
	ds, err := DaemonSet()
	if err != nil {
		return nil, err
	}
	all := privileges(&ds.Spec.Template.Spec)
	checks, err := comments()
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		if all[i].Checks = checks[p.Name]; len(all[i].Checks) == 0 {
			return nil, fmt.Errorf("agent/daemonset.yaml does not say which checks need %s", p.Name)
		}
		delete(checks, p.Name)
	}
	for name := range checks {
		return nil, fmt.Errorf("agent/daemonset.yaml says which checks need %s, which the agent does not have", name)
	}
	return all, nil
}

func privileges(spec *corev1.PodSpec) []Privilege {
	var all []Privilege
	if spec.HostNetwork {
		all = append(all, Privilege{Name: "hostNetwork", drop: func(s *corev1.PodSpec) { s.HostNetwork = false }})
	}
	if spec.HostPID {
		all = append(all, Privilege{Name: "hostPID", drop: func(s *corev1.PodSpec) { s.HostPID = false }})
	}
	c := spec.Containers[0]
	for _, cap := range c.SecurityContext.Capabilities.Add {
		all = append(all, Privilege{Name: string(cap), drop: func(s *corev1.PodSpec) {
			caps := s.Containers[0].SecurityContext.Capabilities
			caps.Add = slices.DeleteFunc(caps.Add, func(have corev1.Capability) bool { return have == cap })
		}})
	}
	for _, m := range c.VolumeMounts {
		all = append(all, Privilege{Name: m.Name, drop: func(s *corev1.PodSpec) {
			mounts := &s.Containers[0].VolumeMounts
			*mounts = slices.DeleteFunc(*mounts, func(have corev1.VolumeMount) bool { return have.Name == m.Name })
		}})
	}
	return all
}

// named is a line that gives a privilege, with what it is for.
var named = regexp.MustCompile(`^\s*(?:- \{name: |- )?([A-Za-z_-]+).*# checks: ([a-z, ]+)$`)

// comments are the checks that the manifest names, by privilege.
func comments() (map[string][]string, error) {
	data, err := files.ReadFile("agent/daemonset.yaml")
	if err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if m := named.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			found[m[1]] = strings.Split(m[2], ", ")
		}
	}
	return found, nil
}
