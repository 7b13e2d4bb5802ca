package keyring

import (
	"cmp"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// target is the repository that credentials are looked up for.
type target struct {
	repository string
	host       string // with its port
	name, port string // of the host
	path       string // with its leading slash
}

func targetOf(repository string) target {
	host, rest, _ := strings.Cut(repository, "/")
	t := target{repository: repository, host: host, path: "/" + rest}
	t.name, t.port = splitPort(host)
	return t
}

// login is the key to write for the whole registry.
func (t target) login() string {
	if t.host == "docker.io" {
		return "https://index.docker.io/v1/"
	}
	return t.host
}

// with is the key to write for a path of the registry.
func (t target) with(path string) string {
	path = strings.Trim(path, "/")
	if path == "" {
		return t.login()
	}
	return t.host + "/" + path
}

func (t target) matches(written string) bool {
	k, err := evidence.ParseKey(written)
	return err == nil && (k.Matches(t.repository) || k.FallsBack(t.repository))
}

// parts are what a person would take a key for.
type parts struct {
	host, name, port, path string
}

func partsOf(written string) parts {
	_, rest, ok := strings.Cut(written, "://")
	if !ok {
		rest = written
	}
	rest, _, _ = strings.Cut(rest, "?")
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	p := parts{host: host}
	p.name, p.port = splitPort(host)
	if slash {
		p.path = "/" + path
	}
	return p
}

// repair is one way in which a key misses, and how it reads without that.
type repair struct {
	why   string
	apply func(t target, written string) string
}

// repairs are tried each alone and then one after the other.
var repairs = []repair{
	{"a blank or line break stands before or after it, which makes it no URL: the kubelet leaves the entry out without a word", func(_ target, w string) string { return strings.TrimSpace(w) }},
	{"its scheme is neither https:// nor http:// in lower case, and the kubelet takes it for a host's name", func(_ target, w string) string {
		if scheme, rest, ok := strings.Cut(w, "://"); ok && scheme != "https" && scheme != "http" {
			return rest
		}
		return w
	}},
	{"it is written in upper case, and the kubelet compares letter by letter", foldCase},
	{"its host ends in a dot", func(_ target, w string) string {
		return rebuild(w, func(p *parts) { p.name = strings.TrimSuffix(p.name, ".") })
	}},
	{"/v1 or /v2 is cut only with a slash behind it, and is taken for a path otherwise", func(_ target, w string) string {
		return rebuild(w, func(p *parts) {
			if p.path == "/v1" || p.path == "/v2" {
				p.path += "/"
			}
		})
	}},
	{"it ends in a slash, and the repository's name does not go on with one", func(_ target, w string) string {
		return rebuild(w, func(p *parts) {
			if p.path != "/v1/" && p.path != "/v2/" {
				p.path = strings.TrimRight(p.path, "/")
			}
		})
	}},
	{"it ends in a tag or digest, and the kubelet looks up the repository without them", cutTag},
	{"* stands in its path, where the kubelet takes it for a letter", func(_ target, w string) string {
		return rebuild(w, func(p *parts) {
			if i := strings.IndexByte(p.path, '*'); i >= 0 {
				p.path = strings.TrimRight(p.path[:i], "/")
			}
		})
	}},
	{"its port is not the image's, and the kubelet compares ports as texts: no port is another one than 443 or 80", func(t target, w string) string {
		return rebuild(w, func(p *parts) { p.port = t.port })
	}},
	{"it names no registry: the kubelet takes its first part for one", func(t target, w string) string {
		if p := partsOf(w); !strings.ContainsAny(p.host, ".:*") && p.host != t.host && p.host != "" {
			return t.host + "/" + p.host + p.path
		}
		return w
	}},
}

func foldCase(t target, w string) string {
	low := strings.ToLower(w)
	if i := strings.Index(low, strings.ToLower(t.host)); i >= 0 && len(low) == len(w) { // the image's own spelling
		return low[:i] + t.host + low[i+len(t.host):]
	}
	return low
}

func cutTag(_ target, w string) string {
	return rebuild(w, func(p *parts) {
		path, _, _ := strings.Cut(p.path, "@")
		if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexByte(path, '/') {
			path = path[:i]
		}
		p.path = path
	})
}

// rebuild changes a key's parts; a key that stays as it is keeps its spelling.
func rebuild(written string, change func(*parts)) string {
	was := partsOf(written)
	now := was
	change(&now)
	if now == was {
		return written
	}
	scheme := ""
	if i := strings.Index(written, "://"); i >= 0 {
		scheme = written[:i+3]
	}
	if now.port != "" {
		return scheme + now.name + ":" + now.port + now.path
	}
	return scheme + now.name + now.path
}

// lint says why a key that does not match misses the repository, and what to write where
// it was plainly meant for it. A reason that is there already stays where none is found.
func (t target) lint(x *evidence.KeyringEntry, written string) {
	const most = 2 << 10
	if len(written) > most { // no registry's key is that long
		x.Why = cmp.Or(x.Why, "it is another registry's")
		return
	}
	if reasons, repaired := t.repaired(written); len(reasons) > 0 {
		x.Near, x.Why = true, strings.Join(reasons, "; ")
		path := partsOf(repaired).path
		if strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v2/") {
			path = path[len("/v1"):]
		}
		x.Hint = "write " + show(t.with(path))
		return
	}
	if why, key := t.relative(partsOf(strings.TrimSpace(written))); why != "" {
		x.Near, x.Why, x.Hint = true, why, "write "+show(key)
		return
	}
	x.Why = cmp.Or(x.Why, "it is another registry's")
}

// repaired finds the one repair that makes the key match, or several together.
func (t target) repaired(written string) (reasons []string, key string) {
	for _, r := range repairs {
		if fixed := r.apply(t, written); fixed != written && t.matches(fixed) && !t.onlyName(fixed) {
			return []string{r.why}, fixed
		}
	}
	key = written
	for _, r := range repairs {
		fixed := r.apply(t, key)
		if fixed == key {
			continue
		}
		key = fixed
		reasons = append(reasons, r.why)
		if t.matches(key) && !t.onlyName(key) {
			return reasons, key
		}
	}
	return nil, ""
}

// onlyName keeps repairs from turning the key for another thing into one that matches everything.
func (t target) onlyName(key string) bool { return partsOf(key).name == "" }
