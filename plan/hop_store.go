package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// makeRoom removes what nothing uses, the largest first, by name.
func (s subject) makeRoom() ([]Step, int) {
	k := s.sights.disk
	i := slices.IndexFunc(k.Areas, func(a evidence.DiskArea) bool { return a.Short == "bytes" || a.Short == "inodes" })
	if i < 0 {
		i = slices.IndexFunc(k.Areas, func(a evidence.DiskArea) bool { return a.Low == "inodes" })
	}
	if i < 0 {
		return nil, 0
	}
	a := k.Areas[i]
	title := fmt.Sprintf("Free room on %s of %s", a.Path, s.where())
	note := fmt.Sprintf("It has %d MiB and %d inodes free.", a.Available>>20, a.InodesFree)
	if n := k.Need; n != nil && a.Short == "bytes" {
		need := uint64(max(0, n.Compressed-min(max(0, n.Present), max(0, n.Compressed)))) + uint64(max(0, n.Unpacked))
		if need > a.Available {
			title = fmt.Sprintf("Free at least %d MiB on %s of %s", (need-a.Available)>>20+1, a.Path, s.where())
		}
	}
	var cmds, unused []string
	for _, u := range k.Unused {
		name := u.ID
		if len(u.Names) > 0 {
			name = u.Names[0]
		}
		if !printableReference(name) && !wholeDigest(name) || len(cmds) >= 5 {
			continue
		}
		unused = append(unused, fmt.Sprintf("%s (%d MiB)", name, max(0, u.Size)>>20))
		if s.runtime() == "docker" {
			cmds = append(cmds, "sudo docker rmi "+operand(name))
		} else {
			cmds = append(cmds, s.crictl("rmi "+operand(name)))
		}
	}
	switch {
	case len(cmds) == 0 && k.Frees > 0: // whoever asks about a pod is not told which
		note += fmt.Sprintf(" Images that nothing uses hold %d MiB; who may look at the whole node sees which: kubectl refloat node %s.", k.Frees>>20, operand(s.nodeName()))
	case len(cmds) == 0:
		note += " No image there is unused: something else must go, or the disk grow."
	case slices.Contains(a.Purposes, "temporary") && len(a.Purposes) == 1:
		note += " It holds temporary files alone: no image is stored there."
		cmds = []string{"sudo ls -la " + quote(a.Path)}
	default:
		note += fmt.Sprintf(" No container uses %s; all that is unused is %d MiB. The kubelet pulls them again when a pod asks.", strings.Join(unused, ", "), max(0, k.Frees)>>20)
	}
	return []Step{s.exact(title, note, "the pull goes through", cmds...)}, 1
}

func wholeDigest(s string) bool { return digestText.FindString(s) == s && s != "" }

// removeDamage takes away just what is damaged, in every namespace of the runtime that has it.
func (s subject) removeDamage() ([]Step, int) {
	x := s.sights.damage
	what := strings.TrimSpace(x.Role + " " + x.Digest)
	note := "Pulling again downloads nothing while the runtime believes that it has the bytes."
	if others := slices.DeleteFunc(slices.Clone(x.Images), func(name string) bool { return name == s.pull.Image }); len(others) > 0 {
		note += " Others share it, so that removing one image does not help: " + list3(others, "") + "; they fetch it again at their next pull."
	}
	pinned := s.exact("Remove the damaged "+what+" on "+s.where(), note+" A container that runs pins what is unpacked: stop the pods that use it first.", "", s.crictl("rmi "+quoteImage(s.pull.Image)))
	switch {
	case s.runtime() == "cri-o", s.runtime() == "docker", s.node.Home == evidence.HomeTalos && x.Role == "snapshot", x.Role != "snapshot" && !wholeDigest(x.Digest):
		return []Step{pinned}, 0
	case x.Role == "snapshot": // no blob is to be looked for
		return []Step{pinned}, 3
	}
	var cmds []string
	for _, ns := range x.Namespaces {
		if ns != "" && ns != "k8s.io" && len(cmds) < 3 {
			cmds = append(cmds, strings.Replace(s.ctr("content rm "+x.Digest), "--namespace k8s.io", "--namespace "+quote(ns), 1))
		}
	}
	cmds = append([]string{s.ctr("content rm " + x.Digest)}, append(cmds, s.ctr("leases create --id refloat-gc"), s.ctr("leases delete --sync refloat-gc"))...)
	return []Step{s.exact("Remove the damaged "+what+" on "+s.where()+", and nothing else", note+" Making and deleting a lease runs the garbage collection at once.", "the next pull fetches it", cmds...)}, 2
}

// endStalled names what stands still.
func (s subject) endStalled() ([]Step, int) {
	for _, d := range s.sights.downloads.Active {
		if !d.Still {
			continue
		}
		note := "Running containers go on. Deleting the pod does not end the pull."
		if d.Host != "" {
			note += " Look at what is between the node and " + d.Host + " first: it accepted the request and says nothing."
		}
		title := fmt.Sprintf("End the download of %s, which stands still at byte %d: restart the runtime on %s", cmp.Or(d.Digest, d.Ref), d.Offset, s.nodeName())
		if s.node.Home == evidence.HomeTalos {
			return nil, 0
		}
		return []Step{s.exact(title, note, "the kubelet pulls again within a minute", s.restart())}, 2
	}
	return nil, 0
}

// mendProvider names the program and the file that names it.
func (s subject) mendProvider() ([]Step, int) {
	p := s.sights.provider
	note := "It is named in " + cmp.Or(p.Config, "the kubelet's configuration") + "."
	var cmds []string
	title := fmt.Sprintf("Mend the credential provider %s of %s: %s", p.Name, s.where(), clip(cmp.Or(p.Text, string(p.Result))))
	switch p.Result {
	case evidence.ProviderMissing:
		title, cmds = fmt.Sprintf("Put the credential provider %s back on %s: its program is not there", p.Path, s.where()), []string{"ls -l " + quote(p.Path)}
	case evidence.ProviderForbidden:
		title, cmds = fmt.Sprintf("Let the kubelet execute %s on %s", p.Path, s.where()), []string{"sudo chmod 0755 " + quote(p.Path)}
	case evidence.ProviderNotAsked:
		title = fmt.Sprintf("Correct matchImages of the credential provider %s on %s: %s", p.Name, s.where(), clip(cmp.Or(p.Hint, p.Why)))
		note += " The kubelet reads it when it starts."
		if p.Config != "" {
			cmds = []string{fmt.Sprintf(`sudo "${EDITOR:-vi}" %s`, quote(p.Config)), "sudo systemctl restart kubelet"}
		}
	case evidence.ProviderTimeout:
		note += " It did not answer in time: look at what it asks, such as the cloud's metadata service, and at its proxy."
	case evidence.ProviderEmpty:
		title = fmt.Sprintf("See why the credential provider %s of %s hands out nothing: %s", p.Name, s.where(), clip(cmp.Or(p.Hint, p.Why, "it returns no credential for this image")))
	}
	return []Step{s.exact(title, note, "", cmds...)}, 0
}
