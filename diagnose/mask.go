package diagnose

import "strings"

// imageName is an image's own words, which say nothing about why it cannot be pulled: the name without its host, and the tag.
type imageName struct{ host, name, tag string }

// namedBy returns nothing for what no registry would take as a name: such a string may hold a whole sentence.
func namedBy(image string) imageName {
	image, _, _ = strings.Cut(image, "@")
	for i := range len(image) {
		if c := image[i]; !partOfName(c) && c != '/' && c != ':' {
			return imageName{}
		}
	}
	var r imageName
	r.name = image
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		r.name, r.tag = image[:i], image[i+1:]
	}
	if first, rest, ok := strings.Cut(r.name, "/"); ok && first == registryOf(image, "") {
		r.host, r.name = first, rest
	}
	return r
}

func partOfName(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '_' || c == '-'
}

// run finds the phrases of s. Those that lie in the image's own name or tag do not count. Hardly any name holds
// one, so the text is gone through again, with the name blanked, only where the name by itself sets a phrase off.
func (s *ruleset) run(t *scan, images ...string) {
	s.auto.scan(t.text, &t.seen, &t.first)
	images = append(images, t.image())
	text := t.text
	for i, image := range images {
		if image == "" || i > 0 && image == images[0] {
			continue
		}
		if r := namedBy(image); s.speaks(r) {
			text = r.blank(text)
		}
	}
	if text != t.text {
		t.seen, t.first = bitset{}, [markers]int32{}
		s.auto.scan(text, &t.seen, &t.first)
	}
}

// speaks reports whether the name or the tag sets a phrase off, alone or with what commonly stands around it.
func (s *ruleset) speaks(r imageName) bool {
	if r.name == "" {
		return false
	}
	var own bitset
	var first [markers]int32
	s.auto.scan("/"+r.name+":"+r.tag+`": /`+r.name+", /"+r.tag+": "+r.name+"/ ", &own, &first)
	for w := range own {
		if own[w]&^s.plain[w] != 0 {
			return true
		}
	}
	return false
}

// blank overwrites the name and the tag in text, wherever they stand as such, and keeps every position.
func (r imageName) blank(text string) string {
	b := []byte(text)
	over := func(before, what, after string) {
		needle := before + what + after
		for at := 0; what != ""; {
			i := strings.Index(text[at:], needle)
			if i < 0 {
				return
			}
			from := at + i + len(before)
			to := from + len(what)
			at += i + len(needle)
			if needle == what && (from > 0 && partOfName(text[from-1]) || to < len(text) && text[to] != '.' && partOfName(text[to])) {
				continue // part of another name
			}
			clear(b[from:to]) // no phrase holds a zero
		}
	}
	if strings.Contains(r.name, "/") {
		over("", r.name, "")
		over("", strings.ReplaceAll(r.name, "/", "%2F"), "")
	} else { // one word may be any word: only where it must be the name
		for _, before := range [...]string{"/", "%2F", `"`, "'", " for ", " in "} {
			over(before, r.name, "")
		}
		if r.tag != "" {
			over("", r.name, ":"+r.tag)
		}
	}
	if r.tag != "" {
		over(r.name+":", r.tag, "")
		over("/manifests/", r.tag, "")
		over("manifest ", r.tag, " in ")
	}
	return string(b)
}
