package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/refloat-dev/refloat/evidence"
)

// hostsFile is hosts.toml's name.
const hostsFile = "hosts.toml"

// hostTable is one [host."URL"] of a hosts.toml, and its top level (C24 core/remotes/docker/config/hosts.go:338).
type hostTable struct {
	Capabilities []string       `toml:"capabilities"`
	CA           any            `toml:"ca"`
	Client       any            `toml:"client"`
	SkipVerify   *bool          `toml:"skip_verify"`
	Header       map[string]any `toml:"header"`
	OverridePath bool           `toml:"override_path"`
	DialTimeout  string         `toml:"dial_timeout"`
}

// hostsDocument is a whole hosts.toml.
type hostsDocument struct {
	hostTable
	Server string               `toml:"server"`
	Hosts  map[string]hostTable `toml:"host"`
}

// configured is one place to pull from, before what containerd fills in. A nil list is other than an empty one: only
// that leaves TLS at its defaults.
type configured struct {
	scheme, host, path string
	capabilities       []string
	cas                []string
	pairs              [][2]string
	skipVerify         *bool
	header             http.Header
	dialTimeout        *time.Duration
	plain              bool // plain HTTP is asked where TLS is not spoken
	file               string
	key                []string // where it stands in the file
}

// fault is an error of a hosts.toml and the key that it is about.
type fault struct {
	err error
	key []string
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// parseHosts reads a hosts.toml that stands in dir as containerd does. Its error is what makes containerd ignore the file.
func parseHosts(dir string, b []byte) (hosts []configured, doc hostsDocument, err error) {
	if err := toml.Unmarshal(b, &doc); err != nil {
		return nil, doc, err
	}
	for _, name := range tableOrder(b) {
		h, err := parseHost(name, dir, doc.Hosts[name], []string{"host", name})
		if err != nil {
			return nil, doc, err
		}
		hosts = append(hosts, h)
	}
	h, err := parseHost(doc.Server, dir, doc.hostTable, nil)
	if err != nil {
		return nil, doc, err
	}
	return append(hosts, h), doc, nil
}

// tableOrder lists hosts in the order of their tables. Only a table's own header counts: a host that is written as an
// inline table or with dotted keys is none, and one whose tables are apart is two (hosts.go:549).
func tableOrder(b []byte) []string {
	var order []string
	last := ""
	p := unstable.Parser{}
	p.Reset(b)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.Table {
			continue
		}
		var parts []string
		for it := e.Key(); it.Next() && len(parts) < 2; {
			parts = append(parts, string(it.Node().Data))
		}
		if len(parts) < 2 || parts[0] != "host" || parts[1] == last {
			continue
		}
		last = parts[1]
		order = append(order, last)
	}
	return order
}

// everything is what a host may do that names nothing.
var everything = []string{"pull", "resolve", "push", "referrers"}

func parseHost(server, dir string, t hostTable, key []string) (configured, error) {
	h := configured{skipVerify: t.SkipVerify, key: key}
	at := func(k string, err error) (configured, error) {
		return configured{}, &fault{err, append(slices.Clone(key), k)}
	}
	if err := h.locate(server, t.OverridePath); err != nil {
		return at("server", err)
	}
	for _, c := range t.Capabilities {
		c = strings.ToLower(c)
		if !slices.Contains(everything, c) {
			return at("capabilities", fmt.Errorf("unknown capability %v", c))
		}
		if !slices.Contains(h.capabilities, c) {
			h.capabilities = append(h.capabilities, c)
		}
	}
	if len(h.capabilities) == 0 {
		h.capabilities = everything
	}
	var err error
	if h.cas, err = texts(t.CA, "ca", dir); err != nil {
		return at("ca", err)
	}
	if h.pairs, err = pairs(t.Client, dir); err != nil {
		return at("client", err)
	}
	if t.Header != nil {
		h.header = http.Header{}
	}
	for name, v := range t.Header {
		// Only its name: a header's value is a secret.
		if h.header[name], err = texts(v, "header", ""); err != nil || v == nil {
			return at("header", fmt.Errorf("invalid type for header %q", name))
		}
	}
	if t.DialTimeout != "" {
		limit, err := time.ParseDuration(t.DialTimeout)
		if err != nil {
			return at("dial_timeout", err)
		}
		h.dialTimeout = &limit
	}
	return h, nil
}

// locate sets scheme, host and path from a URL as it is written (hosts.go:430).
func (h *configured) locate(server string, override bool) error {
	if server == "" {
		return nil
	}
	if !strings.HasPrefix(server, "http") {
		server = "https://" + server
	}
	u, err := url.Parse(server)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err // without the URL, which may hold a password
		}
		return fmt.Errorf("unable to parse server: %w", err)
	}
	switch {
	case u.Path != "":
		u.Path = path.Clean(u.Path)
		if !strings.HasSuffix(u.Path, "/v2") && !override {
			u.Path += "/v2"
		}
	case !override:
		u.Path = "/v2"
	}
	h.scheme, h.host, h.path = u.Scheme, u.Host, u.Path
	return nil
}

// texts is a text or a list of them; as paths they are taken from dir. A header is not a path.
func texts(v any, what, dir string) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{absolute(v, dir)}, nil
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("invalid type %T in %q", e, what)
			}
			out = append(out, absolute(s, dir))
		}
		return out, nil
	}
	return nil, fmt.Errorf("invalid type %T for %q", v, what)
}

// pairs is a certificate with its key in the same file, a list of those, or a list of certificates and keys.
func pairs(v any, dir string) ([][2]string, error) {
	if s, ok := v.(string); ok {
		return [][2]string{{absolute(s, dir), ""}}, nil
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("invalid type %T for \"client\"", v)
	}
	var out [][2]string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, [2]string{absolute(s, dir), ""})
			continue
		}
		if _, ok := e.([]any); !ok {
			return nil, fmt.Errorf("invalid type %T for \"client\"", e)
		}
		two, err := texts(e, "client", dir)
		switch {
		case err != nil:
			return nil, err
		case len(two) != 2:
			return nil, errors.New(`invalid pair for "client"`)
		}
		out = append(out, [2]string{two[0], two[1]})
	}
	return out, nil
}

// absolute takes a path from dir; with no dir it is no path.
func absolute(p, dir string) string {
	if dir == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

// lookAlikes are the parts of a hosts.toml that have no effect, or not the one that they seem to have.
func lookAlikes(file string, b []byte, doc hostsDocument, order []string) []evidence.ConfigProblem {
	at := linesOf(b)
	var out []evidence.ConfigProblem
	add := func(effect evidence.ConfigEffect, line int, format string, args ...any) {
		out = append(out, evidence.ConfigProblem{File: file, Line: line, Effect: effect, Text: fmt.Sprintf(format, args...)})
	}
	for _, k := range unknownKeys(b) {
		add(evidence.EffectUnused, k.line, "%s is no setting of hosts.toml", k.name)
	}
	for name, t := range doc.Hosts {
		line := at.of("host", name)
		if !slices.Contains(order, name) {
			add(evidence.EffectUnused, line, "[host.%q] has no table header of its own, and containerd reads no other hosts", name)
			continue
		}
		lower := strings.ToLower(strings.Join(t.Capabilities, " "))
		switch {
		case len(t.Capabilities) == 0:
		case !strings.Contains(lower, "pull"):
			add(evidence.EffectUnused, line, "%s is not asked for images: its capabilities do not have pull", name)
		case !strings.Contains(lower, "resolve"):
			add(evidence.EffectWarns, line, "%s is not asked what a tag is: its capabilities do not have resolve, so the next host must answer", name)
		}
	}
	return out
}

type unknownKey struct {
	name string
	line int
}

// unknownKeys are those that containerd passes over without a word, at most ten.
func unknownKeys(b []byte) []unknownKey {
	var doc hostsDocument
	var strict *toml.StrictMissingError
	if err := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields().Decode(&doc); !errors.As(err, &strict) {
		return nil
	}
	var out []unknownKey
	for _, e := range strict.Errors[:min(len(strict.Errors), 10)] {
		row, _ := e.Position()
		out = append(out, unknownKey{strings.Join(e.Key(), "."), row})
	}
	return out
}
