package main

import (
	"fmt"
	"strings"
)

// storeTitle begins the part of the document that is about stored content.
const storeTitle = "## Verifying stored content\n"

// leastOfOpenssl is the aim: how much of openssl's throughput the agent reaches.
const leastOfOpenssl = 0.9

// markdown is the part of the document.
func (h *hashed) markdown() string {
	var b strings.Builder
	of := ""
	if h.revision != "" {
		of = "; refloat " + h.revision
	}
	fmt.Fprintf(&b, "%s\nWritten by `go run ./test/bench -only store -write`, medians of %d rounds; %s%s.\n", storeTitle, h.rounds, strings.TrimSuffix(h.machine, ", the API server and its etcd on the same cores"), of)
	fmt.Fprintf(&b, "%d files of %d MiB of random bytes, hashed in turn by the agent's engine (`node/store/hash`) and by %s, caches dropped\n"+
		"before each run, the digests compared. Load average at the beginning: %s.\n", storeFiles, storeSize>>20, strings.TrimSpace(h.openssl), h.load)
	fmt.Fprintf(&b, "\n| program | throughput | of openssl's | time | CPU | peak memory | left in the page cache |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	h.row(&b, "the agent's engine, a file on each core", h.ours)
	h.row(&b, "`xargs -P CORES -n 1 openssl dgst -sha256`", h.yardstick)
	h.row(&b, "`openssl dgst -sha256`, one after the other", h.again)
	fmt.Fprintf(&b, "\nThe memory of openssl is that of its largest process.\n\n### Aims of verifying stored content\n\n| aim | measured | |\n| --- | --- | --- |\n")
	ratio := h.of(h.ours)
	verdict := "met"
	if ratio < leastOfOpenssl {
		verdict = "missed"
	}
	fmt.Fprintf(&b, "| at least %.1f of openssl's throughput on as many cores | %.2f | %s |\n", leastOfOpenssl, ratio, verdict)
	return b.String()
}

func (h *hashed) row(b *strings.Builder, name string, r hashRun) {
	fmt.Fprintf(b, "| %s | %.0f MB/s | %.2f | %.2f s | %.2f s | %s | %.0f MB |\n", name, storeFiles*storeSize/1e6/r.Wall.Seconds(), h.of(r),
		r.Wall.Seconds(), r.CPU.Seconds(), megabytes(r.Peak), float64(r.left)/1e6)
}

func (h *hashed) of(r hashRun) float64 { return h.yardstick.Wall.Seconds() / r.Wall.Seconds() }

// cutSection takes the part with that title out of a document: up to the next part, or to the end.
func cutSection(document, title string) (rest, section string) {
	before, after, found := strings.Cut(document, title)
	if !found {
		return document, ""
	}
	section = title + after
	if at := strings.Index(after, "\n## "); at >= 0 {
		section, after = title+after[:at+1], after[at+1:]
		return before + after, section
	}
	return strings.TrimRight(before, "\n") + "\n", section
}

// addSection puts a part at the document's end.
func addSection(document, section string) string {
	if section == "" || strings.TrimSpace(document) == "" {
		return document + section
	}
	return strings.TrimRight(document, "\n") + "\n\n" + section
}
