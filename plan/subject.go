package plan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// maxOwners is for how many workloads commands are printed; the others get a note.
const maxOwners = 3

// subject is a finding with what its commands need picked out.
type subject struct {
	diagnose.Finding
	pull    evidence.Pull
	ref     reference
	node    evidence.NodeState
	nodes   []string
	owners  []owner
	more    int // owners beyond maxOwners
	secrets []*evidence.Secret
	account *evidence.ServiceAccount
	other   *evidence.Elsewhere
	// near are entries of pull secrets that miss the image and were meant for it; broken is the error of a whole lookup.
	near             []evidence.KeyringEntry
	broken, brokenBy string
	logins           []used
	// sights are what the node itself saw.
	sights sights
	// places are the lines of manifests that ask for planned images.
	places []evidence.Place
}

// owner is one workload and its pulls that fail.
type owner struct {
	ref       evidence.Ref
	namespace string
	workload  evidence.Workload
	pod       evidence.Pod
	pulls     []evidence.Pull
	// seen is what the registry serves instead of an image; picked is what the commands set it to.
	seen   map[string][]evidence.Alternative
	picked map[string]string
}

func newSubject(f diagnose.Finding) subject {
	s := subject{Finding: f, sights: sightsOf(f)}
	at := map[evidence.Ref]int{}
	for i, c := range f.Cases {
		if i == 0 {
			s.pull, s.ref = c.Pull, parse(c.Pull.Image)
		}
		for _, p := range c.Places {
			if !slices.Contains(s.places, p) {
				s.places = append(s.places, p)
			}
		}
		if n := c.Pull.Node; n != "" && !slices.Contains(s.nodes, n) {
			s.nodes = append(s.nodes, n)
		}
		key := c.Pull.Workload
		if key == (evidence.Ref{}) {
			key = evidence.Ref{Kind: "Pod", Namespace: c.Pull.Namespace, Name: c.Pull.Pod}
		}
		j, ok := at[key]
		if !ok {
			j, at[key] = len(s.owners), len(s.owners)
			s.owners = append(s.owners, owner{ref: key, namespace: c.Pull.Namespace})
		}
		s.owners[j].pulls = append(s.owners[j].pulls, c.Pull)
		s.facts(c, &s.owners[j])
	}
	if s.pull.Kind == evidence.Planned { // no node pulls yet: those that the verdict names are meant
		for _, fact := range f.Because {
			if n := fact.NodeState; n != nil && !slices.Contains(s.nodes, n.Name) {
				s.nodes = append(s.nodes, n.Name)
			}
		}
	}
	if n := len(s.owners); n > maxOwners {
		s.owners, s.more = s.owners[:maxOwners], n-maxOwners
	}
	return s
}

// facts keeps the first of each kind; secrets are kept by name, for they may differ between namespaces.
func (s *subject) facts(c *evidence.Case, o *owner) {
	for _, f := range c.Facts {
		switch {
		case f.Vantage == evidence.Node: // see sightsOf
		case f.Keyring != nil, f.Probe != nil:
			s.rings(f)
		case f.Alternatives != nil:
			o.see(c.Pull.Image, f.Alternatives.Items)
		case f.NodeState != nil && s.node.Name == "":
			s.node = *f.NodeState
		case f.Workload != nil && o.workload.Ref == (evidence.Ref{}):
			o.workload = *f.Workload
		case f.Pod != nil && o.pod.Created.IsZero() && o.pod.ServiceAccount == "":
			o.pod = *f.Pod
		case f.Account != nil && s.account == nil:
			s.account = f.Account
		case f.Elsewhere != nil && s.other == nil:
			s.other = f.Elsewhere
		case f.Secret != nil && s.secret(f.Secret.Namespace, f.Secret.Name) == nil:
			s.secrets = append(s.secrets, f.Secret)
		}
	}
}

func (s subject) secret(namespace, name string) *evidence.Secret {
	for _, x := range s.secrets {
		if x.Namespace == namespace && x.Name == name {
			return x
		}
	}
	return nil
}

// host is where the failing request went: a mirror, a token server or a storage host may differ from the registry.
func (s subject) host() string {
	for _, h := range []string{s.failing(), s.Reading.Registry, s.ref.host} {
		if h != "" && h != "docker.io" && h != "index.docker.io" {
			return h
		}
	}
	return "registry-1.docker.io"
}

// failing is the host that the node was seen to fail at, or else the message's own.
func (s subject) failing() string {
	if h := s.sights.host; h != nil && h.Role != evidence.RoleMirror {
		return h.Name
	}
	return s.Reading.Host
}

// certsHost is the registry's name as node configuration has it.
func (s subject) certsHost() string { return s.ref.host }

func (s subject) runtime() string {
	if s.node.Runtime != "" {
		return s.node.Runtime
	}
	return s.Reading.Runtime
}

func (s subject) nodeName() string {
	switch {
	case len(s.nodes) > 0:
		return s.nodes[0]
	case s.node.Name != "":
		return s.node.Name
	}
	return "the node"
}

// where names the nodes, for a title.
func (s subject) where() string {
	switch n := len(s.nodes); {
	case n == 0:
		return "the node"
	case n <= 3:
		return strings.Join(s.nodes, ", ")
	default:
		return strings.Join(s.nodes[:3], ", ") + " and the other failing nodes"
	}
}

var resolverText = regexp.MustCompile(`lookup \S+ on (\S+?):\d+`)

// resolver is the DNS server that the error names; empty where it names none.
func (s subject) resolver() string {
	texts := []string{s.Reading.Detail}
	for _, f := range s.Because {
		texts = append(texts, f.Text)
		if f.Message != nil {
			texts = append(texts, f.Message.Text)
		}
	}
	for _, t := range texts {
		if m := resolverText.FindStringSubmatch(t); m != nil {
			return strings.Trim(m[1], "[]")
		}
	}
	return ""
}
