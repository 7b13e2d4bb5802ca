// Package health says how a node's container runtime is, and what its own log
// and the kubelet's say of one image's pulls.
//
// It asks and reads, and starts, stops and signals nothing. What a log says is
// somebody else's text: it is bounded and cleaned, and it is never taken for
// what is: whether the runtime answers is found by asking it.
package health

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/cri"
	"github.com/refloat-dev/refloat/node/host"
)

// patience is how long all questions to the runtime may take together.
const patience = 12 * time.Second

// Look looks at the runtime, and in the logs for lines about the image: of an empty image none are looked for, but a runtime
// that does not answer is asked for its last words.
func Look(ctx context.Context, h *host.Host, rt *config.Runtime, image string) (*evidence.Runtime, []evidence.Gap) {
	l := &look{host: h, rt: rt, found: &evidence.Runtime{Name: rt.Kind, Socket: rt.Socket}}
	l.process()
	l.ask(ctx)
	l.logs(image)
	return l.found, l.gaps
}

type look struct {
	host  *host.Host
	rt    *config.Runtime
	proc  *host.Process // the runtime's; nil where none is seen
	seen  []*host.Host  // the node's files, in the order of where to look
	found *evidence.Runtime
	gaps  []evidence.Gap
}

func (l *look) gap(what, why, how string) {
	l.gaps = append(l.gaps, evidence.Gap{Vantage: evidence.Node, What: what, Why: why, How: how})
}

// process looks for the runtime's own.
func (l *look) process() {
	p, err := l.host.Process(programs(l.rt.Kind)...)
	switch {
	case err == nil:
		l.proc, l.found.Process, l.found.Since = p, evidence.Yes, p.Started
	case errors.Is(err, host.ErrNoProcess) && !l.host.Isolated():
		l.found.Process = evidence.No
	case errors.Is(err, host.ErrNoProcess):
		l.gap("the runtime's process", "the node's processes are not seen from here",
			"run refloat-agent with hostPID, or on the node itself")
	default:
		l.gap("the runtime's process", evidence.Clean(err.Error()), "")
	}
}

// programs are those whose process counts, the one that answers CRI first.
func programs(kind string) []string {
	switch kind {
	case config.CRIO:
		return []string{"crio"}
	case config.Docker:
		return []string{"cri-dockerd", "dockerd"}
	}
	return []string{"containerd"}
}

// ask speaks to the runtime over its socket.
func (l *look) ask(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := cri.Dial(bounded, l.host, l.rt.Socket)
	if err != nil {
		l.unreachable(ctx, err)
		return
	}
	defer func() { _ = c.Close() }()
	v, err := c.Version(bounded)
	if err != nil {
		l.answers(ctx, &l.found.Answers, err)
	} else {
		l.found.Answers = evidence.Yes
		l.found.Name, l.found.Version = evidence.Clean(v.GetRuntimeName()), evidence.Clean(v.GetRuntimeVersion())
		l.conditions(bounded, c)
		l.imageService(ctx, bounded, c)
	}
	if l.rt.Kind == config.Containerd {
		l.plugins(bounded, c)
	}
}

// unreachable is what a connection that did not come about says.
func (l *look) unreachable(ctx context.Context, err error) {
	what := "whether the runtime answers at " + l.rt.Socket
	switch {
	case ctx.Err() != nil:
		l.gap(what, "the look ended before", "")
	case errors.Is(err, fs.ErrPermission):
		l.gap(what, evidence.Clean(err.Error()), "run refloat-agent as root, with the runtime's socket mounted")
	case errors.Is(err, fs.ErrNotExist) && !l.host.Sees(l.rt.Socket) && l.found.Process != evidence.No:
		l.gap(what, "its folder is not seen from here", "mount "+filepath.Dir(l.rt.Socket)+" into the agent")
	case errors.Is(err, fs.ErrNotExist):
		l.found.Answers, l.found.Text = evidence.No, "there is no socket at "+l.rt.Socket
	case errors.Is(err, syscall.ECONNREFUSED):
		l.found.Answers, l.found.Text = evidence.No, "nothing listens at "+l.rt.Socket
	case errors.Is(err, cri.ErrSilent):
		l.found.Answers, l.found.Text = evidence.No, silent
	case errors.Is(err, cri.ErrHangsUp):
		l.found.Answers, l.found.Text = evidence.No, "it closes every connection"
	default:
		l.gap(what, evidence.Clean(err.Error()), "")
	}
	if l.found.Answers == evidence.No && l.proc != nil {
		l.found.Text += held(l.proc)
	}
}

// silent is the Text of a runtime that does not speak at all.
const silent = "it takes connections and does not answer"

// held tells a process that cannot run from one that is busy.
func held(p *host.Process) string {
	switch p.State() {
	case 'T', 't':
		return "; its process is stopped by a signal"
	case 'D':
		return "; its process waits for a disk or a network filesystem"
	}
	return ""
}

// answers takes an error of a call as what the runtime says, unless it is the look's own end.
func (l *look) answers(ctx context.Context, to *evidence.Tri, err error) {
	if ctx.Err() != nil {
		l.gap("the runtime's health", "the look ended before", "")
		return
	}
	*to = evidence.No
	s := status.Convert(errors.Unwrap(err))
	switch s.Code() {
	case codes.Unimplemented:
		l.found.Text = "it answers and does not serve CRI: its CRI plugin is disabled or did not load"
	case codes.DeadlineExceeded:
		l.found.Text = fmt.Sprintf("it takes connections and does not answer CRI within %s", patience)
		if l.proc != nil {
			l.found.Text += held(l.proc)
		}
	default:
		l.found.Text = evidence.Clean(s.Message())
	}
}

// conditions are those that are false. containerd's about deprecated settings is none of its health.
func (l *look) conditions(ctx context.Context, c *cri.Client) {
	s, err := c.Status(ctx, false)
	if err != nil {
		l.gap("the runtime's conditions", evidence.Clean(err.Error()), "crictl info")
		return
	}
	for _, cond := range s.GetStatus().GetConditions() {
		if cond.GetStatus() || cond.GetType() == "ContainerdHasNoDeprecationWarnings" {
			continue
		}
		text := cond.GetType()
		for _, part := range []string{cond.GetReason(), cond.GetMessage()} {
			if part != "" {
				text += ": " + part
			}
		}
		if l.found.Conditions = append(l.found.Conditions, short(text)); len(l.found.Conditions) == maxItems {
			return
		}
	}
}

// imageService asks for an image that no node has: an answer is all that is wanted.
func (l *look) imageService(ctx, bounded context.Context, c *cri.Client) {
	if _, err := c.ImageStatus(bounded, "refloat.dev/none:none"); err != nil {
		if l.answers(ctx, &l.found.Images, err); l.found.Text != "" {
			l.found.Text = "its image service fails: " + l.found.Text
		}
		return
	}
	l.found.Images = evidence.Yes
}
