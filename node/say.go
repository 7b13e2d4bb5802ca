package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// sayHost is one host and where the way to it ends.
func sayHost(node string, h *evidence.Host) string {
	what := fmt.Sprintf("%s (%s)", h.Name, h.Role)
	if h.Via != "" && h.Role == evidence.RoleStorage {
		what = fmt.Sprintf("%s (storage that %s sends pulls to)", h.Name, h.Via)
	}
	switch h.Fails {
	case "":
		return reached(node, what, h)
	case evidence.HopName:
		return fmt.Sprintf("%s cannot resolve %s: %s", node, what, sayNames(h))
	case evidence.HopConnect:
		if h.Failure == evidence.FailedUnsafe {
			return fmt.Sprintf("%s was not asked by this program: %s", what, cmp.Or(h.Text, sayAddresses(h)))
		}
		return fmt.Sprintf("%s cannot connect to %s: %s", node, what, sayAddresses(h))
	case evidence.HopTLS:
		return fmt.Sprintf("%s reaches %s and does not accept its certificate or handshake: %s", node, what, sayTLS(h))
	case evidence.HopProxy:
		return fmt.Sprintf("%s does not get to %s through the proxy %s: %s", node, what, h.Proxy, cmp.Or(h.Text, string(h.Failure)))
	}
	return fmt.Sprintf("%s reaches %s, which does not answer as it should: %s", node, what, cmp.Or(h.Text, string(h.Failure)))
}

func reached(node, what string, h *evidence.Host) string {
	text := fmt.Sprintf("%s reaches %s", node, what)
	if h.Proxy != "" {
		text += " through the proxy " + h.Proxy
	}
	if h.Lies != "" {
		text += ", which serves something else than the registry: " + h.Lies
	}
	if h.Costs > 0 {
		text += fmt.Sprintf(", which would cost a pull %s", time.Duration(h.Costs)*time.Millisecond)
	}
	if h.TLS != nil && h.TLS.Skew != 0 {
		text += fmt.Sprintf("; the node's clock differs from its by %s", time.Duration(h.TLS.Skew)*time.Second)
	}
	return text
}

// sayNames is what each source of names says.
func sayNames(h *evidence.Host) string {
	var said []string
	for _, r := range h.Names {
		if r.By == "node" {
			continue
		}
		switch r.Result {
		case evidence.Answered:
			said = append(said, r.By+" has "+strings.Join(r.Addresses, ", "))
		case evidence.DNSTimeout:
			said = append(said, r.By+" does not answer")
		case evidence.NXDomain:
			said = append(said, r.By+" says that there is no such name")
		default:
			said = append(said, fmt.Sprintf("%s answers %s", r.By, strings.ToUpper(string(r.Result))))
		}
	}
	return cmp.Or(strings.Join(said, "; "), h.Text, "nothing has the name")
}

func sayAddresses(h *evidence.Host) string {
	var said []string
	for _, a := range h.Addresses {
		said = append(said, a.Address+": "+cmp.Or(string(a.Failure), "connects"))
	}
	return cmp.Or(strings.Join(said, "; "), h.Text, string(h.Failure))
}

func sayTLS(h *evidence.Host) string {
	t := h.TLS
	if t == nil {
		return cmp.Or(h.Text, string(h.Failure))
	}
	text := cmp.Or(t.Text, h.Text, string(h.Failure))
	if t.MissingCA != "" {
		text += fmt.Sprintf("; nothing on the node vouches for the issuer %q", t.MissingCA)
	}
	if t.Skew != 0 {
		text += fmt.Sprintf("; the node's clock differs from the server's by %s", time.Duration(t.Skew)*time.Second)
	}
	return text
}

// sayConfig is how the runtime is configured for the registry.
func sayConfig(c *evidence.RegistryConfig) string {
	text := fmt.Sprintf("%s is configured by %s", c.Runtime, cmp.Or(c.File, "its defaults"))
	var mirrors []string
	for _, h := range c.Hosts {
		if h.Role == evidence.RoleMirror && !slices.Contains(mirrors, h.URL) { // one that is listed twice is asked twice
			mirrors = append(mirrors, h.URL)
		}
	}
	switch {
	case len(mirrors) > 0:
		first := " alone"
		if slices.ContainsFunc(c.Hosts, func(h evidence.ConfiguredHost) bool { return h.Role == evidence.RoleRegistry }) {
			first = " first"
		}
		text += fmt.Sprintf("; for %s it asks %s%s (%s)", c.Registry, strings.Join(mirrors, ", "), first, cmp.Or(c.HostsFile, c.File))
	case c.HostsFile != "":
		text += fmt.Sprintf("; %s is configured by %s", c.Registry, c.HostsFile)
	case c.Registry != "":
		text += "; nothing is set for " + c.Registry
	}
	if len(c.Problems) > 0 {
		p := c.Problems[0]
		at := p.File
		if p.Line > 0 {
			at = fmt.Sprintf("%s, line %d", p.File, p.Line)
		}
		text = fmt.Sprintf("%s: %s", at, p.Text)
		if p.Effect == evidence.EffectBypassed {
			text += "; " + cmp.Or(c.Runtime, "the runtime") + " at most logs this, and pulls as if the file were not there"
		}
	}
	return text
}

// sayRuntime is how the runtime is.
func sayRuntime(r *evidence.Runtime) string {
	name := strings.TrimSpace(cmp.Or(r.Name, "the runtime") + " " + r.Version)
	switch {
	case r.Answers == evidence.No && r.Process == evidence.No:
		return name + " does not run: " + cmp.Or(r.Text, "its process is not there")
	case r.Answers == evidence.No && r.Process == evidence.Yes:
		return name + " runs and does not answer at " + r.Socket + ": " + r.Text
	case r.Answers == evidence.No:
		return name + " does not answer at " + r.Socket + ": " + r.Text
	case r.Images == evidence.No:
		return name + " answers, but its image service does not: " + r.Text
	case len(r.Plugins) > 0:
		return fmt.Sprintf("%s answers; %d of its plugins failed to load: %s", name, len(r.Plugins), r.Plugins[0])
	case len(r.Conditions) > 0:
		return name + " answers, and says " + strings.Join(r.Conditions, ", ")
	case r.Answers == evidence.Yes:
		return name + " answers at " + r.Socket
	}
	return name + ": " + cmp.Or(r.Text, "nothing could be seen of it")
}

// sayProvider is how a run of a credential provider ended, never what it returned.
func sayProvider(p *evidence.Provider) string {
	name := "the credential provider " + p.Name
	switch p.Result {
	case evidence.ProviderNone:
		return cmp.Or(p.Text, "the kubelet has no credential providers")
	case evidence.ProviderBadConfig:
		return fmt.Sprintf("the kubelet would not start with %s as it is now: %s", p.Config, p.Text)
	case evidence.ProviderNotAsked:
		return name + " is not asked: " + cmp.Or(p.Why, "its matchImages do not have this image")
	case evidence.ProviderAnswered:
		return name + " hands out credentials for " + strings.Join(p.Keys, ", ")
	case evidence.ProviderEmpty:
		return name + " runs and hands out nothing for this image: " + cmp.Or(p.Why, "its answer is empty")
	case evidence.ProviderMissing:
		return name + " is configured and its program is not there: " + p.Path
	case evidence.ProviderForbidden:
		return name + " may not be executed: " + p.Path
	case evidence.ProviderTimeout:
		return name + " does not answer: " + p.Text
	case evidence.ProviderNeedsToken:
		return name + " wants a service account's token, which this agent has not: it was not run"
	}
	return fmt.Sprintf("%s fails (%s): %s", name, p.Result, p.Text)
}

// sayFiles is what the node's own docker config has for the image.
func sayFiles(k *evidence.Keyring) string {
	for _, e := range k.Entries {
		if e.Matches {
			return fmt.Sprintf("%s has an entry for %s: %q", e.Secret, k.Repository, e.Key)
		}
	}
	return "the node's own docker config has no entry for " + k.Repository
}
