package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// view is a case sorted by what its facts are about.
type view struct {
	c         *evidence.Case
	now       time.Time
	messages  []*evidence.Fact
	pod       *evidence.Fact
	account   *evidence.Fact
	node      *evidence.Fact
	elsewhere *evidence.Fact
	workload  *evidence.Fact
	secrets   []*evidence.Fact
	// nodes are all that the case tells of: the pull's own, or those that a planned image could land on.
	nodes []*evidence.Fact
	// keyring, probe and alternatives are what the registry vantage point saw.
	keyring, probe, alternatives *evidence.Fact
	// asked is what the probe comes to; nil where there is none.
	asked *answers
	// others are the readings of the messages that did not decide.
	others []Reading
	// missingEvent is the kubelet's remark that it could not get a secret: side evidence only, see decide.
	missingEvent *evidence.Fact
	// reason is why the verdict is what it is, where facts beyond the message say so; the summary ends with it.
	reason string
	// subject is the object that is at fault, such as a secret's namespace/name.
	subject string
	// stopped is set where the configuration keeps the node's runtime from starting, for all its registries alike.
	stopped bool
	// oneNode is set where this node alone fails and others have the image.
	oneNode bool
	// seen is what the node itself sees; nil where it was not asked. sighted is set where that bears on the verdict.
	seen    *seen
	sighted bool
	// host and hop are the host that the node fails to use, where it may be another than the message's, and how it fails.
	host, hop string
	// provider is the node's credential provider that is at fault; onNode is set where a credential of the node's own is.
	provider string
	onNode   bool
	// moving is set where the pull is only slow.
	moving bool
}

func look(c *evidence.Case, now time.Time) *view {
	v := &view{c: c, now: now}
	for _, f := range c.Facts {
		switch {
		case f == nil:
		case f.Vantage == evidence.Node: // what an agent says counts for what a node can see alone
			v.keep(f)
		case f.Message != nil: // newestFirst has them
		case f.Pod != nil && v.pod == nil:
			v.pod = f
		case f.Account != nil && v.account == nil:
			v.account = f
		case f.NodeState != nil:
			v.nodes = append(v.nodes, f)
			if v.node == nil || f.NodeState.Name == c.Pull.Node {
				v.node = f
			}
		case f.Elsewhere != nil && v.elsewhere == nil:
			v.elsewhere = f
		case f.Workload != nil && v.workload == nil:
			v.workload = f
		case f.Keyring != nil && v.keyring == nil:
			v.keyring = f
		case f.Probe != nil && v.probe == nil:
			v.probe = f
		case f.Alternatives != nil && v.alternatives == nil:
			v.alternatives = f
		case f.Secret != nil:
			v.secrets = append(v.secrets, f)
		}
	}
	v.messages = newestFirst(c)
	if e := v.elsewhere; e != nil {
		x := e.Elsewhere
		others := slices.ContainsFunc(x.Failing, func(n string) bool { return n != c.Pull.Node })
		v.oneNode = c.Pull.Node != "" && !others && x.FailingMore == 0 && len(x.Running) > 0 && !slices.Contains(x.Running, c.Pull.Node)
	}
	return v
}

// newestFirst returns the messages in the order of trust, the newest event first.
func newestFirst(c *evidence.Case) []*evidence.Fact {
	rank := func(o evidence.Origin) int {
		return slices.Index([]evidence.Origin{evidence.Line, evidence.Waiting, evidence.Terminated, evidence.Event, evidence.OwnerEvent, evidence.NodeEvent}, o)
	}
	var out []*evidence.Fact
	for _, f := range c.Facts {
		if f != nil && f.Message != nil && f.Vantage != evidence.Node {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *evidence.Fact) int {
		if d := rank(a.Message.Origin) - rank(b.Message.Origin); d != 0 {
			return d
		}
		return b.Message.Last.Compare(a.Message.Last)
	})
	return out
}

// decide reads every message and takes the first that names a cause.
func (v *view) decide(d *Diagnosis) *evidence.Fact {
	d.Reading = Reading{Cause: Unknown, Confidence: NoConfidence, Candidates: []Candidate{{Unknown, NoConfidence}}}
	var deciding *evidence.Fact
	for _, f := range v.messages {
		m := f.Message
		switch {
		case !v.aboutPull(m):
			continue
		case strings.HasPrefix(m.Reason, "FailedToRetrieve"):
			// Emitted at every sync, also while pulls work (K36 pkg/kubelet/kubelet_pods.go:1071): never a cause by itself.
			v.missingEvent = f
			continue
		}
		r := Read(Text{Message: m.Text, Reason: m.Reason, Image: v.c.Pull.Image})
		if r.Cause == Unknown {
			continue
		}
		if deciding == nil && m.Origin != evidence.NodeEvent {
			deciding, d.Reading = f, r
		} else {
			v.others = append(v.others, r)
		}
	}
	if deciding == nil && v.c.Pull.Reason != "" {
		// Since 1.33 a malformed secret's raw error is the waiting reason itself (K36 pkg/kubelet/images/image_manager.go:276-278, EnsureImageExists).
		r := Read(Text{Message: v.c.Pull.Reason, Image: v.c.Pull.Image})
		if r.Cause != Unknown {
			d.Reading = r
		}
	}
	if d.Reading.Image == "" {
		d.Reading.Image = clean(v.c.Pull.Image, maxRef)
	}
	if d.Reading.Registry == "" {
		d.Reading.Registry = registryOf(d.Reading.Image, d.Reading.Host)
	}
	if v.node != nil && v.node.NodeState.Runtime != "" {
		d.Reading.Runtime = v.node.NodeState.Runtime
	}
	return deciding
}

// pullReasons are the event reasons under which the kubelet, a controller or admission tells of images
// (K36 pkg/kubelet/events/event.go); a probe's or a volume's "connection refused" is nobody's registry.
var pullReasons = []string{"", "Failed", "BackOff", "InspectFailed", "ErrImageNeverPull", "FailedSync", "FailedCreate", "FailedCreatePodSandBox", "ErrImagePull", "ImagePullBackOff"}

func (v *view) aboutPull(m *evidence.Message) bool {
	switch m.Origin {
	case evidence.Event, evidence.OwnerEvent:
		if strings.HasPrefix(m.Text, "Back-off restarting failed container") {
			return false // a crash's back-off has the same reason as an image's
		}
		if m.Reason == "FailedCreatePodSandBox" && v.c.Pull.Kind != evidence.Sandbox && v.pod != nil && v.pod.Pod.SandboxReady == "True" {
			return false // overcome since
		}
		return slices.Contains(pullReasons, m.Reason) || strings.HasPrefix(m.Reason, "FailedToRetrieve")
	case evidence.Terminated:
		// With FallbackToLogsOnError this is the program's own output (K36 pkg/kubelet/kuberuntime/kuberuntime_container.go).
		return m.Reason == "StartError" || m.Reason == "ContainerCannotRun"
	case evidence.Waiting:
		return m.Reason != "CreateContainerConfigError" && m.Reason != "CrashLoopBackOff"
	}
	return true
}

// silent is a case whose messages name no cause: a pull that hangs, or a text that is gone.
func (v *view) silent(d *Diagnosis) {
	if v.pod == nil || v.pod.Pod.PullingSince.IsZero() {
		return
	}
	quiet := v.now.Sub(v.pod.Pod.PullingSince)
	if quiet < StalledAfter {
		return
	}
	sure := Possible
	if quiet >= StalledSurely {
		sure = Likely
	}
	d.lead(Stalled, sure)
	d.because(v.pod)
	d.allow(Timeout)
	v.reason = "pulling for " + quiet.Round(time.Second).String() + " without a word"
	if v.seen != nil && v.seen.downloads != nil {
		return
	}
	d.gap(evidence.Gap{Vantage: evidence.Node, What: "the download's progress on the node", Why: "the API does not show it",
		How: "on the node: ctr -n k8s.io content active (twice, a minute apart)", Deciding: sure != Likely})
}

// registryHost is the host whose credentials the kubelet would use: by the reference, never by a mirror.
func (v *view) registryHost() string { return registryOf(v.c.Pull.Image, "") }
