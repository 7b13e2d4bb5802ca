package stuck

import (
	"regexp"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// Event is one event on a pod.
type Event struct {
	Name      string // of the event object
	Container string // from the field path; empty where it concerns the pod
	evidence.Message
}

// sandboxTexts say that it is the pause image that a sandbox lacks.
var sandboxTexts = append([]string{
	"sandbox image", "failed to pull image", "failed pulling image", "failed to pull and unpack image",
	"initializing source docker://", "pause image", "pulling image",
	"containerd.sock", "crio.sock", "cri-dockerd.sock", // nothing is pulled where the runtime is gone
}, unpackTexts...)

var pauseImage = regexp.MustCompile(`(?:image|source) "?\\?"?(?:docker://)?([a-zA-Z0-9][^\s"\\,]*[a-zA-Z0-9])`)

// Settle decides by its events what the pod's containers that say nothing wait
// for. It returns the containers that cannot get their image: those that said so,
// the pause image, and pulls that have been silent for longer than patience.
func Settle(cs []Container, events []Event, now time.Time, patience time.Duration) []Container {
	var out []Container
	creating := len(cs) > 0
	for _, c := range cs {
		switch c.State {
		case Failing:
			c.fromEvents(events)
			out = append(out, c)
			creating = false
		case Silent:
			if c.failedLast(events) {
				c.State = Failing
				out = append(out, c)
				creating = false
			} else if since := c.SilentSince(events); !since.IsZero() {
				creating = false
				if now.Sub(since) >= patience {
					c.State = Failing
					out = append(out, c)
				}
			}
		case Crashed:
			creating = false
		}
	}
	if e, ok := sandboxFailure(events); ok && creating {
		out = append(out, sandbox(e))
	}
	return out
}

// fromEvents attributes by the newest error where the waiting message names no image.
func (c *Container) fromEvents(events []Event) {
	if c.Kind == evidence.VolumeImage || len(c.Volumes) == 0 || mentions(c.Message, c.Image) {
		return
	}
	for i := len(events) - 1; i >= 0; i-- {
		if e := events[i]; e.Container == c.Name && e.Reason == "Failed" && strings.HasPrefix(e.Text, "Failed to pull image") {
			c.attribute(e.Text)
			return
		}
	}
}

// SilentSince is when the kubelet last said Pulling with nothing said since; zero
// where no pull is under way. It gives the pull to the image volume that is pulled.
func (c *Container) SilentSince(events []Event) time.Time {
	var pulling, after time.Time
	var text string
	for _, e := range events {
		if e.Container != c.Name && (e.Container != "" || !c.pullsVolume(e.Text)) {
			continue
		}
		switch e.Reason {
		case "Pulling":
			if e.Last.After(pulling) {
				pulling, text = e.Last, e.Text
			}
		case "Pulled", "Failed", "BackOff", "Created", "Started", "InspectFailed":
			if e.Last.After(after) {
				after = e.Last
			}
		}
	}
	if pulling.IsZero() || !pulling.After(after) {
		return time.Time{}
	}
	c.attribute(text)
	return pulling
}

// failedLast tells that the last thing said of the pull is that it failed, though the status does not have it: a
// kubelet whose runtime is gone still sends events, and no longer writes statuses.
func (c *Container) failedLast(events []Event) bool {
	var last Event
	for _, e := range events {
		if e.Container != c.Name && (e.Container != "" || !c.pullsVolume(e.Text)) {
			continue
		}
		switch e.Reason {
		case "Pulling", "Pulled", "Failed", "Created", "Started":
			// Times are whole seconds: of two in one, the pull came before its end.
			newer := e.Last.After(last.Last) || e.Last.Equal(last.Last) && e.Reason != "Pulling"
			if newer && !strings.HasPrefix(e.Text, "Error: ") {
				last = e
			}
		}
	}
	return last.Reason == "Failed" && strings.HasPrefix(last.Text, "Failed to pull image")
}

func (c *Container) pullsVolume(text string) bool {
	for _, v := range c.Volumes {
		if mentions(text, v.Reference) {
			return true
		}
	}
	return false
}

// sandboxFailure is the newest failure to create the sandbox, if nothing got further since.
func sandboxFailure(events []Event) (Event, bool) {
	var last Event
	for _, e := range events {
		switch e.Reason {
		case "FailedCreatePodSandBox":
			if !e.Last.Before(last.Last) {
				last = e
			}
		case "Pulling", "Pulled", "Created", "Started":
			if e.Last.After(last.Last) {
				last = e
			}
		}
	}
	return last, last.Reason == "FailedCreatePodSandBox" && containsAny(last.Text, sandboxTexts)
}

func sandbox(e Event) Container {
	c := Container{State: Failing, Kind: evidence.Sandbox, Reason: "ContainerCreating"}
	if m := pauseImage.FindStringSubmatch(e.Text); m != nil {
		c.Image = evidence.CleanReference(m[1])
	}
	return c
}

// Concerns tells whether an event bears on the pull of a container, and adds to what its status says.
func Concerns(c Container, e Event) bool {
	switch e.Reason {
	case "FailedCreatePodSandBox":
		return c.Kind == evidence.Sandbox
	case "FailedToRetrieveImagePullSecret":
		return c.Kind != evidence.Sandbox
	case "Failed", "BackOff", "Pulling", "Pulled", "InspectFailed", "ErrImageNeverPull":
	default:
		return false
	}
	if c.Kind == evidence.Sandbox || e.Container != c.Name && (e.Container != "" || !c.pullsVolume(e.Text)) {
		return false
	}
	switch {
	case strings.HasPrefix(e.Text, "Error: ErrImagePull"), strings.HasPrefix(e.Text, "Error: ImagePullBackOff"):
		return false // only repeats the waiting reason
	case e.Reason == "BackOff" && e.Type == "Warning":
		return false // a crash's back-off
	}
	return !namesAnother(e.Text, c)
}

var quotedImage = regexp.MustCompile(`^(?:Failed to pull|Back-off pulling|Pulling|Successfully pulled|Container) image "([^"]+)"`)

// namesAnother tells of an event about the image that the container had before somebody changed it.
func namesAnother(text string, c Container) bool {
	m := quotedImage.FindStringSubmatch(strings.TrimPrefix(text, "(combined from similar events): "))
	return m != nil && !mentions(m[1], c.Image)
}
