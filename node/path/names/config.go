package names

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

const (
	hostsFile  = "/etc/hosts"
	resolvFile = "/etc/resolv.conf"
	// behindFile has the resolvers that systemd-resolved asks for the one at stub.
	behindFile = "/run/systemd/resolve/resolv.conf"
	stub       = "127.0.0.53:53"

	maxServers = 3  // as Go and glibc
	maxSearch  = 32 // Go has no bound
	maxLine    = 64 << 10
	maxHosts   = 16 // addresses of one name in /etc/hosts
)

// Config is what decides how a node resolves names.
type Config struct {
	// Servers are the resolvers with their ports, in their order.
	Servers []string
	// Behind are those that a local resolver asks in turn; they are asked for comparison.
	Behind []string
	// Search are the search domains, each with a trailing dot; names of at least NDots dots are asked as they are first.
	Search []string
	NDots  int
	// Timeout is in seconds and Attempts how often each server is asked.
	Timeout, Attempts int
	TCP               bool

	hosts map[string][]netip.Addr
}

// Read reads a node's configuration. Where resolv.conf leads to what is not seen from here, as a link into /run does, the files as the
// runtime sees them are taken; that is nil where its process is not seen. Where they cannot be read either it is this program's own: in a
// pod on the node's network it is the kubelet's, and a gap says so. What else cannot be read is a gap too.
func Read(h, runtime *host.Host) (*Config, []evidence.Gap) {
	var gaps []evidence.Gap
	c := &Config{}
	data, err := h.ReadFile(resolvFile)
	if err != nil && runtime != nil && linked(h) {
		if theirs, wrong := runtime.ReadFile(resolvFile); wrong == nil {
			data, err = theirs, nil
		}
	}
	switch {
	case err == nil:
		c = parseResolv(data)
	case errors.Is(err, fs.ErrNotExist) && !linked(h):
		c = parseResolv(nil)
	default:
		own, _ := new(host.Host).ReadFile(resolvFile)
		c = parseResolv(own)
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "the node's resolv.conf", Why: err.Error() + "; the agent's own is used",
			How: "let the agent see what /etc/resolv.conf links to, such as /run/systemd/resolve"})
	}
	if len(c.Search) == 0 && err == nil {
		c.Search = ownDomain(h)
	}
	if slices.Contains(c.Servers, stub) {
		data, err := h.ReadFile(behindFile)
		if err != nil && runtime != nil {
			data, err = runtime.ReadFile(behindFile)
		}
		if err == nil {
			c.Behind = slices.DeleteFunc(parseResolv(data).Servers, func(s string) bool { return slices.Contains(c.Servers, s) })
		}
	}
	data, err = h.ReadFile(hostsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "the node's " + hostsFile, Why: err.Error()})
	}
	c.hosts = parseHosts(data)
	return c, gaps
}

// linked reports whether resolv.conf is there and leads nowhere, as a link out of what is mounted does.
func linked(h *host.Host) bool {
	entries, err := h.ReadDir("/etc")
	return err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "resolv.conf" })
}

// ownDomain is where Go searches without a search line: the domain of the node's own name.
func ownDomain(h *host.Host) []string {
	data, err := h.ReadFile("/etc/hostname")
	if err != nil {
		return nil
	}
	_, domain, ok := strings.Cut(strings.TrimSpace(string(data)), ".")
	if !ok || domain == "" || strings.ContainsAny(domain, " \t\n") {
		return nil
	}
	return []string{rooted(domain)}
}

// parseResolv reads a resolv.conf as Go does (net/dnsconfig_unix.go:18).
func parseResolv(data []byte) *Config {
	c := &Config{NDots: 1, Timeout: 5, Attempts: 2}
	for line := range lines(data) {
		if line[0] == ';' || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if len(f) > 1 && len(c.Servers) < maxServers {
				if a, err := netip.ParseAddr(f[1]); err == nil {
					c.Servers = append(c.Servers, net.JoinHostPort(a.String(), "53"))
				}
			}
		case "domain":
			if len(f) > 1 {
				c.Search = []string{rooted(f[1])}
			}
		case "search":
			c.Search = nil
			for _, d := range f[1:min(len(f), maxSearch+1)] {
				if d = rooted(d); d != "." {
					c.Search = append(c.Search, d)
				}
			}
		case "options":
			c.options(f[1:])
		}
	}
	if len(c.Servers) == 0 {
		c.Servers = []string{"127.0.0.1:53", "[::1]:53"}
	}
	return c
}

func (c *Config) options(options []string) {
	for _, o := range options {
		name, value, _ := strings.Cut(o, ":")
		n := leading(value)
		switch name {
		case "ndots":
			c.NDots = min(n, 15)
		case "timeout":
			c.Timeout = max(n, 1)
		case "attempts":
			c.Attempts = max(n, 1)
		case "use-vc", "usevc", "tcp":
			c.TCP = true
		}
	}
}

// leading is the number that a text begins with; 0 where it begins with none.
func leading(s string) int {
	end := 0
	for end < len(s) && end < 6 && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(s[:end]) // nothing but digits, or nothing at all
	return n
}

func rooted(name string) string {
	if strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}

// parseHosts reads a hosts file as Go does (net/hosts.go): an address and its names, whatever their case.
func parseHosts(data []byte) map[string][]netip.Addr {
	hosts := map[string][]netip.Addr{}
	for line := range lines(data) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		if err != nil {
			continue
		}
		for _, name := range f[1:] {
			key := hostKey(name)
			if len(hosts[key]) < maxHosts && !slices.Contains(hosts[key], a) {
				hosts[key] = append(hosts[key], a)
			}
		}
	}
	return hosts
}

func hostKey(name string) string { return strings.ToLower(rooted(name)) }

// lines are those of a file that are not empty and not too long.
func lines(data []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(bytes.NewReader(data))
		s.Buffer(nil, maxLine)
		for s.Scan() {
			if line := s.Text(); line != "" && !yield(line) {
				return
			}
		}
	}
}

// List are the names to ask for, in their order (Go 1.26 net/dnsclient_unix.go:495): with its search domains, each with a trailing dot.
func (c *Config) List(name string) []string {
	if l := len(name); l == 0 || l > 254 || l == 254 && name[l-1] != '.' {
		return nil
	}
	own := rooted(name)
	if own == name {
		return keep(own)
	}
	var list []string
	first := strings.Count(name, ".") >= c.NDots
	if first {
		list = keep(own)
	}
	for _, domain := range c.Search {
		if full := own + domain; len(full) <= 254 {
			list = append(list, keep(full)...)
		}
	}
	if !first {
		list = append(list, keep(own)...)
	}
	return list
}

// keep leaves out what no resolver is asked for (RFC 7686).
func keep(name string) []string {
	if strings.HasSuffix(strings.ToLower(name), ".onion.") {
		return nil
	}
	return []string{name}
}
