package main

import (
	"fmt"
	"strings"
	"time"
)

// registriesTitle begins the part of the document that is about registries, to its end.
const registriesTitle = "## Asking registries\n"

// The aims of the registry vantage point.
const (
	maxPerPair   = 4   // requests for a pair until its verdict is settled, tokens and layers apart
	maxPerLayer  = 2   // requests for a config or layer
	maxOfSlowest = 2.0 // of the time that the slowest single probe takes
)

// markdown is the part of the document.
func (r *registries) markdown() string {
	var b strings.Builder
	of := ""
	if r.revision != "" {
		of = "; refloat " + r.revision
	}
	fmt.Fprintf(&b, "%s\nWritten by `go run ./test/bench -only registry -write`, medians of %d rounds; %s%s.\n", registriesTitle, r.rounds, r.machine, of)
	fmt.Fprintf(&b, "The lab's registries answer over TLS, on the same cores, and close the connection after each answer. What was asked is\ncounted in their own log.\n")
	r.probing.markdown(&b)
	checkedMarkdown(&b, r.checked)
	r.probing.aims(&b)
	return b.String()
}

func (p *probing) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### `why -A`, %d failing pods, %d pairs of image and credential\n\n", podsOfPair*len(pairs), len(pairs))
	fmt.Fprintf(b, "Five registries, each answer %d ms late: private without a login, with a wrong, an expired and a powerless one, a missing tag, repository,\nplatform, child manifest and layer, and two secrets. Every run starts with an empty memory of refused logins. %d of the %d verdicts are confirmed.\n\n",
		late.Milliseconds(), p.confirmed, len(pairs))
	fmt.Fprintf(b, "| program | time | peak memory | CPU | requests | until settled |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	row := func(name string, f figures, requests int, settled time.Duration) {
		fmt.Fprintf(b, "| %s | %.2f s | %s | %.2f s | %d | %.2f s |\n", name, f.Wall.Seconds(), megabytes(f.Peak), f.CPU.Seconds(), requests, settled.Seconds())
	}
	row("`kubectl refloat why -A`", p.with, p.asked.all(), p.settled)
	fmt.Fprintf(b, "| `kubectl refloat why -A --no-probe` | %.2f s | %s | %.2f s | 0 | |\n", p.without.Wall.Seconds(), megabytes(p.without.Peak), p.without.CPU.Seconds())
	row("`kubectl refloat why POD`, the slowest pair: "+pairs[p.slowest].image, p.alone, p.single[p.slowest].all(), p.slow)
	fmt.Fprintf(b, "\nUntil settled is from the first request to the answer to the last on which a verdict rests; what the run asks after that looks for something to use\ninstead, and ends after %.2f s.\nLoad average at the beginning: %s.\n", p.whole.Seconds(), p.load)
	fmt.Fprintf(b, "\n| pair | pings | manifests, tags | tokens | config, layers | something else | until settled |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for n, a := range p.single {
		fmt.Fprintf(b, "| %s, %s | %d | %d | %d | %d | %d | %.2f s |\n", pairs[n].image, pairs[n].about(), a.pings, a.manifests, a.tokens, a.blobs, a.other, a.settled.Seconds())
	}
	a := p.asked
	fmt.Fprintf(b, "| **all in one run** | %d | %d | %d | %d | %d | %.2f s |\n", a.pings, a.manifests, a.tokens, a.blobs, a.other, a.settled.Seconds())
	fmt.Fprintf(b, "\nThe rows of pairs are runs of `why POD` each. A ping is one per registry; a refused password costs two token requests, POST and GET, as it does containerd;\nwhere no login is served, one look without it is compared.\n")
}

// about says what is wrong with a pair.
func (p pair) about() string {
	var out []string
	for _, l := range p.logins {
		out = append(out, [...]string{"good login", "wrong login", "login without permission", "expired login"}[l])
	}
	if len(out) == 0 {
		out = []string{"no login"}
	}
	what := strings.Join(out, " and ")
	if p.has != whole {
		what += ", " + [...]string{"", "no such tag", "no such repository", "other platforms", "no child manifest", "a layer gone"}[p.has]
	}
	return what
}

func checkedMarkdown(b *strings.Builder, list []checked) {
	fmt.Fprintf(b, "\n### `check` of %d images beside `crane manifest`\n\n", publicImages)
	fmt.Fprintf(b, "Public images of %d registries, one of which wants a token of everybody; every second image is an index of two platforms, each with %d layers. `check --local --platform\nlinux/amd64` asks for manifest, child manifest, config and every layer; `crane manifest` (go-containerregistry v0.22.1) prints the first manifest and no more.\n", len(publicHosts), layersEach)
	for _, c := range list {
		when := "Each answer at once"
		if c.late > 0 {
			when = fmt.Sprintf("Each answer %d ms late", c.late.Milliseconds())
		}
		fmt.Fprintf(b, "\n%s (load average at the beginning: %s):\n\n| program | time | of check's | peak memory | CPU | requests |\n| --- | ---: | ---: | ---: | ---: | ---: |\n", when, c.load)
		for _, name := range checkRuns {
			f := c.medians[name]
			fmt.Fprintf(b, "| `%s` | %.2f s | %.2f | %s | %.2f s | %s |\n", name, f.Wall.Seconds(), ratio(f.Wall, c.medians[checkRun].Wall), megabytes(f.Peak), f.CPU.Seconds(), grouped(c.requests[name]))
		}
	}
	fmt.Fprintf(b, "\nThe memory of crane is that of one process, of which `xargs -P8` has eight at a time.\n")
}

func (p *probing) aims(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Aims of asking registries\n\n| aim | measured | |\n| --- | --- | --- |\n")
	var most, tokens, blob int // of one pair, and of one blob
	for i, a := range p.single {
		// An image with two logins is two pairs.
		logins := max(1, len(pairs[i].logins))
		most, tokens, blob = max(most, (a.manifests+logins-1)/logins), max(tokens, a.tokens), max(blob, a.mostOfBlob)
	}
	blob = max(blob, p.asked.mostOfBlob)
	n := len(pairs)
	writeAim(b, fmt.Sprintf("requests ≤ %d for each pair until settled, tokens, layers and the shared ping apart", maxPerPair), fmt.Sprintf("%d at most, %d for all", most, p.asked.manifests), most <= maxPerPair && p.asked.manifests <= maxPerPair*n)
	writeAim(b, "and a token request each", fmt.Sprintf("%d for %d pairs, %d at most for one", p.asked.tokens, n, tokens), p.asked.tokens <= n)
	writeAim(b, fmt.Sprintf("requests ≤ %d for each config and layer", maxPerLayer), fmt.Sprintf("%d at most", blob), blob <= maxPerLayer)
	writeAim(b, fmt.Sprintf("settled within %.0f × the slowest single probe", maxOfSlowest), fmt.Sprintf("%.2f", ratio(p.settled, p.slow)), ratio(p.settled, p.slow) <= maxOfSlowest)
}

func writeAim(b *strings.Builder, what, got string, met bool) {
	verdict := "met"
	if !met {
		verdict = "**missed**"
	}
	fmt.Fprintf(b, "| %s | %s | %s |\n", what, got, verdict)
}

// merge puts the parts that were measured now in place of those in the document; an empty one keeps what is there.
func merge(document, cluster, registries string) string {
	oldCluster, oldRegistries, found := strings.Cut(document, registriesTitle)
	if found {
		oldRegistries = registriesTitle + oldRegistries
	}
	if cluster == "" {
		cluster = oldCluster
	}
	if registries == "" {
		registries = oldRegistries
	}
	if cluster == "" || registries == "" {
		return cluster + registries
	}
	return strings.TrimRight(cluster, "\n") + "\n\n" + registries
}
