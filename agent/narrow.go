package agent

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// narrow leaves of facts what somebody may be told who may create pods in one namespace and nothing else: what is about his
// image. Which other images a node has, fetches or lost, and what its logs say of other namespaces' pods, is not his.
func narrow(facts []*evidence.Fact, image, namespace string) []*evidence.Fact {
	var out []*evidence.Fact
	for _, f := range facts {
		f = clone(f) // what is shared is not changed
		switch {
		case f.Content != nil && f.Content.Image == "":
			continue // the whole store
		case f.Content != nil:
			narrowContent(f.Content, image)
		case f.Downloads != nil:
			narrowDownloads(f)
		case f.Disk != nil:
			f.Disk.Unused = nil // their sum stays
		case f.Runtime != nil:
			f.Runtime.Logs = slices.DeleteFunc(f.Runtime.Logs, func(l evidence.LogLine) bool { return !own(l.Text, image, namespace) })
		case f.Keyring != nil:
			f.Keyring.Entries = slices.DeleteFunc(f.Keyring.Entries, func(e evidence.KeyringEntry) bool { return !e.Matches && !e.Near })
		}
		out = append(out, f)
	}
	return out
}

func narrowContent(c *evidence.Content, image string) {
	repository, _ := evidence.Repository(image)
	for i := range c.Damages {
		d := &c.Damages[i]
		all := len(d.Images)
		d.Images = slices.DeleteFunc(d.Images, func(name string) bool {
			of, ok := evidence.Repository(name)
			return name != image && (!ok || of != repository)
		})
		d.MoreImages += all - len(d.Images)
	}
}

// narrowDownloads keeps of another image's download that there is one, and whether it stands still: this one may wait for it.
func narrowDownloads(f *evidence.Fact) {
	d, mine := f.Downloads, 0
	for i, a := range d.Active {
		if a.Image != "" {
			mine++
			continue
		}
		d.Active[i] = evidence.Download{Ref: "another image", Offset: a.Offset, Total: a.Total, Started: a.Started, Updated: a.Updated, Still: a.Still, StillFor: a.StillFor}
	}
	if others := len(d.Active) - mine; others > 0 {
		f.Text = fmt.Sprintf("%d downloads of this image and %d of others are under way", mine, others+d.More)
		if slices.ContainsFunc(d.Active, func(a evidence.Download) bool { return a.Still }) {
			f.Text += ", and one has stopped moving"
		}
	}
}

// whose finds the namespaces of the pods that a line of the kubelet's or the runtime's is about.
var whose = regexp.MustCompile(`(?i)(?:\bpods?[\\"]*[=:][\s\[\\"]*|\bnamespace[\\"]*[=:][\s\\"]*)([a-z0-9][-a-z0-9]*)`)

// own tells a line of a log that names the image, or a hosts.toml, and no pod of another namespace. A text that is no
// reference names nothing: whoever wrote it could look for any line with it.
func own(line, image, namespace string) bool {
	repository, ok := evidence.Repository(image)
	if !ok || !strings.Contains(line, repository) && !strings.Contains(line, `"`+image+`"`) && !strings.Contains(line, `"`+image+`\"`) && !strings.Contains(line, "hosts.toml") {
		return false
	}
	for _, m := range whose.FindAllStringSubmatch(line, -1) {
		if m[1] != namespace {
			return false
		}
	}
	return true
}
