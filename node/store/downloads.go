package store

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
)

const (
	// stillFor is how long nothing must have been written for a download to stand still: containerd writes each mebibyte, or every few milliseconds.
	stillFor     = 10 * time.Second
	watchFor     = 500 * time.Millisecond
	maxDownloads = 50
)

// Downloads lists what the runtime is fetching. Where one may stand still they are watched for a while, half a second where
// watch is 0. With an image its own downloads come first.
func (s *Store) Downloads(ctx context.Context, image string, watch time.Duration) (*evidence.Downloads, []evidence.Gap) {
	d := &evidence.Downloads{}
	gap := func(what, why string) (*evidence.Downloads, []evidence.Gap) {
		return d, []evidence.Gap{{Vantage: evidence.Node, What: what, Why: why}}
	}
	if s.kind != config.Containerd {
		return gap("the downloads of "+s.kind, "it does not tell how far its downloads are")
	}
	if s.records == nil {
		return gap("the node's downloads", "containerd does not answer: "+s.silent.Error())
	}
	s.records.wake(ctx)
	before, err := s.records.downloads(ctx)
	if err != nil {
		return gap("the node's downloads", err.Error())
	}
	if len(before) == 0 {
		return d, nil
	}
	after := before
	if slices.ContainsFunc(before, s.mayStand) { // the others do not, whatever a watch shows
		select {
		case <-time.After(cmp.Or(watch, watchFor)):
		case <-ctx.Done():
			return gap("whether the node's downloads move", ctx.Err().Error())
		}
		if after, err = s.records.downloads(ctx); err != nil {
			return gap("whether the node's downloads move", err.Error())
		}
	}
	s.watched(d, before, after)
	return d, s.origins(ctx, d, image)
}

// watched compares two lists.
func (s *Store) watched(d *evidence.Downloads, before, after []download) {
	was := map[[2]string]int64{}
	for _, b := range before {
		was[[2]string{b.namespace, b.GetRef()}] = b.GetOffset()
	}
	for _, a := range after {
		if s.left(a) {
			continue
		}
		one := evidence.Download{Ref: evidence.Clean(a.GetRef()), Digest: digestOf(a.Status), Offset: a.GetOffset(), Total: a.GetTotal(),
			Started: a.GetStartedAt().AsTime(), Updated: a.GetUpdatedAt().AsTime()}
		offset, seen := was[[2]string{a.namespace, a.GetRef()}]
		if seen && offset == one.Offset && s.mayStand(a) {
			one.Still, one.StillFor = true, int64(s.now().Sub(one.Updated).Seconds())
		}
		d.Active = append(d.Active, one)
	}
	slices.SortFunc(d.Active, func(a, b evidence.Download) int { return a.Started.Compare(b.Started) })
}

// left tells what is over from before the runtime was started: nobody fetches it.
func (s *Store) left(d download) bool {
	return !s.started.IsZero() && d.GetUpdatedAt().AsTime().Before(s.started)
}

// mayStand tells a download that is not at its end and into which nothing was written for long.
func (s *Store) mayStand(d download) bool {
	return !s.left(d) && s.now().Sub(d.GetUpdatedAt().AsTime()) >= stillFor && (d.GetTotal() == 0 || d.GetOffset() < d.GetTotal())
}

func digestOf(s *contentapi.Status) string {
	if isDigest(s.GetExpected()) {
		return s.GetExpected()
	}
	return digestIn.FindString(s.GetRef())
}

// origins finds the registry of each download: the label of the manifest that leads to it. A mirror between is not told.
func (s *Store) origins(ctx context.Context, d *evidence.Downloads, image string) (gaps []evidence.Gap) {
	w, _ := want(image, "")
	wanted := map[string][]int{}
	for i, a := range d.Active {
		if a.Digest != "" {
			wanted[a.Digest] = append(wanted[a.Digest], i)
		}
		if a.Digest != "" && a.Digest == w.digest {
			d.Active[i].Image, d.Active[i].Host = evidence.CleanReference(image), w.domain
		}
	}
	err := s.records.blobs(ctx, "labels.\""+childLabel+".config\"", func(_ int, info *contentapi.Info) {
		labels := info.GetLabels()
		for k, v := range labels {
			if !strings.HasPrefix(k, childLabel) {
				continue
			}
			for _, i := range wanted[v] {
				from(&d.Active[i], labels, w, image)
			}
		}
	})
	if err != nil {
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "which image a download is of", Why: err.Error()})
	}
	slices.SortStableFunc(d.Active, func(a, b evidence.Download) int { return rank(b) - rank(a) })
	if len(d.Active) > maxDownloads {
		d.More = len(d.Active) - maxDownloads
		d.Active = d.Active[:maxDownloads]
	}
	return gaps
}

// rank puts the image's own first, and then what stands still.
func rank(d evidence.Download) (n int) {
	if d.Image != "" {
		n += 2
	}
	if d.Still {
		n++
	}
	return n
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9.\[\]:_-]{1,255}$`)

// from reads the labels of a manifest that leads to a download. Where the image's digest is not known its repository is what tells.
func from(d *evidence.Download, labels map[string]string, w wanted, image string) {
	for k, v := range labels {
		host, ok := strings.CutPrefix(k, sourceLabel)
		if !ok || !hostForm.MatchString(host) {
			continue
		}
		if image != "" && host == w.domain && slices.Contains(strings.Split(v, ","), w.path) {
			d.Image, d.Host = evidence.CleanReference(image), host
		}
		if d.Host == "" {
			d.Host = host
		}
	}
}
