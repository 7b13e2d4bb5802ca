package health

import (
	"strings"

	"github.com/distribution/reference"

	"github.com/refloat-dev/refloat/node/config"
)

// marks are the texts by which a line is about an image, or about the way to its registry. All are in lower case.
type marks struct{ image, registry []string }

// of makes the marks of an image. Its registry's bare name is none: every line about any of its images has that.
func of(image string, endpoints func(registry string) []config.Endpoint) marks {
	name, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return marks{image: lower(image)}
	}
	registry, path := reference.Domain(name), reference.Path(name)
	m := marks{image: lower(name.Name())}
	if short := reference.FamiliarName(name); short != name.Name() {
		if tagged, ok := reference.TagNameOnly(name).(reference.Tagged); ok { // the kubelet's: as the pod has it
			m.image = append(m.image, lower(short+":"+tagged.Tag())...)
		}
		m.image = append(m.image, lower(`"`+short+`"`, `\"`+short+`\"`, short+"@sha256")...)
	}
	if d, ok := name.(reference.Digested); ok {
		m.image = append(m.image, lower(d.Digest().Encoded())...)
	}
	for _, dir := range []string{registry, strings.Replace(registry, ":", "_", 1) + "_", "_default"} {
		m.image = append(m.image, lower("/"+dir+"/hosts.toml")...)
	}
	for _, e := range endpoints(registry) {
		if e.Base == nil || e.Base.Host == "" {
			continue
		}
		at := "//" + e.Base.Host
		m.image = append(m.image, lower(at+strings.TrimSuffix(e.Base.Path, "/")+"/"+path+"/")...)
		m.registry = append(m.registry, lower(at+"/v2/", "lookup "+e.Base.Hostname())...)
	}
	return m
}

func lower(texts ...string) []string {
	for i, t := range texts {
		texts[i] = strings.ToLower(t)
	}
	return texts
}

// has reports whether a line, in lower case, has one of the marks as a name of its own and not as a part of a longer one.
func has(line string, marks []string) bool {
	for _, mark := range marks {
		for at := 0; mark != ""; {
			i := strings.Index(line[at:], mark)
			if i < 0 {
				break
			}
			i += at
			if apart(line, i, i+len(mark)) {
				return true
			}
			at = i + 1
		}
	}
	return false
}

// apart reports whether line[from:to] neither continues a name nor is continued.
func apart(line string, from, to int) bool {
	if from > 0 && part(line[from]) && (part(line[from-1]) || line[from-1] == '/') {
		return false
	}
	return to == len(line) || line[to-1] == '/' || !part(line[to]) && line[to] != '/' || line[to] == '.' && ends(line[to+1:])
}

func part(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// ends reports whether a point that this follows ends a sentence.
func ends(rest string) bool { return rest == "" || !part(rest[0]) }
